package mcp_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// legacyServer speaks one version of the protocol over stdio, by hand. Its tool asks its
// client for all that a server may ask for, and answers with what it was told.
func legacyServer(version string) {
	send := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	var call json.RawMessage
	var told []string
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Result json.RawMessage `json:"result"`
			Error  json.RawMessage `json:"error"`
		}
		if json.Unmarshal(in.Bytes(), &m) != nil {
			os.Exit(8)
		}
		switch m.Method {
		case "initialize":
			send(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":%q,"capabilities":{"tools":{}},"serverInfo":{"name":"legacy","version":"1"}}}`, m.ID, version)
		case "tools/list":
			send(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"asks","inputSchema":{"type":"object"}}]}}`, m.ID)
		case "tools/call":
			call = m.ID
			send(`{"jsonrpc":"2.0","id":"s1","method":"roots/list"}`)
			send(`{"jsonrpc":"2.0","id":"s2","method":"sampling/createMessage","params":{"messages":[{"role":"user","content":{"type":"text","text":"hi"}}],"maxTokens":1}}`)
			send(`{"jsonrpc":"2.0","id":"s3","method":"elicitation/create","params":{"message":"Which one?","requestedSchema":{"type":"object","properties":{}}}}`)
			send(`{"jsonrpc":"2.0","id":"s4","method":"made/up"}`)
		case "":
			if told = append(told, strings.Trim(string(m.ID), `"`)+string(m.Result)+string(m.Error)); len(told) == 4 {
				text, err := json.Marshal(strings.Join(told, "\n"))
				if err != nil {
					os.Exit(9)
				}
				send(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":%s}]}}`, call, text)
			}
		default:
			if len(m.ID) > 0 {
				send(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`, m.ID)
			}
		}
	}
}

func TestEveryVersionOfTheProtocol(t *testing.T) {
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			rec := newRecorder()
			r := newRunner(t, map[string]mcp.Server{"legacy": self(t, "legacy:"+version)})
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "asks"}), rec)
			if out.Verdict != action.Succeeded {
				t.Fatalf("outcome %+v", out)
			}
			var result struct{ Text string }
			if err := json.Unmarshal(out.Result.Raw, &result); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`s1{"roots":[]}`, `"code":-1`, `"action":"decline"`, `"code":-32601`} {
				if !strings.Contains(result.Text, want) {
					t.Errorf("the server was told %s, which lacks %s", result.Text, want)
				}
			}
			if !rec.has("system: the server asked for the answer of a language model (sampling/createMessage); declined: jobs have none") {
				t.Errorf("the log says %q", rec.lines)
			}
		})
	}
}
