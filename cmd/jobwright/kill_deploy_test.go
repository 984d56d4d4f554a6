package main_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobwright.dev/api/server/servertest"
)

// slowToBeHealthy is a project whose docker compose takes a while: front waits for the
// health of a server whose first check comes after two seconds.
const slowToBeHealthy = `name: %[1]s
services:
  web:
    image: %[2]s
    command: [serve, --data-dir, /data]
    healthcheck: {test: [CMD, /jobwright, version], interval: 2s, retries: 30}
  front:
    image: %[2]s
    command: [serve, --data-dir, /data]
    depends_on: {web: {condition: service_healthy}}
`

// TestKillNineWhileABuildAndADeployRun kills the server with SIGKILL while a build's
// MCP server and a real docker compose are at work: after the next start both jobs end,
// the project is as asked, and no process of the dead server is left.
func TestKillNineWhileABuildAndADeployRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	if exec.CommandContext(t.Context(), "docker", "compose", "version").Run() != nil || exec.CommandContext(t.Context(), "docker", "info").Run() != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatal("no docker engine with compose")
		}
		t.Skip("needs a docker engine with the compose plugin")
	}
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	k.build()
	project, image := fmt.Sprintf("jwkill-%d", os.Getpid()), fmt.Sprintf("jwkill:%d", os.Getpid())
	importImage(t, filepath.Join(k.bin, "jobwright"), image)
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"silent": map[string]any{"command": "tail", "args": []string{"-f", "/dev/null"}}}})
	if err != nil {
		t.Fatal(err)
	}
	jobs := `apiVersion: jobwright.dev/v1
kind: Job
metadata: {name: build}
spec: {onInterruption: Rerun, build: {server: silent, action: any}}
---
apiVersion: jobwright.dev/v1
kind: Job
metadata: {name: deploy}
spec: {deploy: {verb: up, composePath: compose.yml}}
`
	for name, text := range map[string]string{
		"mcp.json": string(config), "jobs.yaml": jobs, "compose.yml": fmt.Sprintf(slowToBeHealthy, project, image),
	} {
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		down := exec.Command("docker", "compose", "-f", filepath.Join(k.dir, "compose.yml"), "down", "-t", "1")
		if out, err := down.CombinedOutput(); err != nil {
			t.Errorf("clean up: %v: %s", err, out)
		}
		held, err := exec.Command("docker", "images", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=jobwright-kept:"+project+".*").Output()
		if err != nil {
			t.Errorf("clean up: %v", err)
		}
		for _, name := range append(strings.Fields(string(held)), image) {
			if out, err := exec.Command("docker", "image", "rm", name).CombinedOutput(); err != nil {
				t.Errorf("clean up: %v: %s", err, out)
			}
		}
	})
	k.flags = []string{"--compose-root", k.dir}
	k.start()
	k.ready()
	k.jobwright("apply", "-f", filepath.Join(k.dir, "jobs.yaml"))
	mark := workerMark(t, filepath.Join(k.dir, "data"))
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	started := func() bool {
		up := exec.CommandContext(t.Context(), "docker", "ps", "-q", "--filter", "label=com.docker.compose.project="+project)
		out, err := up.Output()
		return err == nil && len(out) > 0
	}
	for len(carriers(t, mark, "tail")) == 0 || len(carriers(t, mark, "docker-compose")) == 0 || !started() {
		if phase := k.jobwright("get", "job", "deploy", "-o", "jsonpath={.status.phase}"); phase != "Running\n" && phase != "Queued\n" {
			t.Fatalf("the deploy is %s before it was killed: %s", phase, k.jobwright("describe", "job", "deploy"))
		}
		<-look.C
	}
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
	for _, want := range []struct{ job, phase string }{{"build", "Failed"}, {"deploy", "Succeeded"}} {
		for {
			phase := strings.TrimSpace(k.jobwright("get", "job", want.job, "-o", "jsonpath={.status.phase}"))
			if phase == want.phase {
				break
			}
			if phase != "Running" && phase != "Queued" {
				t.Fatalf("%s is %s, want %s:\n%s", want.job, phase, want.phase, k.jobwright("describe", "job", want.job))
			}
			<-look.C
		}
	}
	// The deploy was interrupted and run again, or found as asked by the time.
	if got := k.jobwright("get", "job", "deploy", "-o", "jsonpath={.status.attempts} {.status.interruptions} {.status.message}"); !strings.HasPrefix(got, "2 1 ") && !strings.HasPrefix(got, "1 0 Found as asked") {
		t.Errorf("deploy: attempts, interruptions, message = %q", got)
	}
	if got := k.jobwright("get", "job", "build", "-o", "jsonpath={.status.attempts} {.status.interruptions} {.status.reason}"); got != "2 1 InvalidArguments\n" {
		t.Errorf("build: attempts, interruptions, reason = %q", got)
	}
	// Whichever it was, what is up is kept to go back to.
	if got := k.jobwright("get", "job", "deploy", "-o", "jsonpath={.status.result.revision} {.status.result.project}"); got != "1 "+project+"\n" {
		t.Errorf("deploy: revision and project = %q", got)
	}
	state, err := exec.CommandContext(t.Context(), "docker", "ps", "--filter", "label=com.docker.compose.project="+project, "--format", "{{.Status}}").Output()
	if err != nil || strings.Count(string(state), "\n") != 2 || !strings.Contains(string(state), "(healthy)") {
		t.Errorf("the project's containers: %q, %v, want them up, and the one with a check healthy", state, err)
	}
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
	for _, program := range []string{"tail", "docker", "docker-compose"} {
		if left := carriers(t, mark, program); len(left) > 0 {
			t.Errorf("processes of %s are left: %v", program, left)
		}
	}
}

// importImage makes a docker image of one static program, without any registry.
func importImage(t *testing.T, path, image string) {
	t.Helper()
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "jobwright", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	imp := exec.CommandContext(t.Context(), "docker", "import", "--change", `ENTRYPOINT ["/jobwright"]`, "-", image)
	imp.Stdin = &archive
	if out, err := imp.CombinedOutput(); err != nil {
		t.Fatalf("docker import: %v: %s", err, out)
	}
}
