package mcp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// servedOverHTTP is a server's description in the operator's file.
func servedOverHTTP(t *testing.T, server *sdk.Server) mcp.Server {
	t.Helper()
	listening := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil))
	t.Cleanup(func() {
		listening.CloseClientConnections()
		listening.Close()
	})
	return mcp.Server{Type: "http", URL: listening.URL}
}

// plannedServer has a tool that must not be called, and previews of each kind for it.
func plannedServer(t *testing.T) *sdk.Server {
	t.Helper()
	server := sdk.NewServer(&sdk.Implementation{Name: "planned", Version: "1"}, nil)
	schema := json.RawMessage(`{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"variables":{"type":"object","properties":{"N":{"type":"integer"}}}}}`)
	add := func(name string, marked bool, handler sdk.ToolHandler) {
		server.AddTool(&sdk.Tool{Name: name, InputSchema: schema, Annotations: &sdk.ToolAnnotations{ReadOnlyHint: marked}}, handler)
	}
	never := func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		t.Errorf("tool %s was called", r.Params.Name)
		return &sdk.CallToolResult{}, nil
	}
	answer := func(text, structured string, failed bool) sdk.ToolHandler {
		return func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			result := &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}, IsError: failed}
			if structured != "" {
				result.StructuredContent = json.RawMessage(structured)
			}
			return result, nil
		}
	}
	add("apply", false, never)
	add("unmarked", false, never)
	add("files", true, answer("", `{"files":[{"path":"a","status":"created","bytes":3},{"path":"b","status":"overwritten"},{"path":"c","status":"unchanged"},{"path":"d","status":"deleted"},{"status":"created"}]}`, false))
	add("changes", true, answer("", `{"changes":[{"verb":"Recreate","kind":"pod","name":"x","detail":"why"},{"verb":"Explode","kind":"pod","name":"y"}]}`, false))
	add("refuses", true, answer("", `{"files":[{"path":"b","status":"overwritten"}],"problems":["b is there; set force"]}`, false))
	add("words", true, answer("it would write a", `["some","list"]`, false))
	add("fails", true, answer("id: unknown", "", true))
	add("invalid", true, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "id is odd"}
	})
	add("breaks", true, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return nil, &jsonrpc.Error{Code: -32050, Message: "not today"}
	})
	server.AddTool(&sdk.Tool{
		Name: "other-arguments", Annotations: &sdk.ToolAnnotations{ReadOnlyHint: true},
		InputSchema: json.RawMessage(`{"type":"object","required":["path"]}`),
	}, never)
	return server
}

func TestPlan(t *testing.T) {
	remote := servedOverHTTP(t, plannedServer(t))
	build := func(change func(*v1.BuildAction)) *v1.BuildAction {
		b := &v1.BuildAction{Action: "apply", ID: "x"}
		if change != nil {
			change(b)
		}
		return b
	}
	call := func(detail string) v1.PlanChange {
		return v1.PlanChange{Verb: v1.PlanCall, Kind: "tool", Name: "remote/apply", Detail: `with {"id":"x"}` + detail}
	}
	valid := func(changes ...v1.PlanChange) *v1.Plan { return &v1.Plan{Valid: true, Changes: changes} }
	for name, tc := range map[string]struct {
		preview string
		build   *v1.BuildAction
		want    *v1.Plan
		err     string
	}{
		"no preview":      {build: build(nil), want: valid(call(""))},
		"no payload":      {want: &v1.Plan{Problems: []string{"spec.build: Required value"}}},
		"no such server":  {build: build(func(b *v1.BuildAction) { b.Server = "x" }), want: &v1.Plan{Problems: []string{`spec.build.server: Not found: "x": the --mcp-config file has: remote`}}},
		"wrong arguments": {build: build(func(b *v1.BuildAction) { b.ID, b.Variables = "", map[string]v1.JSON{"N": {Raw: []byte(`"1"`)}} }), want: &v1.Plan{Problems: []string{"spec.build.id: Required value", `spec.build.variables.N: Invalid value: "1": must be an integer, not a string`}}},
		"no such tool": {build: build(func(b *v1.BuildAction) { b.Action = "none" }), want: &v1.Plan{Problems: []string{
			`spec.build.action: Not found: "none": MCP server "remote" has the tools apply, breaks, changes, fails, files, invalid, other-arguments, refuses, unmarked, words`,
		}}},
		"files": {preview: "files", build: build(nil), want: valid(
			call(""),
			v1.PlanChange{Verb: v1.PlanCreate, Kind: "file", Name: "a", Detail: "created, 3 bytes"},
			v1.PlanChange{Verb: v1.PlanActionUpdate, Kind: "file", Name: "b", Detail: "overwritten"},
			v1.PlanChange{Verb: v1.PlanKeep, Kind: "file", Name: "c", Detail: "unchanged"},
			v1.PlanChange{Verb: v1.PlanRemove, Kind: "file", Name: "d", Detail: "deleted"},
		)},
		"changes": {preview: "changes", build: build(nil), want: valid(call(""), v1.PlanChange{Verb: v1.PlanRecreate, Kind: "pod", Name: "x", Detail: "why"})},
		"the tool would refuse": {preview: "refuses", build: build(nil), want: &v1.Plan{Problems: []string{"b is there; set force"}, Changes: []v1.PlanChange{
			call(""), {Verb: v1.PlanActionUpdate, Kind: "file", Name: "b", Detail: "overwritten"},
		}}},
		"words alone":              {preview: "words", build: build(nil), want: valid(call("\nit would write a"))},
		"the preview fails":        {preview: "fails", build: build(nil), want: &v1.Plan{Problems: []string{"spec.build: id: unknown"}}},
		"it refuses the arguments": {preview: "invalid", build: build(nil), want: &v1.Plan{Problems: []string{"spec.build: the preview invalid refuses the arguments: id is odd"}}},
		"it is broken":             {preview: "breaks", build: build(nil), err: `MCP server "remote" refused the call of the preview breaks: not today (JSON-RPC error -32050)`},
		"it is not marked":         {preview: "unmarked", build: build(nil), want: valid(call("\nthe --mcp-config file names tool unmarked as its preview, which is not called: the server does not mark it read-only (readOnlyHint)"))},
		"it is not there":          {preview: "none", build: build(nil), want: valid(call("\nthe --mcp-config file names tool none as its preview, which MCP server \"remote\" does not have"))},
		"it takes other arguments": {preview: "other-arguments", build: build(nil), want: valid(call("\nits preview other-arguments does not take these arguments: spec.build.arguments.path: Required value"))},
		"another tool's preview":   {preview: "files", build: build(func(b *v1.BuildAction) { b.Action = "unmarked" }), want: valid(v1.PlanChange{Verb: v1.PlanCall, Kind: "tool", Name: "remote/unmarked", Detail: `with {"id":"x"}`})},
	} {
		t.Run(name, func(t *testing.T) {
			server := remote
			if tc.preview != "" {
				server.Plan = map[string]string{"apply": tc.preview}
			}
			planner := newRunner(t, map[string]mcp.Server{"remote": server})
			got, err := planner.Plan(t.Context(), attempt(tc.build).Job)
			if tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Errorf("error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPlanOfAServerThatIsNotThereIsAnError(t *testing.T) {
	r := newRunner(t, map[string]mcp.Server{"bad": self(t, "no-start")})
	if plan, err := r.Plan(t.Context(), attempt(&v1.BuildAction{Action: "ok"}).Job); err == nil || !strings.Contains(err.Error(), "no licence found") {
		t.Errorf("plan %+v, %v", plan, err)
	}
}

// TestBuildersPlanWhatTheyBuild plans, builds and plans again: preview_apply is the plan,
// apply_builder the build.
func TestBuildersPlanWhatTheyBuild(t *testing.T) {
	dir := t.TempDir()
	bin, root := filepath.Join(dir, "builders-mcp"), filepath.Join(dir, "app")
	if out, err := exec.Command("go", "build", "-o", bin, "jobwright.dev/cmd/builders-mcp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := newRunner(t, map[string]mcp.Server{"builders": {
		Type: "stdio", Command: bin, Args: []string{"--root", root}, Plan: map[string]string{"apply_builder": "preview_apply"},
	}})
	route := func(name string) action.Attempt {
		return attempt(&v1.BuildAction{Action: "apply_builder", ID: "nextjs-api-route", Variables: map[string]v1.JSON{"ROUTE_NAME": {Raw: []byte(name)}}})
	}
	files := []string{"app/api/health/route.test.ts", "app/api/health/route.ts", "app/api/health/schema.ts"}
	planned := func(verb v1.PlanVerb) *v1.Plan {
		t.Helper()
		plan, err := r.Plan(t.Context(), route(`"health"`).Job)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range files {
			if len(plan.Changes) != 4 || plan.Changes[i+1].Name != name || plan.Changes[i+1].Verb != verb {
				t.Errorf("plan %+v, want %s of %v", plan, verb, files)
			}
		}
		return plan
	}
	planned(v1.PlanCreate)
	if entries, err := os.ReadDir(root); err != nil || len(entries) > 0 {
		t.Fatalf("a plan wrote %v, %v", entries, err)
	}
	out := r.Run(t.Context(), route(`"health"`), newRecorder())
	var result struct {
		Files []struct {
			Path   string
			Bytes  int
			Status string
		}
	}
	if out.Verdict != action.Succeeded || json.Unmarshal(out.Result.Raw, &result) != nil || len(result.Files) != 3 || result.Files[0].Status != "created" || result.Files[0].Bytes == 0 {
		t.Fatalf("outcome %+v, result %s", out, out.Result.Raw)
	}
	planned(v1.PlanKeep)
	if err := os.WriteFile(filepath.Join(root, "app/api/health/route.ts"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := r.Plan(t.Context(), route(`"health"`).Job)
	if err != nil || plan.Valid || len(plan.Problems) != 1 || !strings.Contains(plan.Problems[0], "set force to overwrite") {
		t.Errorf("a file that is there: %+v, %v", plan, err)
	}
	if plan, err = r.Plan(t.Context(), route(`7.5`).Job); err != nil || plan.Valid || !strings.Contains(plan.Problems[0], "ROUTE_NAME") {
		t.Errorf("a bad name: %+v, %v", plan, err)
	}
	if plan, err = r.Plan(t.Context(), route(`[]`).Job); err != nil || plan.Valid || !strings.HasPrefix(plan.Problems[0], "spec.build.variables.ROUTE_NAME: Invalid value: []: must be a string or a number or a boolean, not a list") {
		t.Errorf("a list as a name: %+v, %v", plan, err)
	}
}
