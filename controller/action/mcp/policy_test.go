package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/mcp/config"
)

// askingServer has a tool for each thing that a server may ask its client for, and answers
// with what it was told.
func askingServer() *sdk.Server {
	server := sdk.NewServer(&sdk.Implementation{Name: "asking", Version: "1"}, nil)
	text := func(s string) *sdk.CallToolResult {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: s}}}
	}
	add := func(name string, ask func(context.Context, *sdk.CallToolRequest) *sdk.CallToolResult) {
		server.AddTool(&sdk.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)},
			func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
				return ask(ctx, r), nil
			})
	}
	// Since 2026-07-28 a tool asks with its result.
	add("asks-for-roots", func(_ context.Context, r *sdk.CallToolRequest) *sdk.CallToolResult {
		if told, ok := r.Params.InputResponses["q"].(*sdk.ListRootsResult); ok {
			var uris []string
			for _, root := range told.Roots {
				uris = append(uris, root.URI)
			}
			return text("roots: " + strings.Join(uris, " "))
		}
		return &sdk.CallToolResult{InputRequests: sdk.InputRequestMap{"q": &sdk.ListRootsParams{}}}
	})
	add("asks-a-person", func(_ context.Context, r *sdk.CallToolRequest) *sdk.CallToolResult {
		if told, ok := r.Params.InputResponses["q"].(*sdk.ElicitResult); ok {
			return text("person: " + told.Action)
		}
		return &sdk.CallToolResult{InputRequests: sdk.InputRequestMap{"q": &sdk.ElicitParams{Message: "Which one?"}}}
	})
	add("asks-with-a-form", func(_ context.Context, r *sdk.CallToolRequest) *sdk.CallToolResult {
		if told, ok := r.Params.InputResponses["q"].(*sdk.ElicitResult); ok {
			return text(fmt.Sprint("form: ", told.Action, " ", told.Content))
		}
		return &sdk.CallToolResult{InputRequests: sdk.InputRequestMap{"q": &sdk.ElicitParams{Message: "Where to?", RequestedSchema: json.RawMessage(
			`{"type":"object","required":["env"],"properties":{"env":{"type":"string"},"size":{"type":"integer","default":3}}}`)}}}
	})
	add("asks-a-model", func(context.Context, *sdk.CallToolRequest) *sdk.CallToolResult {
		return &sdk.CallToolResult{InputRequests: sdk.InputRequestMap{"q": &sdk.CreateMessageParams{MaxTokens: 1}}}
	})
	add("asks-for-ever", func(context.Context, *sdk.CallToolRequest) *sdk.CallToolResult {
		return &sdk.CallToolResult{InputRequests: sdk.InputRequestMap{"q": &sdk.ElicitParams{Message: "And now?"}}}
	})
	return server
}

func TestAServerThatAsksGetsAnAnswer(t *testing.T) {
	server := askingServer()
	listening := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{Stateless: true}))
	t.Cleanup(func() {
		listening.CloseClientConnections()
		listening.Close()
	})
	root := filepath.Join(t.TempDir(), "a b")
	for name, tc := range map[string]struct {
		tool     string
		roots    []string
		verdict  action.Verdict
		says, in string // in the answer or the message; in the log
	}{
		"no roots":     {"asks-for-roots", nil, action.Succeeded, `"roots:"`, "system: the server asked for its roots (roots/list); the --mcp-config file names 0"},
		"the roots":    {"asks-for-roots", []string{root}, action.Succeeded, strings.ReplaceAll(root, " ", "%20"), "system: the server asked for its roots (roots/list); the --mcp-config file names 1"},
		"nobody":       {"asks-a-person", nil, action.Succeeded, "person: decline", `system: the server asked a question (elicitation/create, "Which one?"); declined: the operator does not let it ask ("elicitation" in the --mcp-config file)`},
		"no model":     {"asks-a-model", nil, action.Failed, "declined", "system: the server asked for the answer of a language model (sampling/createMessage); declined: jobs have none"},
		"not for ever": {"asks-for-ever", nil, action.Failed, "it asked back 10 times", `system: the server asked a question (elicitation/create, "And now?"); declined: the operator does not let it ask ("elicitation" in the --mcp-config file)`},
	} {
		t.Run(name, func(t *testing.T) {
			rec := newRecorder()
			r := newRunner(t, map[string]mcp.Server{"asks": {Type: "http", URL: listening.URL, Roots: tc.roots}})
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: tc.tool}), rec)
			said := out.Message
			if out.Result != nil {
				said += string(out.Result.Raw)
			}
			if out.Verdict != tc.verdict || !strings.Contains(said, tc.says) {
				t.Errorf("outcome %+v, said %s", out, said)
			}
			if !rec.has(tc.in) {
				t.Errorf("the log lacks %q: %q", tc.in, rec.lines)
			}
		})
	}
}

// TestAQuestionIsAnsweredFromTheJob, and only by the job whose call it belongs to.
func TestAQuestionIsAnsweredFromTheJob(t *testing.T) {
	server := askingServer()
	listening := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{Stateless: true}))
	t.Cleanup(listening.Close)
	r := newRunner(t, map[string]mcp.Server{
		"asks":     {Type: "http", URL: listening.URL, Elicitation: config.ElicitationAnswers},
		"off":      {Type: "http", URL: listening.URL},
		"defaults": {Type: "http", URL: listening.URL, Elicitation: config.ElicitationDefaults},
	})
	t.Cleanup(r.Close)
	live := map[string]v1.JSON{"env": {Raw: json.RawMessage(`"live"`)}}
	for _, tc := range []struct {
		server  string
		answers map[string]v1.JSON
		says    string
	}{
		{"asks", live, `"form: accept map[env:live]"`},
		{"asks", nil, `"form: decline map[]"`}, // the session's last answers are not this job's
		{"defaults", live, `"form: accept map[env:live size:3]"`},
		{"defaults", nil, `"form: decline map[]"`},
		{"off", nil, `"form: decline map[]"`},
	} {
		out := r.Run(t.Context(), attempt(&v1.BuildAction{Server: tc.server, Action: "asks-with-a-form", Answers: tc.answers}), newRecorder())
		if out.Verdict != action.Succeeded || !strings.Contains(string(out.Result.Raw), tc.says) {
			t.Errorf("%s with %v: %+v", tc.server, tc.answers, out)
		}
	}
	for message, answers := range map[string]map[string]v1.JSON{
		"": live,
		"A question of the server was declined: spec.build.answers.env: Invalid value: 7: must be a string, not an integer: quote it: \"7\".": {"env": {Raw: json.RawMessage("7")}},
		"Not used, because no question asked for it: spec.build.answers.enf.":                                                                 {"env": live["env"], "enf": live["env"]},
	} {
		out := r.Run(t.Context(), attempt(&v1.BuildAction{Server: "asks", Action: "asks-with-a-form", Answers: answers}), newRecorder())
		if out.Verdict != action.Succeeded || out.Message != message {
			t.Errorf("with %v: %+v, want the message %q", answers, out, message)
		}
	}
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Server: "off", Action: "asks-with-a-form", Answers: live}), newRecorder())
	if out.Reason != v1.ReasonInvalidArguments || !strings.Contains(out.Message, `spec.build.answers: Forbidden: MCP server "off" is not allowed to ask`) {
		t.Errorf("answers for nobody: %+v", out)
	}
}
