package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// setupDocker lets stories find the docker of whoever runs them, and gives each a compose
// project and a tag of its own.
func setupDocker(env *testscript.Env) error {
	config := os.Getenv("DOCKER_CONFIG")
	if config == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil //nolint:nilerr // stories without docker run all the same
		}
		config = filepath.Join(home, ".docker")
	}
	env.Setenv("DOCKER_CONFIG", config)
	env.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
	env.Setenv("PROJECT", fmt.Sprintf("jwstory-%d", os.Getpid()))
	return nil
}

var engineOnce = sync.OnceValue(func() error {
	if out, err := exec.Command("docker", "compose", "version").CombinedOutput(); err != nil {
		return fmt.Errorf("docker compose: %w: %s", err, out)
	}
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		return fmt.Errorf("docker info: %w: %s", err, out)
	}
	return nil
})

// app is what the containers of stories run.
const app = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	switch os.Args[1] {
	case "fail":
		os.Exit(3)
	case "check": // what a health check runs
		return
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	<-c
}
`

var appOnce = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "app")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(app), 0o600); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "app"), filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	program, err := os.ReadFile(filepath.Join(dir, "app"))
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	return archive.Bytes(), w.Close()
})

// appImage makes an image, and has it and what was kept of its project removed when the
// story ends.
func appImage(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: app-image TAG MODE")
	}
	archive, err := appOnce()
	if err != nil {
		ts.Fatalf("%v", err)
	}
	imp := exec.Command("docker", "import", "--change", `ENTRYPOINT ["/app"]`, "--change", fmt.Sprintf("CMD [%q]", args[1]), "-", args[0])
	imp.Stdin = bytes.NewReader(archive)
	out, err := imp.CombinedOutput()
	if err != nil {
		ts.Fatalf("%v: %s", err, out)
	}
	project := ts.Getenv("PROJECT")
	ts.Defer(func() {
		script := exec.Command("docker", "compose", "--project-name", project, "down", "--timeout=1", "--remove-orphans")
		if out, err := script.CombinedOutput(); err != nil {
			ts.Logf("clean up: %v: %s", err, out)
		}
		held, err := exec.Command("docker", "images", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=jobwright-kept:"+project+".*").Output()
		if err != nil {
			ts.Logf("clean up: %v", err)
		}
		for _, name := range append(strings.Fields(string(held)), args[0]) {
			exec.Command("docker", "image", "rm", "--force", name).Run() // it may be gone already
		}
	})
}
