package mcp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/schema"
)

// TestSchemasOfServersFromNPM are all checked whole, and a tool that requires what it has
// defaults for is called without arguments.
func TestSchemasOfServersFromNPM(t *testing.T) {
	for name, tc := range map[string]struct {
		program string
		args    []string
		bare    string // a tool whose required fields have defaults
	}{
		"playwright":          {"@playwright/mcp/cli.js", []string{"--headless", "--isolated"}, "browser_console_messages"},
		"everything":          {"@modelcontextprotocol/server-everything/dist/index.js", nil, ""},
		"memory":              {"@modelcontextprotocol/server-memory/dist/index.js", nil, ""},
		"filesystem":          {"@modelcontextprotocol/server-filesystem/dist/index.js", []string{"."}, ""},
		"sequential thinking": {"@modelcontextprotocol/server-sequential-thinking/dist/index.js", nil, ""},
		"git":                 {"@cyanheads/git-mcp-server/dist/index.js", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := npmServer(t, tc.program, tc.args...)
			server.Env = map[string]string{"LOGS_DIR": t.TempDir()}
			tools, err := newRunner(t, map[string]mcp.Server{"npm": server}).Tools(t.Context(), "npm")
			if err != nil || len(tools) == 0 {
				t.Fatalf("tools %v, %v", tools, err)
			}
			for _, tool := range tools {
				for _, of := range []*v1.JSON{tool.InputSchema, tool.OutputSchema} {
					if of == nil {
						continue
					}
					prepared := schema.New(of.Raw)
					if len(prepared.Unchecked) > 0 {
						t.Errorf("%s: unchecked %q of %s", tool.Name, prepared.Unchecked, of.Raw)
					}
					empty := map[string]any{}
					if filled := prepared.Fill(empty); tool.Name == tc.bare && (len(filled) == 0 || prepared.Check(empty) != nil) {
						t.Errorf("%s: %v does not fit %s", tool.Name, empty, of.Raw)
					}
				}
			}
			if tc.bare != "" && !slices.ContainsFunc(tools, func(tool v1.MCPTool) bool { return tool.Name == tc.bare }) {
				t.Errorf("there is no tool %s any more", tc.bare)
			}
		})
	}
}

// TestASchemaThatIsWrongKeepsNoJobFromItsTool: what is wrong with it is said in the log,
// and the tool gets its arguments, with the defaults that it requires.
func TestASchemaThatIsWrongKeepsNoJobFromItsTool(t *testing.T) {
	server := sdk.NewServer(&sdk.Implementation{Name: "odd", Version: "1"}, nil)
	for name, input := range map[string]string{
		"mistyped":    `{"type":"object","properties":{"a":{"type":"strng"}}}`,
		"nullable":    `{"type":"object","properties":{"a":{"type":"string","nullable":true}}}`,
		"cents":       `{"type":"object","properties":{"a":{"type":"number","multipleOf":0.01}}}`,
		"default":     `{"type":"object","required":["type"],"properties":{"type":{"enum":["png","jpeg"],"default":"png"}}}`,
		"bad-default": `{"type":"object","required":["a"],"properties":{"a":{"type":"string","default":null}}}`,
		"misplaced":   `{"type":"object","properties":{"a":{"type":"integer"},"required":["a"]}}`,
		"remote":      `{"type":"object","properties":{"a":{"$ref":"https://example.org/a.json"}}}`,
		"either":      `{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]}`,
	} {
		server.AddTool(&sdk.Tool{Name: name, InputSchema: json.RawMessage(input)}, func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return &sdk.CallToolResult{StructuredContent: r.Params.Arguments}, nil
		})
	}
	listening := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil))
	t.Cleanup(listening.Close)
	r := newRunner(t, map[string]mcp.Server{"odd": {Type: config.TypeHTTP, URL: listening.URL}})
	t.Cleanup(r.Close)
	for name, tc := range map[string]struct {
		tool, argument string // the JSON of a; empty: none
		gets, logs     string
		refused        string
	}{
		"a type that there is none of":      {"mistyped", `1`, `{"a":1}`, `the input schema of tool mistyped is not checked at #/properties/a/type: "strng"`, ""},
		"null where OpenAPI allows it":      {"nullable", `null`, `{"a":null}`, "", ""},
		"cents":                             {"cents", `19.99`, `{"a":19.99}`, "", ""},
		"a field that is required":          {"default", ``, `{"type":"png"}`, `spec.build.arguments.type is not set; the tool requires it, and gets the default of its schema: "png"`, ""},
		"a reference that leads elsewhere":  {"remote", `1`, `{"a":1}`, "only references within the schema are followed", ""},
		"neither of two, at the top":        {"either", ``, "", "", "spec.build.arguments: Required value: a or b"},
		"one of two, at the top":            {"either", `1`, `{"a":1}`, "", ""},
		"what does not fit the rest of one": {"cents", `"x"`, "", "", `spec.build.arguments.a: Invalid value: "x": must be a number, not a string`},
	} {
		t.Run(name, func(t *testing.T) {
			build := &v1.BuildAction{Action: tc.tool}
			if tc.argument != "" {
				build.Arguments = map[string]v1.JSON{"a": {Raw: json.RawMessage(tc.argument)}}
			}
			rec := newRecorder()
			out := r.Run(t.Context(), attempt(build), rec)
			if tc.refused != "" {
				if out.Reason != v1.ReasonInvalidArguments || !strings.Contains(out.Message, tc.refused) {
					t.Errorf("outcome %+v", out)
				}
				return
			}
			if out.Verdict != action.Succeeded || string(out.Result.Raw) != tc.gets {
				t.Errorf("outcome %+v", out)
			}
			if log := strings.Join(rec.lines, "\n"); !strings.Contains(log, tc.logs) {
				t.Errorf("the log does not say %q:\n%s", tc.logs, log)
			}
		})
	}
}
