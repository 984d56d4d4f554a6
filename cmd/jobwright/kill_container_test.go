package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobwright.dev/api/server/servertest"
	"jobwright.dev/controller/action/mcp/container"
)

// TestKillNineWhileAContainerWorks kills the real server while two MCP servers, each a docker
// run of a program that ignores the end of its input and SIGTERM, are at work. The containers
// survive the kill. The next start removes both before it calls a tool again: of the job that
// may be repeated one container runs, never two, and of the other one none.
func TestKillNineWhileAContainerWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	if out, err := exec.CommandContext(t.Context(), "docker", "info").CombinedOutput(); err != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatalf("needs a docker engine: %s", out)
		}
		t.Skip("needs a docker engine")
	}
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	k.build()
	image := stubbornImage(t, k.bin)
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"boxed": map[string]any{"command": "docker", "args": []string{"run", "-i", "--rm", image}}}})
	if err != nil {
		t.Fatal(err)
	}
	const jobs = `apiVersion: jobwright.dev/v1
kind: Job
metadata: {name: again}
spec: {onInterruption: Rerun, build: {server: boxed, action: hangs}}
---
apiVersion: jobwright.dev/v1
kind: Job
metadata: {name: once}
spec: {build: {server: boxed, action: hangs, session: of-its-own}}
`
	for name, text := range map[string]string{"mcp.json": string(config), "jobs.yaml": jobs} {
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.start()
	k.ready()
	k.jobwright("apply", "-f", filepath.Join(k.dir, "jobs.yaml"))
	worker := strings.TrimPrefix(workerMark(t, filepath.Join(k.dir, "data")), "JOBWRIGHT_WORKER=")
	t.Cleanup(func() { removeContainers(t, worker) })
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	until := func(job, want string) {
		t.Helper()
		for k.jobwright("get", "job", job, "-o", "jsonpath={.status.step} {.status.attempts}{.status.reason}") != want+"\n" {
			<-look.C
		}
	}
	until("again", "working 1Started")
	until("once", "working 1Started")
	orphans := containersOf(t, worker)
	if len(orphans) != 2 {
		t.Fatalf("containers %q while two tools work", orphans)
	}

	k.signal(syscall.SIGKILL)
	_ = k.cmd.Wait() // killed, as asked
	if left := containersOf(t, worker); len(left) != 2 {
		t.Fatalf("containers %q are left by the kill; the test is about those that are", left)
	}
	since := time.Now()
	k.start()
	k.ready()
	until("again", "working 2Started")
	if got := k.jobwright("get", "job", "once", "-o", "jsonpath={.status.phase} {.status.reason} {.status.attempts}"); got != "Failed Interrupted 1\n" {
		t.Errorf("the job that may not be repeated: %s", got)
	}
	now := containersOf(t, worker)
	if len(now) != 1 || slices.Contains(orphans, now[0]) {
		t.Errorf("containers %q run; %q were the dead server's", now, orphans)
	}
	k.removedFirst(since, worker, orphans)

	k.jobwright("cancel", "again")
	for k.jobwright("get", "job", "again", "-o", "jsonpath={.status.phase}") != "Canceled\n" {
		<-look.C
	}
	if left := containersOf(t, worker); len(left) > 0 {
		t.Errorf("containers %q are left of a canceled call", left)
	}
	k.signal(syscall.SIGTERM)
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
	if left := containersOf(t, worker); len(left) > 0 {
		t.Errorf("containers %q are left of a server that has ended", left)
	}
}

// stubbornImage builds the image of an MCP server that nothing but SIGKILL ends.
func stubbornImage(t *testing.T, bin string) string {
	t.Helper()
	program := filepath.Join(bin, "stubborn")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../controller/action/mcp/testdata/stubborn/main.go")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	image := fmt.Sprintf("jwkill-stubborn:%d", os.Getpid())
	importImage(t, program, image)
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "rmi", "--force", image).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	return image
}

// removedFirst checks what the engine says: the dead server's containers were gone before
// another one was started.
func (k *killed) removedFirst(since time.Time, worker string, orphans []string) {
	k.t.Helper()
	events := exec.CommandContext(k.t.Context(), "docker", "events", "--since", since.Format(time.RFC3339Nano), "--until", time.Now().Format(time.RFC3339Nano),
		"--filter", "type=container", "--filter", "label="+container.WorkerLabel+"="+worker, "--format", "{{.Action}} {{.ID}}")
	out, err := events.Output()
	if err != nil {
		k.t.Fatal(err)
	}
	gone := map[string]bool{}
	started := 0
	for line := range strings.Lines(string(out)) {
		action, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch action {
		case "die":
			gone[id] = true
		case "start":
			started++
			if !gone[orphans[0]] || !gone[orphans[1]] {
				k.t.Errorf("%s was started while one of %q ran:\n%s", id, orphans, out)
			}
		}
	}
	if started != 1 {
		k.t.Errorf("%d containers were started:\n%s", started, out)
	}
}

// containersOf are the containers of a worker, in any state.
func containersOf(t *testing.T, worker string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", "label="+container.WorkerLabel+"="+worker).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// removeContainers leaves nothing of a test that has failed.
func removeContainers(t *testing.T, worker string) {
	out, err := exec.Command("docker", "ps", "--all", "--quiet", "--filter", "label="+container.WorkerLabel+"="+worker).Output()
	if err != nil {
		t.Errorf("clean up: %v", err)
	}
	for id := range strings.FieldsSeq(string(out)) {
		if out, err := exec.Command("docker", "rm", "--force", id).CombinedOutput(); err != nil {
			t.Errorf("clean up: %v: %s", err, out)
		}
	}
}
