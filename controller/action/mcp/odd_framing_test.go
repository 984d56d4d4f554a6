package mcp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestStdoutIsReadAsServersWriteIt: what the protocol wants is one JSON message a line.
func TestStdoutIsReadAsServersWriteIt(t *testing.T) {
	indented := func(text string) string {
		var out bytes.Buffer
		if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
			return err.Error()
		}
		return out.String() + "\n"
	}
	succeeds := check{verdict: action.Succeeded, result: `{"text":"done"}`}
	logs := func(line string) check {
		return check{verdict: action.Succeeded, result: `{"text":"done"}`, log: "stdout: " + line}
	}
	for name, tc := range map[string]struct {
		written func(string) string
		check
	}{
		"each with a byte order mark":            {func(m string) string { return "\ufeff" + m + "\n" }, succeeds},
		"line ends of Windows":                   {func(m string) string { return m + "\r\n" }, succeeds},
		"each over several lines":                {indented, succeeds},
		"over several lines, after words":        {func(m string) string { return "Debugger listening\n" + indented(m) }, logs("Debugger listening")},
		"words that begin as JSON does":          {func(m string) string { return "{ level: 'info' }\n" + m + "\n" }, logs("{ level: 'info' }")},
		"an object that never ends, then a word": {func(m string) string { return "{\n" + m + "\n" }, logs("{")},
		"a list of a logger":                     {func(m string) string { return "[INFO] ready\n" + m + "\n" }, logs("[INFO] ready")},
		"an empty line between":                  {func(m string) string { return "\n" + m + "\n\n" }, succeeds},
		"a batch":                                {func(m string) string { return "[" + m + "]\n" }, succeeds},
		"headers as language servers have": {
			func(m string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(m), m) },
			check{reason: v1.ReasonServerUnavailable, says: "it frames its messages with Content-Length headers"},
		},
		"such a header among words": {func(m string) string {
			if strings.Contains(m, "done") {
				return "Content-Length: 5\n" + m + "\n"
			}
			return m + "\n"
		}, logs("Content-Length: 5")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newRecorder()
			server := &scripted{written: func(m string) string {
				if m == "" {
					return ""
				}
				return tc.written(m)
			}}
			out := server.stdio(t).Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			tc.of(t, out, rec)
		})
	}
}

// TestListsOfTools are used as far as they can be read, and are bounded.
func TestListsOfTools(t *testing.T) {
	tool := func(rest string) string { return `{"name":"go"` + rest + `}` }
	page := func(tools, rest string) string {
		return `{"jsonrpc":"2.0","id":$id,"result":{"tools":[` + tools + `]` + rest + `}}`
	}
	odd := func(what string) check {
		return check{verdict: action.Succeeded, log: "system: MCP server scripted lists its tools otherwise than the protocol has it: " + what}
	}
	succeeds := check{verdict: action.Succeeded}
	for name, tc := range map[string]struct {
		list  string
		most  int // how often it is asked for
		check check
	}{
		"without a schema":                 {page(tool(""), ""), 1, succeeds},
		"a schema that is null":            {page(tool(`,"inputSchema":null`), ""), 1, succeeds},
		"a schema that is true":            {page(tool(`,"inputSchema":true`), ""), 1, succeeds},
		"a schema that is no object":       {page(tool(`,"inputSchema":{"anyOf":[{"type":"object"},{"type":"object"}]}`), ""), 1, succeeds},
		"a property whose schema is true":  {page(tool(`,"inputSchema":{"type":"object","properties":{"a":true}}`), ""), 1, succeeds},
		"required that is null":            {page(tool(`,"inputSchema":{"type":"object","properties":{},"required":null}`), ""), 1, succeeds},
		"required among the properties":    {page(tool(`,"inputSchema":{"type":"object","properties":{"coin":{"type":"string"},"required":["coin"]}}`), ""), 1, succeeds},
		"annotations of the wrong type":    {page(tool(`,"annotations":{"readOnlyHint":"yes"},"inputSchema":{"type":"object"}`), ""), 1, succeeds},
		"a tool that is none beside it":    {page(`null,17,{"description":"nameless"},`+tool(""), ""), 1, odd("tools[0] cannot be used: it has no name: null")},
		"one name twice":                   {page(tool(`,"inputSchema":{"required":["a"]}`)+","+tool(`,"inputSchema":{}`), ""), 1, odd(`it has tool "go" twice, with different schemas; its arguments are left to the server to check`)},
		"an empty cursor":                  {page(tool(""), `,"nextCursor":""`), 1, succeeds},
		"a cursor that is null":            {page(tool(""), `,"nextCursor":null`), 1, succeeds},
		"a cursor that does not advance":   {page(tool(""), `,"nextCursor":"8"`), 2, odd(`after page 2 it names a page that was there before (nextCursor "8"); the list ends there`)},
		"pages without end":                {page(tool("")+`,{"name":"t$cursor"}`, `,"nextCursor":"$cursor1"`), 1000, odd("it has more than 1000 pages; only so many were read")},
		"tools that are null":              {`{"jsonrpc":"2.0","id":$id,"result":{"tools":null}}`, 2, check{reason: v1.ReasonInvalidArguments, says: `MCP server "scripted" has no tools`}},
		"a list that is no list":           {`{"jsonrpc":"2.0","id":$id,"result":{"tools":{"go":{}}}}`, 2, check{reason: v1.ReasonInvalidArguments, says: `MCP server "scripted" has no tools`, log: `system: MCP server scripted lists its tools otherwise than the protocol has it: its tools are no list: {"go":{}}`}},
		"more than one message's worth":    {page(tool("")+`,{"name":"t$cursor","description":"`+strings.Repeat("d", 5<<20)+`"}`, `,"nextCursor":"$cursor1"`), 4, odd("it has more than 16 MiB; only 4 pages were read")},
		"a list of the tools as an object": {`{"jsonrpc":"2.0","id":$id,"result":[]}`, 2, check{reason: v1.ReasonInvalidArguments, says: `MCP server "scripted" has no tools`, log: "system: MCP server scripted lists its tools otherwise than the protocol has it: its list of tools is no object: []"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, rec := says("tools/list", tc.list), newRecorder()
			r := server.stdio(t)
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			tc.check.of(t, out, rec)
			_, what, _ := strings.Cut(tc.check.log, "otherwise than the protocol has it: ")
			if notes := strings.Join(r.Servers()[0].Notes, "\n"); !strings.HasPrefix(notes, what) || (notes == "") != (what == "") {
				t.Errorf("the server is shown with the notes %q, want %q", notes, what)
			}
			if n := server.count("tools/list"); n != tc.most {
				t.Errorf("the list was asked for %d times, want %d", n, tc.most)
			}
		})
	}
}
