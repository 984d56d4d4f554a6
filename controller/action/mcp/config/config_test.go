package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// around are the surroundings of the tests' files.
func around() Surroundings {
	known := map[string]string{"TOKEN": "abc", "EMPTY": "", "NESTED": "${TOKEN}", "LINES": "abc\n", "HOST": "mcp.example.org"}
	return Surroundings{Lookup: func(name string) (string, bool) { v, ok := known[name]; return v, ok }, Workspace: "/srv/project", Home: "/home/ada"}
}

// one is a file of one server with these keys.
func one(keys string) string { return "{\"mcpServers\": {\n\"a\": {" + keys + "}\n}}" }

func parsed(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse([]byte(text), around())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhereServersStand(t *testing.T) {
	for name, text := range map[string]string{
		"mcpServers":                  `{"mcpServers": {"a": {"command": "x"}}}`,
		"servers of VS Code":          `{"inputs": [], "servers": {"a": {"type": "stdio", "command": "x"}}}`,
		"context_servers of Zed":      `{"theme": "dark", "context_servers": {"a": {"source": "custom", "command": "x"}}}`,
		"mcp.servers as one key":      `{"mcp.servers": {"a": {"command": "x"}}}`,
		"mcp.servers as two":          `{"mcp": {"inputs": [], "servers": {"a": {"command": "x"}}}}`,
		"mcp of opencode":             `{"mcp": {"a": {"type": "local", "command": ["x"], "environment": {"A": "b"}, "enabled": true}}}`,
		"two maps":                    `{"mcpServers": {}, "servers": {"a": {"command": "x"}}}`,
		"the map itself":              `{"a": {"command": "x"}}`,
		"comments, trailing commas":   "// ours\n{\"mcpServers\": {/* the only one */ \"a\": {\"command\": \"x\", \"args\": [\"//no comment\",],},},}",
		"a byte order mark":           "\xef\xbb\xbf" + `{"mcpServers": {"a": {"command": "x"}}}`,
		"CRLF":                        "{\r\n\t\"mcpServers\": {\r\n\t\t\"a\": {\"command\": \"x\"}\r\n\t}\r\n}\r\n",
		"settings beside":             `{"privacy": {"usageStatisticsEnabled": false}, "mcpServers": {"a": {"command": "x"}}}`,
		"a remark as a server":        `{"mcpServers": {"_off": {"url": "/"}, "a": {"command": "x"}}}`,
		"allowed ones of Gemini CLI":  `{"mcp": {"allowed": ["a"]}, "mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}}}`,
		"excluded ones of Gemini CLI": `{"mcp": {"excluded": ["b"]}, "mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := parsed(t, text)
			a := c.Servers["a"]
			if found, err := c.Find(""); err != nil || found != "a" || a.Command != "x" || a.Type != TypeStdio {
				t.Errorf("found %q, %v, %+v", found, err, a)
			}
		})
	}
}

func TestAFileThatIsNone(t *testing.T) {
	many := strings.Repeat(`"a": {"command": "x"}, `, 1)
	for i := range maxServers {
		many += fmt.Sprintf(`"n%d": {"command": "x"}, `, i)
	}
	for name, tc := range map[string]struct{ text, says string }{
		"nothing":                   {``, "EOF"},
		"half of one":               {"{\n\"mcpServers\": {", "line 2"},
		"a comma too much":          {"{\n,}", "line 2"},
		"YAML":                      {"mcpServers:\n  a: {command: x}\n", "line 1, column 1: invalid literal: mcpServers; the file must be JSON"},
		"a list":                    {`[]`, "it is a list, and must be an object"},
		"no servers":                {`{"inputs": []}`, "mcpServers: Required value"},
		"a misspelled key":          {"{\n\"mcpServer\": {\"a\": {\"command\": \"x\"}}}", `line 2: unknown key "mcpServer"; did you mean mcpServers?`},
		"servers are a list":        {"{\n\"mcpServers\": []}", "mcpServers (line 2): it is a list, and must be an object"},
		"nested without end":        {strings.Repeat("[", 100_000), "line 1: it is nested more than 64 levels deep"},
		"nested behind a quote":     {`{"a": "\"", "b": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "nested more than 64"},
		"a map that is there twice": {`{"servers": {}, "servers": {"a": {"command": "x"}}}`, "line 1: servers is there twice"},
		"UTF-16":                    {"\xff\xfe{\x00}\x00", "it is not UTF-8"},
		"too many":                  {`{"mcpServers": {` + many + `}}`, "it has 501 servers, and at most 500"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(tc.text), around()); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, not %q", err, tc.says)
			}
		})
	}
}

func TestKeysThatAreHonoured(t *testing.T) {
	for name, tc := range map[string]struct {
		keys string
		want Server
	}{
		"a program":                 {`"type": "stdio", "command": "npx", "args": ["-y", "server"], "env": {"A": "b"}, "cwd": "/srv"`, Server{Type: TypeStdio, Command: "npx", Args: []string{"-y", "server"}, Env: map[string]string{"A": "b"}, Cwd: "/srv"}},
		"a list as command":         {`"command": ["npx", "-y", "server"], "args": ["--more"]`, Server{Type: TypeStdio, Command: "npx", Args: []string{"-y", "server", "--more"}}},
		"an object as command":      {`"command": {"path": "uvx", "args": ["server"], "env": null}, "settings": {}`, Server{Type: TypeStdio, Command: "uvx", Args: []string{"server"}}},
		"a url":                     {`"url": "https://${HOST}/mcp?k=1"`, Server{Type: TypeHTTP, URL: "https://mcp.example.org/mcp?k=1"}},
		"serverUrl of Windsurf":     {`"serverUrl": "https://x/mcp"`, Server{Type: TypeHTTP, URL: "https://x/mcp"}},
		"httpUrl of Gemini CLI":     {`"httpUrl": "https://x/sse"`, Server{Type: TypeHTTP, URL: "https://x/sse"}},
		"streamable-http":           {`"type": "streamable-http", "url": "https://x/mcp"`, Server{Type: TypeHTTP, URL: "https://x/mcp"}},
		"streamableHttp":            {`"type": "streamableHttp", "url": "https://x/mcp"`, Server{Type: TypeHTTP, URL: "https://x/mcp"}},
		"transport as a word":       {`"transport": "streamable_http", "url": "https://x/mcp"`, Server{Type: TypeHTTP, URL: "https://x/mcp"}},
		"transport as an object":    {`"transport": {"type": "http", "url": "https://x/mcp", "headers": {"X-K": "${TOKEN}"}}`, Server{Type: TypeHTTP, URL: "https://x/mcp", Headers: map[string]string{"X-K": "abc"}}},
		"sse":                       {`"type": "sse", "url": "https://x/events"`, Server{Type: TypeSSE, URL: "https://x/events"}},
		"a variable in a header":    {`"url": "https://x/mcp", "headers": {"Authorization": "Bearer $TOKEN", "X-P": "$5"}`, Server{Type: TypeHTTP, URL: "https://x/mcp", Headers: map[string]string{"Authorization": "Bearer abc", "X-P": "$5"}}},
		"sse by its path":           {`"url": "https://x/mcp/sse"`, Server{Type: TypeSSE, URL: "https://x/mcp/sse"}},
		"disabled":                  {`"command": "x", "disabled": true`, Server{Type: TypeStdio, Command: "x", Disabled: true}},
		"not enabled":               {`"command": "x", "enabled": false`, Server{Type: TypeStdio, Command: "x", Disabled: true}},
		"tools that are disabled":   {`"command": "x", "disabledTools": ["a"], "excludeTools": ["b"]`, Server{Type: TypeStdio, Command: "x", DisabledTools: []string{"a", "b"}}},
		"tools that are enabled":    {`"command": "x", "enabledTools": ["a"]`, Server{Type: TypeStdio, Command: "x", EnabledTools: []string{"a"}}},
		"all tools":                 {`"command": "x", "tools": ["*"]`, Server{Type: TypeStdio, Command: "x"}},
		"seconds":                   {`"command": "x", "timeout": 60`, Server{Type: TypeStdio, Command: "x", Timeout: time.Minute}},
		"milliseconds":              {`"command": "x", "timeout": 60000`, Server{Type: TypeStdio, Command: "x", Timeout: time.Minute}},
		"seconds by name":           {`"command": "x", "timeoutSeconds": 2000`, Server{Type: TypeStdio, Command: "x", Timeout: 2000 * time.Second}},
		"our own":                   {`"command": "x", "shared": true, "sessions": 3, "startTimeoutSeconds": 300, "elicitation": "defaults", "plan": {"a": "b"}`, Server{Type: TypeStdio, Command: "x", Shared: true, Sessions: 3, StartTimeoutSeconds: 300, Elicitation: ElicitationDefaults, Plan: map[string]string{"a": "b"}}},
		"numbers and booleans":      {`"command": "x", "args": [1, true], "env": {"N": 1.50, "B": false, "L": 9007199254740993}`, Server{Type: TypeStdio, Command: "x", Args: []string{"1", "true"}, Env: map[string]string{"N": "1.50", "B": "false", "L": "9007199254740993"}}},
		"what is for people":        {`"command": "x", "description": "d", "alwaysAllow": ["t"], "autoApprove": [], "trust": true, "_why": "…"`, Server{Type: TypeStdio, Command: "x"}},
		"nothing refused was asked": {`"command": "x", "envFile": "", "sandboxEnabled": false, "headersHelper": null`, Server{Type: TypeStdio, Command: "x"}},
		"references":                {`"command": "~/bin/x", "args": ["${TOKEN}-${env:TOKEN}", "${EMPTY:-else}", "${NOT:-}", "$TOKEN $5 $(pwd)", "${workspaceFolder}${/}a"], "cwd": "${workspaceFolder}/b", "env": {"A": "$TOKEN", "B": "$5 ${TOKEN}", "C": "${NESTED}", "D": "${EMPTY}", "E": "~/.db", "F": "a~/b"}`, Server{Type: TypeStdio, Command: "/home/ada/bin/x", Args: []string{"abc-abc", "else", "", "$TOKEN $5 $(pwd)", "/srv/project/a"}, Cwd: "/srv/project/b", Env: map[string]string{"A": "abc", "B": "$5 abc", "C": "${TOKEN}", "D": "", "E": "/home/ada/.db", "F": "a~/b"}}},
		"a path in args":            {`"command": ["x", "~/a"], "args": ["~/b/${TOKEN}", "~", "~ada/c"], "transportType": "stdio"`, Server{Type: TypeStdio, Command: "x", Args: []string{"/home/ada/a", "/home/ada/b/abc", "/home/ada", "~ada/c"}}},
		"OAuth by secret":           {`"url": "https://x/mcp", "oauth": {"clientId": "c", "clientSecret": "${TOKEN}", "scopes": ["a", "b"], "tokenUrl": "https://y/token", "callbackPort": 8080}`, Server{Type: TypeHTTP, URL: "https://x/mcp", OAuth: &OAuth{ClientID: "c", ClientSecret: "abc", Scopes: []string{"a", "b"}, TokenURL: "https://y/token"}}},
		"OAuth by refresh token":    {`"url": "https://x/mcp", "oauth": {"clientId": "c", "refreshToken": "$TOKEN", "scope": "a b", "tokenEndpointAuthMethod": "none"}`, Server{Type: TypeHTTP, URL: "https://x/mcp", OAuth: &OAuth{ClientID: "c", RefreshToken: "abc", Scopes: []string{"a", "b"}, AuthMethod: AuthNone}}},
		"OAuth for an audience":     {`"url": "https://x/mcp", "oauth": {"clientId": "c", "clientSecret": "${TOKEN}", "resource": "", "audience": "api"}`, Server{Type: TypeHTTP, URL: "https://x/mcp", OAuth: &OAuth{ClientID: "c", ClientSecret: "abc", NoResource: true, Audience: "api"}}},
		"OAuth is off":              {`"url": "https://x/mcp", "oauth": {"enabled": false}`, Server{Type: TypeHTTP, URL: "https://x/mcp"}},
		"auth of Cursor":            {`"url": "https://x/mcp", "auth": {"CLIENT_ID": "c", "CLIENT_SECRET": "${env:TOKEN}", "scopes": ["a"]}`, Server{Type: TypeHTTP, URL: "https://x/mcp", OAuth: &OAuth{ClientID: "c", ClientSecret: "abc", Scopes: []string{"a"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := parsed(t, one(tc.keys)).Servers["a"]
			if refers := strings.Contains(tc.keys, "TOKEN}") || strings.Contains(tc.keys, `"$TOKEN"`) || strings.Contains(tc.keys, `r $TOKEN`); refers != slices.Equal(got.Referred, []string{"abc"}) {
				t.Errorf("the values of what it refers to: %q", got.Referred)
			}
			got.Referred = nil
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("server (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeUsedIsSaidWithItsLine(t *testing.T) {
	for name, tc := range map[string]struct{ keys, says string }{
		"no command":                  {``, "mcpServers.a.command (line 2): Required value"},
		"an empty command":            {`"command": ""`, "mcpServers.a.command (line 2): Required value"},
		"a list that is empty":        {`"command": []`, "mcpServers.a.command (line 2): it is an empty list"},
		"http without url":            {`"type": "http"`, "mcpServers.a.url (line 2): Required value"},
		"both":                        {`"command": "x", "url": "https://x/mcp"`, "command and url exclude each other"},
		"two urls":                    {`"url": "https://x", "httpUrl": "https://y"`, "mcpServers.a.httpUrl (line 2): there is another url"},
		"a typo":                      {"\"command\": \"x\",\n\"enviroment\": {}", "mcpServers.a.enviroment (line 3): unknown key; did you mean env?"}, //nolint:misspell // that is the case
		"another":                     {`"comand": "x"`, "mcpServers.a.comand (line 2): unknown key; did you mean command?"},
		"a typo in capitals":          {`"URL": "https://x"`, "did you mean url?"},
		"an unknown key":              {`"command": "x", "quux": 1`, "mcpServers.a.quux (line 2): unknown key; there are allowedTools, args, auth,"},
		"a bad url":                   {`"url": "/mcp"`, "mcpServers.a.url (line 2): Invalid value: must be an absolute http or https URL"},
		"a socket":                    {`"url": "unix:///tmp/x.sock"`, "must be an absolute http or https URL"},
		"a password in the url":       {`"url": "https://ada:${TOKEN}@x/mcp"`, "it holds a user or password"},
		"a bad type":                  {`"type": "websocket", "url": "https://x"`, `mcpServers.a.type (line 2): Unsupported value: "websocket": supported values: "stdio", "http", "streamable-http", "sse"`},
		"types that differ":           {`"type": "http", "transport": "sse", "url": "https://x"`, "type and transport do not agree"},
		"headers for a program":       {`"command": "x", "headers": {"A": "b"}`, "mcpServers.a.headers (line 2): it is for servers behind HTTP"},
		"env for a url":               {`"url": "https://x", "env": {"A": "b"}`, "mcpServers.a.env (line 2): it is for programs"},
		"an input":                    {`"url": "https://x", "headers": {"Authorization": "Bearer ${input:key}"}`, "mcpServers.a.headers.Authorization (line 2): ${input:key} (the key of x) asks a person, and there is none"},
		"a variable that is not set":  {`"command": "x", "env": {"T": "${NOT_SET}"}`, "mcpServers.a.env.T (line 2): the environment variable NOT_SET is not set"},
		"a bare one that is not set":  {`"command": "x", "env": {"T": "$NOT_SET"}`, "the environment variable NOT_SET is not set"},
		"one in args":                 {`"command": "x", "args": ["a", "${NOT_SET}"]`, "mcpServers.a.args[1] (line 2): the environment variable NOT_SET is not set"},
		"one in the url":              {`"url": "https://${NOT_SET}/mcp"`, "mcpServers.a.url (line 2): the environment variable NOT_SET is not set"},
		"one in the cwd":              {`"command": "x", "cwd": "${NOT_SET}"`, "mcpServers.a.cwd (line 2): the environment variable NOT_SET"},
		"a reference to the editor":   {`"command": "x", "args": ["${file}"]`, "the environment variable file is not set"},
		"a command of the editor":     {`"command": "x", "args": ["${command:pick}"]`, "${command:pick} is no reference that is known here"},
		"one without an end":          {`"command": "x", "args": ["${TOKEN"]`, "${ is begun and not ended"},
		"null in env":                 {`"command": "x", "env": {"A": null}`, "mcpServers.a.env.A (line 2): it is null, and must be a string"},
		"an object in env":            {`"command": "x", "env": {"A": {}}`, "it is an object, and must be a string"},
		"a name with =":               {`"command": "x", "env": {"A=B": "c"}`, "it is no name of a variable"},
		"args as a text":              {`"command": "x", "args": "-y server"`, "mcpServers.a.args (line 2): it is a string, and must be a list"},
		"a key twice":                 {`"command": "x", "command": "y"`, "the key is there twice"},
		"disabled as a text":          {`"command": "x", "disabled": "yes"`, "it is a string, and must be true or false"},
		"a line break in a header":    {`"url": "https://x", "headers": {"A": "${LINES}"}`, "mcpServers.a.headers.A (line 2): its value has a line break"},
		"a bad header":                {`"url": "https://x", "headers": {"A b": "c"}`, "it is no name of a header"},
		"a header of HTTP":            {`"url": "https://x", "headers": {"host": "c"}`, "the header is HTTP's own"},
		"a timeout that may be both":  {`"command": "x", "timeout": 3000`, "mcpServers.a.timeout (line 2): Invalid value: 3000: clients write seconds or milliseconds"},
		"a timeout as a text":         {`"command": "x", "timeout": "60s"`, "must be a whole number"},
		"two lists of tools":          {`"command": "x", "tools": ["a"], "enabledTools": ["b"]`, "mcpServers.a.tools has named the tools already"},
		"sessions":                    {`"command": "x", "sessions": 0`, "mcpServers.a.sessions (line 2): Invalid value: \"0\": must be a whole number, 1 to 1000"},
		"a start without end":         {`"command": "x", "startTimeoutSeconds": 100000`, "mcpServers.a.startTimeoutSeconds (line 2)"},
		"elicitation":                 {`"command": "x", "elicitation": "accept"`, `Unsupported value: "accept": supported values: ["off" "answers" "defaults"]`},
		"a program for headers":       {`"url": "https://x", "headersHelper": "/bin/h"`, "not supported: programs that make headers"},
		"a sandbox":                   {`"command": "x", "sandboxEnabled": true`, "not supported: servers are not run in a sandbox"},
		"no certificates":             {`"url": "https://x", "caFile": "/dev/null"`, "mcpServers.a.caFile (line 2): the file has no certificate in PEM"},
		"no such certificates":        {`"url": "https://x", "caFile": "/no/such/ca.pem"`, "mcpServers.a.caFile (line 2): open: no such file or directory"},
		"a secret in the file":        {`"url": "https://x", "oauth": {"clientId": "c", "clientSecret": "hunter2"}`, "mcpServers.a.oauth.clientSecret (line 2): it must not stand in the file"},
		"OAuth with a browser":        {`"url": "https://x", "oauth": {"clientId": "c"}`, "mcpServers.a.oauth (line 2): it needs a person with a browser"},
		"OAuth without a client":      {`"url": "https://x", "oauth": {"clientSecret": "${TOKEN}"}`, "clientId: Required value"},
		"OAuth with a typo":           {`"url": "https://x", "oauth": {"clientid": "c"}`, "mcpServers.a.oauth.clientid (line 2): unknown key; did you mean clientId?"},
		"Cursor's auth with a typo":   {`"url": "https://x", "auth": {"CLIENT_IDS": "c"}`, "mcpServers.a.auth.CLIENT_IDS (line 2): unknown key; did you mean CLIENT_ID?"},
		"a transport with a typo":     {`"transport": {"typ": "http"}`, "mcpServers.a.transport.typ (line 2): unknown key; did you mean type?"},
		"a command with a typo":       {`"command": {"path": "x", "//": "a remark", "envs": {}}`, "mcpServers.a.command.envs (line 2): unknown key; did you mean env?"},
		"OAuth and Authorization":     {`"url": "https://x", "oauth": {"clientId": "c", "clientSecret": "${TOKEN}"}, "headers": {"authorization": "x"}`, "oauth sets the header Authorization as well"},
		"private_key_jwt without key": {`"url": "https://x", "oauth": {"clientId": "c", "clientSecret": "${TOKEN}", "tokenEndpointAuthMethod": "private_key_jwt"}`, "privateKeyFile: Required value"},
		"no file of the key":          {`"url": "https://x", "oauth": {"clientId": "c", "privateKeyFile": "/no/such/key.pem"}`, "stat: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			file := strings.TrimSuffix(one(tc.keys), "}") + `, "inputs": [{"id": "key", "description": "the key of x", "password": true}]}`
			c := parsed(t, file)
			_, err := c.Find("a")
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, not %q", err, tc.says)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "abc") || strings.Contains(err.Error(), "/no/such")) {
				t.Errorf("it tells a secret, or a path: %v", err)
			}
		})
	}
}

func TestOneBadServerLeavesTheOthersAsTheyAre(t *testing.T) {
	c := parsed(t, `{"mcpServers": {"bad": {"command": "x", "env": {"T": "${NOT_SET}"}}, "off": {"command": "x", "disabled": true}, "good": {"command": "y"}}}`)
	if name, err := c.Find("good"); err != nil || name != "good" {
		t.Errorf("the good one: %q, %v", name, err)
	}
	if _, err := c.Find("off"); err == nil || err.Error() != `MCP server "off" is not available: it is disabled in the --mcp-config file` {
		t.Errorf("the disabled one: %v", err)
	}
	if _, err := c.Find(""); err == nil || !strings.Contains(err.Error(), "there are several: bad, good, off") {
		t.Errorf("no name: %v", err)
	}
	if _, err := c.Find("none"); err == nil || !strings.Contains(err.Error(), `Not found: "none"`) {
		t.Errorf("another name: %v", err)
	}
	twice := parsed(t, `{"servers": {"a": {"command": "x"}, "a": {"command": "y"}}}`)
	if _, err := twice.Find("a"); err == nil || !strings.Contains(err.Error(), "a server of this name twice") {
		t.Errorf("a name that is there twice: %v", err)
	}
}

func TestLoadFindsTheProjectAboveAnEditorsFolder(t *testing.T) {
	project := t.TempDir()
	for _, folder := range []string{"", ".vscode", ".kiro/settings"} {
		dir := filepath.Join(project, folder)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "mcp.json")
		if err := os.WriteFile(path, []byte(`{"servers": {"a": {"command": "x", "cwd": "${workspaceFolder}/sub"}}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Servers["a"].Cwd; got != filepath.Join(project, "sub") {
			t.Errorf("%s: %s", folder, got)
		}
	}
	big := filepath.Join(project, "big.json")
	if err := os.WriteFile(big, []byte(strings.Repeat(" ", maxFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(big); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("a file that is too big: %v", err)
	}
}

func TestWhatIsASecret(t *testing.T) {
	for name, want := range map[string]bool{
		"GITHUB_TOKEN": true, "API_KEY": true, "apiKey": true, "OPENAI_API_KEY": true, "DB_PASSWORD": true, "PGPASS": false, "DB_PASS": true, "KEY": true,
		"SENTRY_DSN": true, "GITHUB_PAT": true, "AWS_SECRET_ACCESS_KEY": true, "NPM_CONFIG_REGISTRY": false, "PATH": false, "LOG_LEVEL": false, "KEYBOARD": false, "AUTHOR": false,
	} {
		if got := len(Server{Env: map[string]string{name: "value"}}.Secrets()) == 1; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	s := Server{
		URL: "https://x/mcp?key=in-the-url&lang=english", Headers: map[string]string{"Authorization": "Bearer in-a-header", "Accept-Language": "a-language", "X-Api-Key": "a-key"},
		OAuth: &OAuth{ClientSecret: "of-oauth"}, Env: map[string]string{"DATABASE_URL": "postgres://ada:of-the-url@db/x"}, Referred: []string{"in-args"},
	}
	credentials := []string{"Bearer in-a-header", "a-key", "in-a-header", "in-args", "in-the-url", "of-oauth", "of-the-url"}
	set := func(values []string) []string {
		slices.Sort(values)
		return slices.DeleteFunc(slices.Compact(values), func(value string) bool { return value == "" })
	}
	if diff := cmp.Diff(credentials, set(s.Credentials())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(set(append(credentials, "a-language", "english")), set(s.Secrets())); diff != "" {
		t.Error(diff)
	}
}

func TestVariablesOfAFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		".env":  "\xef\xbb\xbf# ours\r\nexport A=\"from the file\"\r\nB=\"two words\"\nC=\n",
		"bad":   "A=1\nhunter2 is no line\n",
		"large": "A=" + strings.Repeat("x", maxFile),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := around()
	s.Workspace = dir
	read := func(keys string) Server {
		c, err := Parse([]byte(one(keys)), s)
		if err != nil {
			t.Fatal(err)
		}
		return c.Servers["a"]
	}
	got := read(`"command": "x", "env": {"A": "from env"}, "envFile": "${workspaceFolder}/.env"`)
	if diff := cmp.Diff(map[string]string{"A": "from env", "B": "two words", "C": ""}, got.Env); diff != "" || got.Unusable() != "" {
		t.Errorf("env (-want +got):\n%s\n%s", diff, got.Unusable())
	}
	for name, tc := range map[string]struct{ keys, says string }{
		"no such file":  {`"command": "x", "envFile": "${workspaceFolder}/none"`, "mcpServers.a.envFile (line 2): stat: no such file or directory"},
		"no such lines": {`"command": "x", "envFile": "${workspaceFolder}/bad"`, "the file is not made of at most 1000 lines NAME=VALUE"},
		"too large":     {`"command": "x", "envFile": "${workspaceFolder}/large"`, "it must be a file of at most 1048576 bytes"},
		"a folder":      {`"command": "x", "envFile": "${workspaceFolder}"`, "it must be a file"},
		"for a url":     {`"url": "https://x", "envFile": "${workspaceFolder}/.env"`, "mcpServers.a.envFile (line 2): it is for programs"},
	} {
		if why := read(tc.keys).Unusable(); !strings.Contains(why, tc.says) || strings.Contains(why, "hunter2") || strings.Contains(why, dir) {
			t.Errorf("%s: %q, not %q", name, why, tc.says)
		}
	}
}

func TestAddressHidesTheQuery(t *testing.T) {
	s := parsed(t, one(`"url": "https://x/mcp?key=${TOKEN}"`)).Servers["a"]
	if got := s.Redact(`Post "https://x/mcp?key=abc": refused`); got != `Post "https://x/mcp?…": refused` {
		t.Error(got)
	}
}

// TestAFileFullOfMistakesIsReadInNoTime, and the messages stay short.
func TestAFileFullOfMistakesIsReadInNoTime(t *testing.T) {
	var keys strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&keys, "\"k%d\": 1,\n", i)
	}
	fmt.Fprintf(&keys, "%q: 1", strings.Repeat("x", 100_000))
	why := parsed(t, one(keys.String())).Servers["a"].Unusable()
	if len(why) > 20_000 || !strings.Contains(why, "and there is more") {
		t.Errorf("%d bytes: %.200s", len(why), why)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(one(`"command": "x", "args": ["${A:-b}"], "env": {"B": "~/"}`))
	f.Add(`{"inputs": [1], "mcp": {"allowed": 3, "servers": {"a": {"url": "http://x", "oauth": {"scopes": [null]}}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text), around())
		if err != nil {
			return
		}
		for name := range c.Servers {
			if found, err := c.Find(name); err == nil && found != name && name != "" {
				t.Errorf("%q is found as %q", name, found)
			}
		}
	})
}
