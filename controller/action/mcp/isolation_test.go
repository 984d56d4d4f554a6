package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// attemptIn is an attempt of a workspace's job.
func attemptIn(workspace string, build *v1.BuildAction) action.Attempt {
	a := attempt(build)
	a.Job.Namespace, a.ID = workspace, workspace+"-1"
	return a
}

// text is what a call in a workspace answers; the call must succeed.
func text(t *testing.T, r *mcp.Runner, workspace string, build *v1.BuildAction) string {
	t.Helper()
	rec := newRecorder()
	out := r.Run(t.Context(), attemptIn(workspace, build), rec)
	if out.Verdict != action.Succeeded {
		t.Fatalf("%s: %s: %+v\n%s", workspace, build.Action, out, strings.Join(rec.lines, "\n"))
	}
	lines := slices.DeleteFunc(rec.lines, func(line string) bool { return !strings.HasPrefix(line, string(action.Content)) })
	return strings.Join(lines, "\n")
}

// TestWorkspacesShareNoSession, but with a server that the operator calls shared.
func TestWorkspacesShareNoSession(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]bool{"each workspace has its own process": false, "a shared server has one for all": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := self(t, "raw:")
			server.Shared = shared
			r := newRunner(t, map[string]mcp.Server{"raw": server})
			pid := &v1.BuildAction{Action: "pid"}
			acme, rival := text(t, r, "acme", pid), text(t, r, "rival", pid)
			if (acme == rival) != shared {
				t.Errorf("acme %q, rival %q; the same: %t", acme, rival, shared)
			}
			if again := text(t, r, "acme", pid); again != acme {
				t.Errorf("acme's second call %q, its first %q", again, acme)
			}
			nothingLeft(t, r)
		})
	}
}

// TestWorkspacesShareNoSessionOverHTTP: the server sees a session id for each.
func TestWorkspacesShareNoSessionOverHTTP(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]string{} // by tool argument
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server {
		server := sdk.NewServer(&sdk.Implementation{Name: "fake", Version: "1"}, nil)
		server.AddTool(&sdk.Tool{Name: "who", InputSchema: json.RawMessage(`{"type":"object"}`)}, func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			mu.Lock()
			defer mu.Unlock()
			seen[string(r.Params.Arguments)] = r.Session.ID()
			return &sdk.CallToolResult{}, nil
		})
		return server
	}, nil)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r := newRunner(t, map[string]mcp.Server{"web": {Type: "http", URL: server.URL}})
	for _, workspace := range []string{"acme", "rival", "acme"} {
		text(t, r, workspace, call(t, "who", map[string]any{"workspace": workspace}))
	}
	r.Close()
	if len(seen) != 2 || seen[`{"workspace":"acme"}`] == seen[`{"workspace":"rival"}`] || seen[`{"workspace":"acme"}`] == "" {
		t.Errorf("sessions %v", seen)
	}
}

// TestAProgramRunsOncePerWorkspace: eight calls at once get one after another what one
// process has to give.
func TestAProgramRunsOncePerWorkspace(t *testing.T) {
	r := newRunner(t, raw(t, ""))
	pids := sync.Map{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { pids.Store(text(t, r, "acme", &v1.BuildAction{Action: "pid"}), true) })
	}
	all.Wait()
	n := 0
	pids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d processes", n)
	}
	nothingLeft(t, r)
}

// TestNoMoreProcessesThanAllowed: three workspaces call by turns over two processes.
func TestNoMoreProcessesThanAllowed(t *testing.T) {
	r := newRunner(t, raw(t, ""), func(o *mcp.Options) { o.MaxProcesses = 2 })
	for range 2 {
		for _, workspace := range []string{"acme", "rival", "third"} {
			text(t, r, workspace, &v1.BuildAction{Action: "pid"})
			open := 0
			for _, s := range r.Servers() {
				open += s.Starting + s.Calling + s.Idle
			}
			if open > 2 {
				t.Errorf("%d processes", open)
			}
		}
	}
	nothingLeft(t, r)
}

// TestPlaywrightShowsNoPageOfAnotherWorkspace has a browser of its own for each workspace.
func TestPlaywrightShowsNoPageOfAnotherWorkspace(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatal("needs chromium")
		}
		t.Skip("needs chromium")
	}
	server := npmServer(t, "@playwright/mcp/cli.js", "--isolated", "--headless", "--no-sandbox", "--executable-path", browser, "--output-dir", t.TempDir())
	r := newRunner(t, map[string]mcp.Server{"playwright": server})
	text(t, r, "acme", call(t, "browser_navigate", map[string]any{"url": "data:text/html,<title>payroll</title><h1>payroll of acme</h1>"}))
	if got := text(t, r, "rival", call(t, "browser_snapshot", nil)); strings.Contains(got, "payroll") {
		t.Errorf("rival sees %s", got)
	}
	if got := text(t, r, "acme", call(t, "browser_snapshot", nil)); !strings.Contains(got, "payroll of acme") {
		t.Errorf("acme's second job sees another browser: %s", got)
	}
	nothingLeft(t, r)
}

// TestTheGitServerForgetsNothingIntoAnotherWorkspace: the working directory that a job of
// one workspace sets is no other's.
func TestTheGitServerForgetsNothingIntoAnotherWorkspace(t *testing.T) {
	server := npmServer(t, "@cyanheads/git-mcp-server/dist/index.js")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	project := filepath.Join(dir, "secret-project")
	repository(t, project)
	server.Env = map[string]string{"MCP_LOG_LEVEL": "error", "GIT_BASE_DIR": dir, "GIT_CONFIG_GLOBAL": filepath.Join(dir, "none"), "LOGS_DIR": filepath.Join(dir, "logs")}
	r := newRunner(t, map[string]mcp.Server{"git": server})
	text(t, r, "acme", call(t, "git_set_working_dir", map[string]any{"path": project}))
	if got := text(t, r, "acme", call(t, "git_status", map[string]any{"path": "."})); !strings.Contains(got, "a.txt") {
		t.Errorf("acme's second job does not know the directory: %s", got)
	}
	rec := newRecorder()
	out := r.Run(t.Context(), attemptIn("rival", call(t, "git_status", map[string]any{"path": "."})), rec)
	if out.Verdict == action.Succeeded || strings.Contains(strings.Join(rec.lines, "\n"), "a.txt") {
		t.Errorf("rival: %+v\n%s", out, strings.Join(rec.lines, "\n"))
	}
	nothingLeft(t, r)
}

// TestTheMemoryServerLosesNothing: 60 entities, eight at once, are 60 in the file.
func TestTheMemoryServerLosesNothing(t *testing.T) {
	const entities, atOnce = 60, 8
	file := filepath.Join(t.TempDir(), "memory.json")
	server := npmServer(t, "@modelcontextprotocol/server-memory/dist/index.js")
	server.Env = map[string]string{"MEMORY_FILE_PATH": file}
	r := newRunner(t, map[string]mcp.Server{"memory": server})
	var all sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i := range entities {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			text(t, r, "acme", call(t, "create_entities", map[string]any{"entities": []any{
				map[string]any{"name": fmt.Sprint("entity-", i), "entityType": "thing", "observations": []string{"seen"}},
			}}))
		})
	}
	all.Wait()
	data, err := os.ReadFile(file)
	if n := strings.Count(string(data), `"entity-`); n != entities || err != nil {
		t.Errorf("%d entities in the file, want %d; %v", n, entities, err)
	}
	nothingLeft(t, r)
}
