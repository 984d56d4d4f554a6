package interruptions

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// engine is a docker engine: the machine's, or one of a cell's own that can be restarted.
type engine struct {
	t      *testing.T
	socket string
	// listen listens where the engine's own network is.
	listen func(network, address string) (net.Listener, error)
	// restart stops the engine and calls between before it starts it again; nil: the machine's.
	restart func(between func())
}

// shared is the machine's engine; the test is skipped where there is none.
func shared(t *testing.T) *engine {
	t.Helper()
	e := &engine{t: t, socket: "/var/run/docker.sock", listen: net.Listen}
	if socket, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); ok {
		e.socket = socket
	}
	if _, err := os.Stat(e.socket); err != nil || exec.Command("docker", "info").Run() != nil || exec.Command("docker", "compose", "version").Run() != nil {
		lacking(t, "a docker engine with the compose plugin behind a unix socket")
	}
	return e
}

func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
		t.Fatalf("there is not: %s", what)
	}
	t.Skip("needs " + what)
}

func (e *engine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+e.socket)
	return cmd
}

// docker runs docker past the gate.
func (e *engine) docker(args ...string) string {
	e.t.Helper()
	out, err := e.command(context.WithoutCancel(e.t.Context()), args...).CombinedOutput()
	if err != nil {
		e.t.Errorf("docker %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// need makes the image of the tests.
func (e *engine) need(b built) {
	e.t.Helper()
	if e.command(e.t.Context(), "image", "inspect", image).Run() == nil {
		return
	}
	cmd := e.command(e.t.Context(), "import", "--change", `ENTRYPOINT ["/app"]`, "-", image)
	cmd.Stdin = bytes.NewReader(b.layer)
	if out, err := cmd.CombinedOutput(); err != nil {
		e.t.Fatalf("docker import: %v: %s", err, out)
	}
}
