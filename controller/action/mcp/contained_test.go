package mcp_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/mcp/container"
	"jobwright.dev/controller/action/process"
)

// stubborn is a server in a container that ends neither at the end of its input nor by
// SIGTERM.
func stubborn(t *testing.T) mcp.Server {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", "info").CombinedOutput(); err != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatalf("needs a docker engine: %s", out)
		}
		t.Skip("needs a docker engine")
	}
	program := filepath.Join(t.TempDir(), "stubborn")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "testdata/stubborn/main.go")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "stubborn", Mode: 0o755, Size: int64(len(data))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	image := fmt.Sprintf("jobwright-stubborn:%d", os.Getpid())
	load := exec.CommandContext(t.Context(), "docker", "import", "--change", `ENTRYPOINT ["/stubborn"]`, "-", image)
	load.Stdin = &archive
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "rmi", "--force", image).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	return mcp.Server{Type: "stdio", Command: "docker", Args: []string{"run", "-i", "--rm", image}}
}

// containers are those of the test's worker.
func containers(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "ps", "--all", "--quiet", "--filter", "label="+container.WorkerLabel+"="+workerOf(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// TestAContainerEndsWithItsSession, and the message says what is known.
func TestAContainerEndsWithItsSession(t *testing.T) {
	server := stubborn(t)
	r := newRunner(t, map[string]mcp.Server{"boxed": server})
	rec := newRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan action.Outcome, 1)
	a := attempt(&v1.BuildAction{Action: "hangs"})
	a.Grace = 50 * time.Millisecond
	go func() { ended <- r.Run(ctx, a, rec) }()
	for step := ""; step != "working"; {
		select {
		case step = <-rec.steps:
		case out := <-ended:
			t.Fatalf("it ended before its tool worked: %+v", out)
		}
	}
	if n := len(containers(t)); n != 1 {
		t.Errorf("%d containers while the tool works", n)
	}
	cancel()
	if out := <-ended; out.Verdict != action.Stopped || !strings.Contains(out.Message, "its container is removed") {
		t.Errorf("outcome %+v", out)
	}
	if left := containers(t); len(left) > 0 {
		t.Errorf("containers %v are left", left)
	}
	text(t, r, "acme", &v1.BuildAction{Action: "ok"})
	nothingLeft(t, r)
	if left := containers(t); len(left) > 0 {
		t.Errorf("containers %v are left of an idle session", left)
	}
}

// TestAContainerOfADeadServerIsRemoved by the next one, which leaves its own alone.
func TestAContainerOfADeadServerIsRemoved(t *testing.T) {
	servers := map[string]mcp.Server{"boxed": stubborn(t)}
	dead := newRunner(t, servers)
	text(t, dead, "acme", &v1.BuildAction{Action: "ok"})
	// As after kill -9: the clients are gone, the container is not.
	if n, err := process.Reap(t.Context(), workerOf(t), ""); n == 0 || err != nil {
		t.Fatalf("%d processes, %v", n, err)
	}
	orphan := containers(t)
	if len(orphan) != 1 {
		t.Fatalf("containers %v", orphan)
	}
	next := newRunner(t, servers)
	text(t, next, "acme", &v1.BuildAction{Action: "ok"})
	if _, err := next.Recover(t.Context(), attempt(&v1.BuildAction{Action: "ok"})); err != nil {
		t.Error(err)
	}
	left := containers(t)
	if len(left) != 2 || strings.Contains(strings.Join(left, " "), orphan[0]) {
		t.Errorf("containers %v; %v was the dead server's", left, orphan)
	}
	if n, err := next.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept twice: %d, %v", n, err)
	}
	nothingLeft(t, next)
	nothingLeft(t, dead)
}
