package main_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"sigs.k8s.io/yaml"

	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
)

// readmeBlock is a shell block of the README that follows a comment
// `<!-- test: client NEED… -->`: it runs against the server of `make run`, when
// the commands it needs are there.
type readmeBlock struct {
	needs []string
	shell string
}

// TestReadme does what the README tells a newcomer to do, in a copy of the
// sources and with a port of its own in place of 8080.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	dir, address := t.TempDir(), servertest.Address(t)
	copySources(t, "../..", dir)
	readme := rewrite(t, filepath.Join(dir, "README.md"), address)
	rewrite(t, filepath.Join(dir, "manifests/examples/api-call.yaml"), address)

	env := append(os.Environ(), "HOME="+t.TempDir(), "GOFLAGS=-buildvcs=false", "JOBWRIGHT_SERVER=http://"+address)
	for name, value := range goEnv(t, "GOCACHE", "GOMODCACHE") {
		env = append(env, name+"="+value)
	}
	if plugins, err := os.UserHomeDir(); err == nil {
		env = append(env, "DOCKER_CONFIG="+filepath.Join(plugins, ".docker"))
	}
	stop := makeRun(t, dir, env, address)
	t.Cleanup(func() { // the images that its deploy has kept, where there is docker
		held, _ := exec.Command("docker", "images", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=jobwright-kept:jobwright-demo.*").Output()
		for name := range strings.FieldsSeq(string(held)) {
			_ = exec.Command("docker", "image", "rm", name).Run() // gone already
		}
	})

	blocks := readmeBlocks(readme)
	if len(blocks) < 4 {
		t.Fatalf("found %d blocks to run in README.md", len(blocks))
	}
	for _, block := range blocks {
		first, _, _ := strings.Cut(block.shell, "\n")
		t.Run(first, func(t *testing.T) {
			for _, need := range block.needs {
				needCommand(t, need)
			}
			run := exec.CommandContext(t.Context(), "bash", "-euxo", "pipefail", "-c", block.shell)
			run.Dir, run.Env = dir, env
			if out, err := run.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
	for _, manifest := range readmeManifests(readme) {
		t.Run(manifest[:min(len(manifest), 60)], func(t *testing.T) { readmeManifest(t, dir, env, manifest) })
	}
	stop()
	if _, err := os.Stat(filepath.Join(dir, "data/app")); err != nil {
		t.Error(err)
	}
	objects, err := os.ReadFile(filepath.Join(dir, "data/jobs.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(objects, []byte(`"add-health-route"`)) {
		t.Errorf("data/jobs.json does not show the job that was applied:\n%s", objects)
	}
}

func readmeBlocks(readme string) []readmeBlock {
	var blocks []readmeBlock
	pattern := regexp.MustCompile("(?s)<!-- test: client( [a-z ]+)? -->\n```sh\n(.*?)```")
	for _, match := range pattern.FindAllStringSubmatch(readme, -1) {
		blocks = append(blocks, readmeBlock{needs: strings.Fields(match[1]), shell: match[2]})
	}
	return blocks
}

// readmeManifests are the README's YAML blocks.
func readmeManifests(readme string) []string {
	var manifests []string
	for _, match := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme, -1) {
		manifests = append(manifests, match[1])
	}
	return manifests
}

// readmeManifest applies a YAML block of the README, or where it is a status, reads it as
// one.
func readmeManifest(t *testing.T, dir string, env []string, manifest string) {
	t.Helper()
	if strings.HasPrefix(manifest, "status:") {
		var job v1.Job
		if err := yaml.UnmarshalStrict([]byte(manifest), &job); err != nil {
			t.Error(err)
		}
		return
	}
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	apply := exec.CommandContext(t.Context(), filepath.Join(dir, "bin/jobwright"), "apply", "-f", file)
	apply.Dir, apply.Env = dir, env
	if out, err := apply.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRunnableManifests applies manifests/examples with what they say they need; the
// deploy is the README's.
func TestRunnableManifests(t *testing.T) {
	k, _ := newKilled(t)
	k.build("jobwright.dev/cmd/builders-mcp")
	config := `{"mcpServers": {"builders": {"command": "` + filepath.Join(k.bin, "builders-mcp") + `", "args": ["--root", "` + filepath.Join(k.dir, "app") + `"]}}}`
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	k.flags = []string{"--allow-private-addresses"}
	k.start()
	k.ready()
	for _, name := range []string{"announce", "api-call", "build", "operation", "record"} {
		text, err := os.ReadFile(filepath.Join("../../manifests/examples", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(k.dir, name+".yaml")
		if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte("127.0.0.1:8080"), []byte(k.address)), 0o600); err != nil {
			t.Fatal(err)
		}
		k.jobwright("apply", "-f", file)
	}
	for _, job := range []string{"announce", "ask-livez", "add-health-route", "begin-and-wait", "cache-purged"} {
		k.jobwright("wait", "--for=condition=Complete", "job/"+job)
	}
	k.stop()
}

// makeRun starts `make run` and waits until it says where it listens. The
// function it returns stops it as Ctrl-C in a terminal does and waits for its end.
func makeRun(t *testing.T, dir string, env []string, address string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	run := exec.CommandContext(ctx, "make", "-s", "run", "RUN_FLAGS=--listen "+address)
	run.Dir, run.Env = dir, env
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	interrupt := func() error { return syscall.Kill(-run.Process.Pid, syscall.SIGTERM) }
	run.Cancel = interrupt
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	run.Stdout, run.Stderr = write, write
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	var seen bytes.Buffer
	lines := bufio.NewReader(io.TeeReader(read, &seen))
	for {
		line, err := lines.ReadString('\n')
		if strings.Contains(line, address) {
			break
		}
		if err != nil {
			cancel()
			t.Fatalf("make run ended: %v\n%s", run.Wait(), &seen)
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines)
	}()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = interrupt()
		<-drained
		_ = run.Wait() // make reports the signal as its own error
		cancel()
		if t.Failed() {
			t.Logf("the server said:\n%s", &seen)
		}
	}
	t.Cleanup(stop)
	return stop
}

// copySources copies what belongs to the project: everything but the repository's
// own data and what was built or run.
func copySources(t *testing.T, from, to string) {
	t.Helper()
	leave := []string{".git", "bin", "data", ".demo"}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		switch {
		case slices.Contains(leave, entry.Name()):
		case entry.IsDir():
			if err := os.CopyFS(target, os.DirFS(source)); err != nil {
				t.Fatal(err)
			}
		default:
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(target, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// rewrite puts address in place of the default one and returns the new text.
func rewrite(t *testing.T, file, address string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("127.0.0.1:8080"), []byte(address))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func goEnv(t *testing.T, names ...string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, name := range names {
		out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatalf("go env %s: %v", name, err)
		}
		values[name] = strings.TrimSpace(string(out))
	}
	return values
}

// needCommand skips the test when a command, or docker's engine, is not there.
func needCommand(t *testing.T, command string) {
	t.Helper()
	err := exec.CommandContext(t.Context(), "sh", "-c", "command -v "+command).Run()
	if err == nil && command == "docker" {
		err = exec.CommandContext(t.Context(), "sh", "-c", "docker info && docker compose version").Run()
	}
	switch {
	case err == nil:
	case os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1":
		t.Fatalf("%s is missing or does not answer: %v", command, err)
	default:
		t.Skipf("%s is missing or does not answer; install and start it", command)
	}
}
