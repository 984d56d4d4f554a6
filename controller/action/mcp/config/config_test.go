package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobwright.dev/controller/action/mcp/config"
)

func TestLoadConfig(t *testing.T) {
	t.Setenv("TOKEN", "abc")
	for name, tc := range map[string]struct{ file, says string }{
		"good":            {`{"mcpServers":{"a":{"command":"bin/x","env":{"T":"$5 ${TOKEN}"},"shared":true,"sessions":3,"startTimeoutSeconds":300},"b":{"type":"http","url":"http://localhost/mcp"}}}`, ""},
		"no JSON":         {`{`, "unexpected end"},
		"no servers":      {`{}`, "mcpServers: Required value"},
		"no command":      {`{"mcpServers":{"a":{}}}`, "mcpServers.a.command: Required value"},
		"bad url":         {`{"mcpServers":{"a":{"url":"/mcp"}}}`, "mcpServers.a.url"},
		"bad type":        {`{"mcpServers":{"a":{"type":"sse"}}}`, `mcpServers.a.type: Unsupported value: "sse"`},
		"no certificates": {`{"mcpServers":{"a":{"url":"https://localhost/mcp","caFile":"/dev/null"}}}`, "mcpServers.a.caFile: /dev/null has no certificate in PEM"},
		"no such file":    {`{"mcpServers":{"a":{"url":"https://localhost/mcp","caFile":"/no/such/ca.pem"}}}`, "mcpServers.a.caFile: open /no/such/ca.pem"},
		"sessions":        {`{"mcpServers":{"a":{"command":"x","sessions":-1}}}`, "mcpServers.a.sessions: Invalid value: -1: must be 1 to 1000"},
		"start":           {`{"mcpServers":{"a":{"command":"x","startTimeoutSeconds":100000}}}`, "mcpServers.a.startTimeoutSeconds: Invalid value: 100000"},
		"unset reference": {`{"mcpServers":{"a":{"command":"x","env":{"T":"${NOT_SET_ANYWHERE}"}}}}`, "mcpServers.a.env.T: the environment variable NOT_SET_ANYWHERE"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mcp.json")
			if err := os.WriteFile(path, []byte(tc.file), 0o600); err != nil {
				t.Fatal(err)
			}
			loaded, err := config.Load(path)
			if tc.says != "" {
				if err == nil || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("error %v, not %q", err, tc.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			a := loaded.Servers["a"]
			if a.Env["T"] != "$5 abc" || !filepath.IsAbs(a.Command) || !a.Shared || a.Sessions != 3 || a.StartTimeoutSeconds != 300 {
				t.Errorf("server %+v", a)
			}
		})
	}
}
