package mcp_test

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// npmProgram is the path of a program below the npm packages that .ci/run installs.
func npmProgram(t *testing.T, path string) string {
	t.Helper()
	script := filepath.Join(os.Getenv("JOBWRIGHT_TEST_NPM"), "node_modules", path)
	if _, err := os.Stat(script); err != nil {
		missing := "needs node and the npm package of " + path + " (.ci/run names its version), its folder in JOBWRIGHT_TEST_NPM"
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return script
}

// npmServer is a server over stdio out of an npm package.
func npmServer(t *testing.T, path string, args ...string) mcp.Server {
	t.Helper()
	return mcp.Server{Type: "stdio", Command: "node", Args: append([]string{npmProgram(t, path)}, args...)}
}

// call is a call of a tool with arguments.
func call(t *testing.T, tool string, arguments map[string]any) *v1.BuildAction {
	t.Helper()
	build := &v1.BuildAction{Action: tool, Arguments: map[string]v1.JSON{}}
	for name, value := range arguments {
		encoded, err := v1.NewJSON(value)
		if err != nil {
			t.Fatal(err)
		}
		build.Arguments[name] = encoded
	}
	return build
}

// TestServersFromNPM calls servers that others wrote as jobs.
func TestServersFromNPM(t *testing.T) {
	type step struct {
		tool      string
		arguments map[string]any
		reason    string // of its failure; empty: it succeeds
		says      string // in the result, or in the message of a failure
	}
	for name, tc := range map[string]struct {
		server func(t *testing.T, dir string) mcp.Server
		calls  func(dir string) []step
	}{
		"the filesystem server writes and reads a file and refuses one that is outside": {
			server: func(t *testing.T, dir string) mcp.Server {
				return npmServer(t, "@modelcontextprotocol/server-filesystem/dist/index.js", dir)
			},
			calls: func(dir string) []step {
				file := filepath.Join(dir, "notes.txt")
				return []step{
					{tool: "write_file", arguments: map[string]any{"path": file, "content": "grüße\n"}},
					{tool: "read_text_file", arguments: map[string]any{"path": file}, says: "grüße"},
					{tool: "read_text_file", arguments: map[string]any{"path": "/etc/hostname"}, reason: v1.ReasonToolError, says: "outside"},
					{tool: "write_file", arguments: map[string]any{"path": file}, reason: v1.ReasonInvalidArguments, says: "spec.build.arguments.content"},
				}
			},
		},
		"the sequential-thinking server counts its thoughts": {
			server: func(t *testing.T, _ string) mcp.Server {
				return npmServer(t, "@modelcontextprotocol/server-sequential-thinking/dist/index.js")
			},
			calls: func(string) []step {
				return []step{{tool: "sequentialthinking", arguments: map[string]any{
					"thought": "Measure first.", "nextThoughtNeeded": false, "thoughtNumber": 1, "totalThoughts": 1,
				}, says: `"thoughtHistoryLength":1`}}
			},
		},
		"the git server commits a file and shows the log": {
			server: func(t *testing.T, dir string) mcp.Server {
				server := npmServer(t, "@cyanheads/git-mcp-server/dist/index.js")
				server.Env = map[string]string{
					"MCP_LOG_LEVEL": "error", "GIT_BASE_DIR": dir, "GIT_CONFIG_GLOBAL": filepath.Join(dir, "none"), "LOGS_DIR": filepath.Join(dir, "logs"),
					"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com",
				}
				return server
			},
			calls: func(dir string) []step {
				repository := filepath.Join(dir, "project")
				return []step{
					{tool: "git_add", arguments: map[string]any{"path": repository, "paths": []string{"a.txt"}}},
					{tool: "git_commit", arguments: map[string]any{"path": repository, "message": "The first file"}},
					{tool: "git_log", arguments: map[string]any{"path": repository}, says: "The first file"},
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			repository(t, filepath.Join(dir, "project"))
			r := newRunner(t, map[string]mcp.Server{"npm": tc.server(t, dir)})
			for _, step := range tc.calls(dir) {
				rec := newRecorder()
				out := r.Run(t.Context(), attempt(call(t, step.tool, step.arguments)), rec)
				if (out.Verdict == action.Succeeded) != (step.reason == "") || out.Reason != step.reason {
					t.Fatalf("%s: %+v\n%s", step.tool, out, strings.Join(rec.lines, "\n"))
				}
				told := out.Message
				if out.Result != nil {
					var compact strings.Builder
					if err := json.NewEncoder(&compact).Encode(out.Result.Raw); err != nil {
						t.Fatal(err)
					}
					told = cmp.Or(told, compact.String())
				}
				if !strings.Contains(told, step.says) {
					t.Errorf("%s: %q does not say %q", step.tool, told, step.says)
				}
			}
		})
	}
}

// repository is a git repository with one file that is not committed.
func repository(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
