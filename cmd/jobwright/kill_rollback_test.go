package main_test

import (
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

// TestKillNineWhileADeployIsRolledBack kills the server with SIGKILL while a deploy that
// has failed is being rolled back: after the next start the rollback is brought
// to its end, and the bad version is not deployed again.
func TestKillNineWhileADeployIsRolledBack(t *testing.T) {
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
	project, image := fmt.Sprintf("jwback-%d", os.Getpid()), fmt.Sprintf("jwback:%d", os.Getpid())
	importImage(t, filepath.Join(k.bin, "jobwright"), image)
	good := fmt.Sprintf(`name: %s
services:
  web:
    image: %s
    command: [serve, --data-dir, /data]
    healthcheck: {test: [CMD, /jobwright, version], interval: 1s, retries: 30}
`, project, image)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("mcp.json", `{"mcpServers":{}}`)
	write("compose.yml", good)
	write("bad.yaml", "apiVersion: jobwright.dev/v1\nkind: Job\nmetadata: {name: bad}\nspec: {deploy: {verb: up, composePath: compose.yml, rollback: OnFailure}}\n")
	t.Cleanup(func() {
		down := exec.Command("docker", "compose", "-f", filepath.Join(k.dir, "compose.yml"), "down", "-t", "1", "--remove-orphans")
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
	containers := func(format string) string {
		t.Helper()
		ids, err := exec.CommandContext(t.Context(), "docker", "ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project="+project).Output()
		if err != nil || len(ids) == 0 {
			return ""
		}
		out, err := exec.CommandContext(t.Context(), "docker", append([]string{"inspect", "--format", format}, strings.Fields(string(ids))...)...).Output()
		if err != nil {
			return "" // one was removed meanwhile
		}
		return string(out)
	}
	k.flags = []string{"--compose-root", k.dir}
	k.start()
	k.ready()
	k.jobwright("run", "deploy", "up", "--compose-path", "compose.yml", "--name", "good")
	before := containers("{{.Image}} {{.Args}}")
	mark := workerMark(t, filepath.Join(k.dir, "data"))

	// What fails has a service more, which must not be left either.
	write("compose.yml", strings.Replace(good, "--data-dir, /data", "--no-such-flag", 1)+"  more: {image: "+image+", command: [serve, --data-dir, /data], stop_grace_period: 1s}\n")
	k.jobwright("apply", "-f", filepath.Join(k.dir, "bad.yaml"))
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	// The rollback has made its container and waits for its health, which takes a second.
	underWay := func() bool {
		return strings.Contains(k.jobwright("get", "job", "bad", "-o", "jsonpath={.status.step}"), "compose:rollback") &&
			strings.Contains(containers("{{.State.Status}} {{.State.Health.Status}} {{.Args}}"), "running starting [serve --data-dir /data]")
	}
	for !underWay() {
		if phase := k.jobwright("get", "job", "bad", "-o", "jsonpath={.status.phase}"); phase != "Running\n" && phase != "Queued\n" {
			t.Fatalf("the deploy is %s before it was killed: %s", phase, k.jobwright("describe", "job", "bad"))
		}
		<-look.C
	}
	if err := k.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = k.cmd.Wait() // killed, as asked
	k.start()
	k.ready()
	for phase := ""; phase != "Failed"; phase = strings.TrimSpace(k.jobwright("get", "job", "bad", "-o", "jsonpath={.status.phase}")) {
		if phase != "" && phase != "Running" && phase != "Queued" {
			t.Fatalf("the deploy is %s:\n%s", phase, k.jobwright("describe", "job", "bad"))
		}
		<-look.C
	}
	if got := k.jobwright("get", "job", "bad", "-o", "jsonpath={.status.attempts} {.status.interruptions} {.status.reason} {.status.result.rolledBackTo}"); got != "1  RolledBack 1\n" {
		t.Errorf("attempts, interruptions, reason, rolledBackTo = %q\n%s", got, k.jobwright("describe", "job", "bad"))
	}
	if after := containers("{{.Image}} {{.Args}}"); after != before {
		t.Errorf("the project runs\n%s, ran\n%s before", after, before)
	}
	if states := containers("{{.State.Status}} {{.State.Health.Status}}"); states != "running healthy\n" {
		t.Errorf("the project is %q", states)
	}
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
	for _, program := range []string{"docker", "docker-compose"} {
		if left := carriers(t, mark, program); len(left) > 0 {
			t.Errorf("processes of %s are left: %v", program, left)
		}
	}
}
