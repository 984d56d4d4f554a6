package mcp_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// everything is the program of the MCP project's own example server.
func everything(t *testing.T) string {
	t.Helper()
	return npmProgram(t, "@modelcontextprotocol/server-everything/dist/index.js")
}

func TestServerEverything(t *testing.T) {
	script := everything(t)
	r := newRunner(t, map[string]mcp.Server{"everything": {Type: "stdio", Command: "node", Args: []string{script}}})
	long := func(seconds string) *v1.BuildAction {
		return &v1.BuildAction{Action: "trigger-long-running-operation", Arguments: map[string]v1.JSON{"duration": {Raw: []byte(seconds)}, "steps": {Raw: []byte("4")}}}
	}
	t.Run("progress", func(t *testing.T) {
		rec := newRecorder()
		if out := r.Run(t.Context(), attempt(long("0.4")), rec); out.Verdict != action.Succeeded {
			t.Fatalf("outcome %+v", out)
		}
		told := slices.DeleteFunc(rec.pcts, func(pct int) bool { return pct < 0 }) // a step without a percentage
		if got := slices.Compact(told); !slices.Equal(got, []int{0, 25, 50, 75, 100}) {
			t.Errorf("progress %v", got)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		rec := newRecorder()
		ended := make(chan action.Outcome)
		go func() { ended <- r.Run(ctx, attempt(long("600")), rec) }()
		for step := range rec.steps {
			if step == "mcp:run" {
				break
			}
		}
		cancel()
		start := time.Now()
		if out := <-ended; out.Verdict != action.Stopped {
			t.Errorf("outcome %+v", out)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("a cancel took %s", took)
		}
	})
	t.Run("error", func(t *testing.T) {
		out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "get-resource-reference", Arguments: map[string]v1.JSON{
			"resourceType": {Raw: []byte(`"Text"`)}, "resourceId": {Raw: []byte("-1")},
		}}), newRecorder())
		if out.Verdict != action.Failed || out.Message == "" || !strings.Contains(strings.ToLower(out.Message), "resourceid") {
			t.Errorf("outcome %+v", out)
		}
		t.Log(out.Reason, out.Message)
	})
}

func TestBuilders(t *testing.T) {
	dir := t.TempDir()
	bin, root := filepath.Join(dir, "builders-mcp"), filepath.Join(dir, "app")
	if out, err := exec.Command("go", "build", "-o", bin, "jobwright.dev/cmd/builders-mcp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := newRunner(t, map[string]mcp.Server{"builders": {Type: "stdio", Command: bin, Args: []string{"--root", root}}})
	route := func(name string) *v1.BuildAction {
		return &v1.BuildAction{Action: "apply_builder", ID: "nextjs-api-route", Variables: map[string]v1.JSON{"ROUTE_NAME": {Raw: []byte(name)}}}
	}
	rec := newRecorder()
	out := r.Run(t.Context(), attempt(route(`"health"`)), rec)
	if out.Verdict != action.Succeeded || len(out.Artifacts) != 3 || !slices.Contains(rec.pcts, 100) {
		t.Fatalf("outcome %+v, progress %v", out, rec.pcts)
	}
	file := filepath.Join(root, "app/api/health/route.ts")
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if out = r.Run(t.Context(), attempt(route(`"../up"`)), newRecorder()); out.Reason != v1.ReasonToolError || !strings.Contains(out.Message, "ROUTE_NAME") {
		t.Errorf("a bad name: %+v", out)
	}
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out = r.Run(t.Context(), attempt(route(`"health"`)), newRecorder()); out.Reason != v1.ReasonToolError || !strings.Contains(out.Message, "force") {
		t.Errorf("a file that is there: %+v", out)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "mine" {
		t.Errorf("the file was touched: %q %v", data, err)
	}
}
