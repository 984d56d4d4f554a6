package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

// killed is a real server that a test kills and starts again over the same folder.
type killed struct {
	t       testing.TB
	bin     string
	dir     string
	address string
	flags   []string
	env     []string // of the server, beside the test's own
	overlay string   // for go build -overlay; empty: the product as it is
	cmd     *exec.Cmd
	log     serverLog
}

// serverLog is what a server writes while somebody may read it.
type serverLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *serverLog) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
}

// build builds the server, and what else a test runs, into k.bin: statically, so that it
// runs in a container of its own too.
func (k *killed) build(others ...string) {
	k.t.Helper()
	build := exec.CommandContext(k.t.Context(), "go", append([]string{"build", "-overlay=" + k.overlay, "-o", k.bin, "jobwright.dev/cmd/jobwright"}, others...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		k.t.Fatalf("%v\n%s", err, out)
	}
}

func (k *killed) start() {
	k.t.Helper()
	k.cmd = exec.Command(filepath.Join(k.bin, "jobwright"), append([]string{
		"serve", "--listen", k.address, "--data-dir", filepath.Join(k.dir, "data"),
		"--mcp-config", filepath.Join(k.dir, "mcp.json"), "--min-free-bytes=-1", "--shutdown-grace=100ms",
	}, k.flags...)...)
	k.cmd.Env = append(os.Environ(), k.env...)
	k.cmd.Stderr = &k.log
	if err := k.cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
}

// jobwright runs a client command, which waits for the server to come up by itself.
func (k *killed) jobwright(args ...string) string {
	k.t.Helper()
	cmd := exec.CommandContext(k.t.Context(), filepath.Join(k.bin, "jobwright"), args...)
	cmd.Env = append(os.Environ(), "JOBWRIGHT_SERVER=http://"+k.address, "JOBWRIGHT_CONFIG_DIR="+k.dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		k.t.Fatalf("jobwright %s: %v\n%s\n%s", strings.Join(args, " "), err, stderr.String(), k.log.String())
	}
	return stdout.String()
}

func (k *killed) ready() {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), time.Minute)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for range look.C {
		cmd := exec.CommandContext(ctx, filepath.Join(k.bin, "jobwright"), "get", "workspaces")
		cmd.Env = append(os.Environ(), "JOBWRIGHT_SERVER=http://"+k.address, "JOBWRIGHT_CONFIG_DIR="+k.dir)
		if cmd.Run() == nil {
			return
		}
		if ctx.Err() != nil {
			k.t.Fatalf("the server did not come up:\n%s", k.log.String())
		}
	}
}

func (k *killed) signal(s os.Signal) {
	k.t.Helper()
	if err := k.cmd.Process.Signal(s); err != nil {
		k.t.Fatal(err)
	}
}

// TestKillNineWhileABuildRuns kills the server with SIGKILL while an MCP server of a
// running build is at work: after the next start no process of it is left, the job is
// interrupted and run again, and what was queued and finished is still there.
func TestKillNineWhileABuildRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	k.build("jobwright.dev/cmd/builders-mcp")
	// The first server never answers its client, so the build that uses it is running
	// for as long as the test wants; it is a real process that only a signal ends.
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{
		"silent":   map[string]any{"command": "tail", "args": []string{"-f", "/dev/null"}},
		"builders": map[string]any{"command": filepath.Join(k.bin, "builders-mcp"), "args": []string{"--root", filepath.Join(k.dir, "app")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	k.start()
	k.ready()
	k.jobwright("run", "build", "apply_builder", "--server-name", "builders", "--id", "quota-check-lib", "--name", "done")
	// Nobody says that the tool may be called twice, so the job has to.
	stuck := filepath.Join(k.dir, "stuck.yaml")
	manifest := "apiVersion: jobwright.dev/v1\nkind: Job\nmetadata: {name: stuck}\nspec: {onInterruption: Rerun, build: {server: silent, action: any}}\n"
	if err := os.WriteFile(stuck, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	k.jobwright("apply", "-f", stuck)
	k.jobwright("wait", "--for=condition=Finished", "job/done")
	mark := workerMark(t, filepath.Join(k.dir, "data"))
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for k.jobwright("get", "job", "stuck", "-o", "jsonpath={.status.phase}") != "Running\n" || len(carriers(t, mark, "tail")) == 0 ||
		!strings.Contains(k.jobwright("events", "stuck"), "Started") {
		<-look.C
	}
	orphans := carriers(t, mark, "tail")
	if err := k.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = k.cmd.Wait() // killed, as asked
	// Without its server the build can only fail at once when it is run again.
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(`{"mcpServers":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	k.start()
	k.ready()
	for range look.C {
		if k.jobwright("get", "job", "stuck", "-o", "jsonpath={.status.phase}") == "Failed\n" {
			break
		}
	}
	got := k.jobwright("get", "job", "stuck", "-o", "jsonpath={.status.attempts} {.status.interruptions} {.status.reason}")
	if got != "2 1 InvalidArguments\n" {
		t.Errorf("attempts, interruptions, reason = %q, want 2 1 InvalidArguments", got)
	}
	for _, pid := range orphans {
		if _, err := os.Stat(fmt.Sprintf("/proc/%s/environ", pid)); err == nil && len(carriers(t, mark, "tail")) > 0 {
			t.Errorf("process %s of the killed server is still there", pid)
		}
	}
	if phase := k.jobwright("get", "job", "done", "-o", "jsonpath={.status.phase}"); phase != "Succeeded\n" {
		t.Errorf("the finished job is %s", phase)
	}
	// What was seen of the job's events before the kill is there, with what came after it.
	happened := k.jobwright("events", "stuck")
	for _, reason := range []string{"Queued", "Started", "Interrupted", "InvalidArguments"} {
		if !strings.Contains(happened, reason) {
			t.Errorf("the events of stuck lack %s:\n%s", reason, happened)
		}
	}
	// Those of a job that is deleted go with it.
	k.jobwright("run", "api-call", "--name", "gone")
	for !strings.Contains(k.jobwright("events", "gone"), "Recorded") {
		<-look.C
	}
	k.jobwright("delete", "job", "gone")
	for strings.Contains(k.jobwright("events", "gone"), "Recorded") {
		<-look.C
	}
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
	objects, err := os.ReadFile(filepath.Join(k.dir, "data", "jobs.json"))
	if err != nil || !bytes.Contains(objects, []byte(`"name":"stuck"`)) || !bytes.Contains(objects, []byte(`"name":"done"`)) {
		t.Errorf("jobs.json lacks a job: %v\n%s", err, objects)
	}
}

// workerMark is the identity that the processes of a data folder's worker carry.
func workerMark(t *testing.T, dataDir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dataDir, "worker-id"))
	if err != nil {
		t.Fatal(err)
	}
	worker, _, _ := strings.Cut(strings.TrimSpace(string(content)), " ")
	return "JOBWRIGHT_WORKER=" + worker
}

// carriers are the processes of a program that carry an identity.
func carriers(t *testing.T, mark, program string) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("identity is read from /proc: needs Linux")
	}
	var out []string
	for _, entry := range entries {
		env, envErr := os.ReadFile(filepath.Join("/proc", entry.Name(), "environ"))
		name, nameErr := os.ReadFile(filepath.Join("/proc", entry.Name(), "comm"))
		if envErr == nil && nameErr == nil && strings.TrimSpace(string(name)) == program && bytes.Contains(env, []byte(mark)) {
			out = append(out, entry.Name())
		}
	}
	return out
}
