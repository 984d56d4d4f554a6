package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobwright.dev/api/server/servertest"
)

// built is the folder of the binaries; empty until a test needs them.
var built string

// binaries builds jobwright and its demo MCP server once for all tests.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jobwright-web-test-")
	if err != nil {
		return "", err
	}
	built = dir
	out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "jobwright.dev/cmd/jobwright", "jobwright.dev/cmd/builders-mcp").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// server is a real jobwright with a data folder of its own.
type server struct {
	url  string
	root string // where the demo builders write

	args []string
	cmd  *exec.Cmd
	done chan error // closed when the process has ended and all it said is in log
	log  bytes.Buffer
}

// startServer starts the real binary on a free port; it ends with the test.
func startServer(t *testing.T) *server {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	servers := map[string]any{"builders": map[string]any{
		"command": filepath.Join(bin, "builders-mcp"), "args": []string{"--root", filepath.Join(dir, "app")},
	}}
	if everything := everythingServer(); everything != "" {
		servers["slow"] = map[string]any{"command": "node", "args": []string{everything, "stdio"}}
	}
	config, err := json.Marshal(map[string]any{"mcpServers": servers})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{root: filepath.Join(dir, "app")}
	mcp := filepath.Join(dir, "mcp.json")
	if err := os.MkdirAll(s.root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mcp, config, 0o644); err != nil {
		t.Fatal(err)
	}
	address := servertest.Address(t)
	s.url = "http://" + address
	s.args = []string{filepath.Join(bin, "jobwright"), "serve", "--listen", address, "--data-dir", filepath.Join(dir, "data"), "--mcp-config", mcp}
	s.start(t)
	t.Cleanup(func() {
		s.stop(t)
		if t.Failed() {
			t.Logf("the server said:\n%s", s.log.String())
		}
	})
	return s
}

// start starts the process and waits until it is ready.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan<- error) {
		done <- cmd.Wait()
		close(done)
	}(s.cmd, s.done)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for range look.C {
		select {
		case err := <-s.done:
			t.Fatalf("the server ended at once: %v\n%s", err, s.log.String())
		default:
		}
		r, err := http.Get(s.url + "/readyz")
		if err != nil {
			continue
		}
		_ = r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return
		}
	}
}

// stop ends the process as an operator does.
func (s *server) stop(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-s.done:
	case <-late.C:
		t.Errorf("the server did not end within %v of SIGTERM", patience)
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// create creates a job as any client of the seed's interface does.
func (s *server) create(t *testing.T, jobType string, payload map[string]any) string {
	t.Helper()
	return s.createIn(t, "default", jobType, payload)
}

func (s *server) createIn(t *testing.T, workspace, jobType string, payload map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"type": jobType, "payload": payload})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, s.url+"/api/jobs", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "active_workspace", Value: workspace})
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var created struct{ Result struct{ ID string } }
	if err := json.Unmarshal(text, &created); err != nil || answer.StatusCode != http.StatusAccepted {
		t.Fatalf("POST /api/jobs: %s %s", answer.Status, text)
	}
	return created.Result.ID
}

// wantFile checks that the builders have written a file with name in its path.
func (s *server) wantFile(t *testing.T, name string) {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(paths, "\n"), name) {
		t.Errorf("no file with %q in its path below the builders' root; there are: %v", name, paths)
	}
}

// wantCommand checks that a command line which the page offers is understood.
func (s *server) wantCommand(t *testing.T, line string) {
	t.Helper()
	args := append(strings.Fields(line)[1:], "--dry-run")
	if out, err := exec.Command(s.args[0], args...).CombinedOutput(); err != nil {
		t.Errorf("%s --dry-run: %v\n%s", line, err, out)
	}
}

// everythingServer is the MCP server of the npm package server-everything; empty
// when it is not there.
func everythingServer() string {
	modules := os.Getenv("JOBWRIGHT_TEST_NPM")
	path := filepath.Join(modules, "node_modules", "@modelcontextprotocol", "server-everything", "dist", "index.js")
	if _, err := os.Stat(path); modules == "" || err != nil {
		return ""
	}
	return path
}

// slowTool is a tool of the server "slow" that takes long and reports progress.
func (s *server) slowTool(t *testing.T) (action, arguments string) {
	t.Helper()
	if everythingServer() == "" {
		require(t, "no MCP server that is slow: npm install @modelcontextprotocol/server-everything in a folder and name it in JOBWRIGHT_TEST_NPM")
	}
	return "trigger-long-running-operation", `{"duration": 60, "steps": 60}`
}

// variables are those of a build as they are stored.
func (s *server) variables(t *testing.T, id string) string {
	t.Helper()
	r, err := http.Get(s.url + "/apis/jobwright.dev/v1/namespaces/default/jobs/" + id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var job struct {
		Spec struct {
			Build struct{ Variables json.RawMessage }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&job); err != nil {
		t.Fatal(err)
	}
	return string(job.Spec.Build.Variables)
}
