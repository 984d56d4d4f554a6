package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/api/server/servertest"
)

// seedSamples runs the samples that the documentation of /api/jobs has, in
// testdata/seed, word for word: TypeScript under Node with nothing between but a base
// address and a cookie, and curl lines with the port of the server.
type seedSamples struct {
	*killed
	scripts string // folder of the samples without types
	cookie  string
}

// newSeedSamples starts a server with the demo builders, whose compose root is k.dir.
func newSeedSamples(t *testing.T) *seedSamples {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	for _, command := range []string{"node", "curl", "jq"} {
		needCommand(t, command)
	}
	compiler := filepath.Join(os.Getenv("JOBWRIGHT_TEST_NPM"), "node_modules", "typescript", "lib", "typescript.js")
	if _, err := os.Stat(compiler); err != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatal(err)
		}
		t.Skip("the samples are NOT run: needs `npm install typescript`, its folder in JOBWRIGHT_TEST_NPM")
	}
	s := &seedSamples{
		killed:  &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)},
		scripts: t.TempDir(), cookie: "active_workspace=workspace-id",
	}
	s.build("jobwright.dev/cmd/builders-mcp")
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{
		"builders": map[string]any{"command": filepath.Join(s.bin, "builders-mcp"), "args": []string{"--root", filepath.Join(s.dir, "app")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "mcp.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	s.flags = []string{"--compose-root", s.dir}
	s.start()
	t.Cleanup(func() {
		_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = s.cmd.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", s.log.String())
		}
	})
	s.ready()
	for _, sample := range []string{"enqueue-build", "enqueue-deploy", "monitor-job", "cancel-job"} {
		s.strip(compiler, sample)
	}
	return s
}

func (s *seedSamples) read(file string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "seed", file))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// strip takes the types out of a sample.
func (s *seedSamples) strip(compiler, sample string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "node", filepath.Join("testdata", "seed", "strip-types.cjs"), compiler)
	cmd.Stdin = strings.NewReader(s.read(sample + ".ts"))
	out, err := cmd.Output()
	if err == nil {
		err = os.WriteFile(filepath.Join(s.scripts, sample+".mjs"), out, 0o600)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", sample, err)
	}
}

// node runs a sample, with a call of what it declares behind it, and returns what it
// prints.
func (s *seedSamples) node(sample, call string, replace ...string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.scripts, sample+".mjs"))
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.t.TempDir(), "run.mjs")
	program := strings.NewReplacer(replace...).Replace(string(text)) + call
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		s.t.Fatal(err)
	}
	prelude, err := filepath.Abs(filepath.Join("testdata", "seed", "prelude.mjs"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), "node", "--import", prelude, file)
	cmd.Env = append(os.Environ(), "BASE=http://"+s.address, "COOKIE="+s.cookie)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", sample, err, out)
	}
	return string(out)
}

// curl runs a curl line with the port of the server, and returns what jq prints.
func (s *seedSamples) curl(file string, replace ...string) string {
	s.t.Helper()
	_, port, _ := strings.Cut(s.address, ":")
	line := strings.NewReplacer(append([]string{"localhost:3000", "localhost:" + port}, replace...)...).Replace(s.read(file))
	out, err := exec.CommandContext(s.t.Context(), "bash", "-o", "pipefail", "-c", line).Output()
	if err != nil {
		s.t.Fatalf("%s: %v", line, err)
	}
	return string(out)
}

// newest is the job that was created last.
func (s *seedSamples) newest() map[string]any {
	s.t.Helper()
	var answer struct {
		Result struct{ Jobs []map[string]any }
	}
	out := s.curl("list.sh", "curl ", "curl -s -b "+s.cookie+" ")
	if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Result.Jobs) == 0 {
		s.t.Fatalf("%v in %s", err, out)
	}
	return answer.Result.Jobs[0]
}

// ended waits until a job has ended, and returns it.
func (s *seedSamples) ended(id any) map[string]any {
	s.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		var answer struct {
			Result struct{ Job map[string]any }
		}
		out := s.curl("detail.sh", "curl ", "curl -s -b "+s.cookie+" ", "1234567890-abc123", fmt.Sprint(id))
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			s.t.Fatalf("%v in %s", err, out)
		}
		if status := answer.Result.Job["status"]; status != "queued" && status != "running" {
			return answer.Result.Job
		}
		select {
		case <-look.C:
		case <-s.t.Context().Done():
			s.t.Fatal("the job does not end")
		}
	}
}

func TestTheSamplesOfTheDocumentation(t *testing.T) {
	s := newSeedSamples(t)

	t.Run("a build is enqueued and monitored until it is done", func(t *testing.T) {
		s.t = t
		said := s.node("enqueue-build", "")
		id := regexp.MustCompile(`^Job ID: ([0-9]{13}-[0-9a-z]{6})\n$`).FindStringSubmatch(said)
		if id == nil {
			t.Fatalf("it says %q", said)
		}
		said = s.node("monitor-job", "\nawait monitorJob("+quoteJS(id[1])+");\n")
		if !strings.Contains(said, "Status: succeeded (100%)\nStep: done\nLogs: ") || !strings.Contains(said, "created app/login/page.tsx") {
			t.Errorf("the monitor says %s", said)
		}
		for _, page := range []string{"login", "dashboard"} {
			if _, err := os.Stat(filepath.Join(s.dir, "app/app", page, "page.tsx")); err != nil {
				t.Error(err)
			}
		}
		payload := map[string]any{"action": "apply_builder", "id": "supabase-auth-pages", "variables": map[string]any{"LOGIN_PATH": "login", "DASHBOARD_PATH": "dashboard"}}
		if diff := cmp.Diff(payload, s.newest()["payload"]); diff != "" {
			t.Error(diff)
		}
		if said := s.node("cancel-job", "\nawait cancelJob("+quoteJS(id[1])+");\n"); said != "Could not cancel job (may have completed)\n" {
			t.Errorf("canceling it says %q", said)
		}
	})

	t.Run("a deploy is enqueued", func(t *testing.T) {
		s.t = t
		s.node("enqueue-deploy", "")
		job := s.newest()
		payload := map[string]any{"verb": "up", "composePath": "/srv/app/compose.yml", "extraArgs": []any{"-d"}}
		if diff := cmp.Diff(payload, job["payload"]); diff != "" {
			t.Error(diff)
		}
		// The path of the sample lies below no root of this server.
		if job = s.ended(job["id"]); job["status"] != "failed" {
			t.Errorf("the deploy is %v", job)
		}
	})

	t.Run("a job is canceled", func(t *testing.T) {
		s.t = t
		s.jobwright("run", "api-call", "-n", "workspace-id", "--name", "waits", "--start-after", "1h", "--detach")
		if said := s.node("cancel-job", "\nawait cancelJob('waits');\n"); said != "Job canceled\n" {
			t.Errorf("it says %q", said)
		}
		if job := s.ended("waits"); job["status"] != "canceled" {
			t.Errorf("the job is %v", job)
		}
	})

	t.Run("the lines of curl, as they stand", func(t *testing.T) {
		s.t = t
		enqueued := s.curl("enqueue.sh")
		id := regexp.MustCompile(`^\{\n  "ok": true,\n  "result": \{\n    "id": "([0-9]{13}-[0-9a-z]{6})"\n  \}\n\}\n$`).FindStringSubmatch(enqueued)
		if id == nil {
			t.Fatalf("it says %s", enqueued)
		}
		if job := s.ended(id[1]); job["status"] != "succeeded" {
			t.Errorf("the job is %v", job)
		}
		const refused = "{\n  \"ok\": false,\n  \"error\": \"workspace_required\"\n}\n"
		for _, file := range []string{"list.sh", "detail.sh", "cancel.sh"} {
			if said := s.curl(file); said != refused {
				t.Errorf("%s without a cookie says %s", file, said)
			}
		}
	})

	t.Run("every example of a builder", func(t *testing.T) {
		s.t = t
		for _, payload := range []string{
			`{"action":"apply_builder","id":"nextjs-api-route","variables":{"ROUTE_NAME":"health"}}`,
			`{"action":"preview_apply","id":"nextjs-api-route","variables":{"ROUTE_NAME":"health"}}`,
			`{"action":"apply_builder","id":"quota-check-lib","variables":{}}`,
		} {
			said := s.curl("enqueue.sh", s.payloadOf("enqueue.sh"), payload)
			var answer struct{ Result struct{ ID string } }
			if err := json.Unmarshal([]byte(said), &answer); err != nil {
				t.Fatal(err)
			}
			if job := s.ended(answer.Result.ID); job["status"] != "succeeded" || job["step"] != "done" || job["pct"] != 100.0 {
				t.Errorf("%s: %v", payload, job)
			}
		}
	})
}

// payloadOf is the payload in a curl line.
func (s *seedSamples) payloadOf(file string) string {
	s.t.Helper()
	payload := regexp.MustCompile(`(?s)"payload": (\{.*\})\n  \}'`).FindStringSubmatch(s.read(file))
	if payload == nil {
		s.t.Fatalf("%s has no payload", file)
	}
	return payload[1]
}

func quoteJS(text string) string { return "'" + text + "'" }

// TestTheSampleOfADeployBringsAProjectUp runs it against docker, with another path to the
// compose file, absolute as the sample's.
func TestTheSampleOfADeployBringsAProjectUp(t *testing.T) {
	needCommand(t, "docker")
	s := newSeedSamples(t)
	project, image := fmt.Sprintf("jwsample-%d", os.Getpid()), fmt.Sprintf("jwsample:%d", os.Getpid())
	importImage(t, filepath.Join(s.bin, "jobwright"), image)
	file := filepath.Join(s.dir, "compose.yml")
	text := fmt.Sprintf("name: %s\nservices:\n  web:\n    image: %s\n    command: [serve, --data-dir, /data]\n", project, image)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("docker", "compose", "-f", file, "down", "-t", "1").Run() // it may be down
		held, _ := exec.Command("docker", "images", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=jobwright-kept:"+project+".*").Output()
		for _, name := range append(strings.Fields(string(held)), image) {
			_ = exec.Command("docker", "image", "rm", name).Run() // it may be gone
		}
	})
	s.node("enqueue-deploy", "", "/srv/app/compose.yml", file)
	id := fmt.Sprint(s.newest()["id"])
	said := s.node("monitor-job", "\nawait monitorJob("+quoteJS(id)+");\n")
	if !strings.Contains(said, "Status: succeeded (100%)\nStep: done\n") {
		t.Errorf("the monitor says %s", said)
	}
	up, err := exec.CommandContext(t.Context(), "docker", "ps", "-q", "--filter", "label=com.docker.compose.project="+project).Output()
	if err != nil || len(up) == 0 {
		t.Errorf("no container is up: %v", err)
	}
}
