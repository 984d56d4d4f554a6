package compose

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/process"
)

// program is what the containers of these tests run.
const program = `package main

import (
	"fmt"
	"os"
	"net/http"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	fmt.Println("hello from", os.Args[1])
	switch os.Args[1] {
	case "once":
	case "fail":
		os.Exit(3)
	case "crash":
		time.Sleep(50 * time.Millisecond)
		os.Exit(1)
	case "needs":
		fmt.Fprintln(os.Stderr, os.Args[2], "is not set")
		os.Exit(4)
	case "check":
		if _, err := os.Stat("/ready"); err != nil {
			fmt.Println("not ready:", err)
			os.Exit(1)
		}
	case "slow":
		time.Sleep(1500 * time.Millisecond)
		if err := os.WriteFile("/ready", nil, 0o600); err != nil {
			panic(err)
		}
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
	case "drain": // seconds: so long it takes to stop
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		seconds, _ := strconv.Atoi(os.Args[2])
		time.Sleep(time.Duration(seconds) * time.Second)
	case "tick": // n code: a line every 200 ms, n times, and then that exit code
		n, _ := strconv.Atoi(os.Args[2])
		for i := range n {
			fmt.Println("step", i)
			time.Sleep(200 * time.Millisecond)
		}
		code, _ := strconv.Atoi(os.Args[3])
		os.Exit(code)
	case "listen":
		http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ok" {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		fmt.Println(http.ListenAndServe(":8080", nil))
	default:
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		<-c
	}
}
`

// image is named by what is in it, so that another checkout's tests do not replace it.
var image = fmt.Sprintf("jobwright-compose-test:%08x", crc32.ChecksumIEEE([]byte(program)))

// needEngine makes the test's image in the real docker engine, or skips the test.
func needEngine(t *testing.T) {
	t.Helper()
	if err := exec.Command("docker", "compose", "version").Run(); err != nil || exec.Command("docker", "info").Run() != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Fatal("no docker engine with compose")
		}
		t.Skip("needs a docker engine with the compose plugin")
	}
	imageOnce.Do(func() { imageErr = makeImage(t.TempDir()) })
	if imageErr != nil {
		t.Fatal(imageErr)
	}
}

var (
	imageOnce sync.Once
	imageErr  error
)

func makeImage(dir string) error {
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "app"), source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	binary, err := os.ReadFile(filepath.Join(dir, "app"))
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(binary))}); err != nil {
		return err
	}
	if _, err := w.Write(binary); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	imp := exec.Command("docker", "import", "--change", `ENTRYPOINT ["/app"]`, "-", image)
	imp.Stdin = &archive
	if out, err := imp.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// project writes a compose file and takes whatever it brings up down again.
func project(t *testing.T, services string) (*Runner, func(v1.DeployVerb, ...string) action.Attempt) {
	t.Helper()
	root := t.TempDir()
	name := strings.ToLower(fmt.Sprintf("jwtest-%d-%s", os.Getpid(), strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())))
	if len(name) > 50 { // cut, and still another one for each test
		hash := fnv.New32a()
		hash.Write([]byte(name))
		name = fmt.Sprintf("%s-%08x", name[:41], hash.Sum32())
	}
	if err := os.WriteFile(filepath.Join(root, "compose.yml"), []byte("services:\n"+services), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		down := exec.Command("docker", "compose", "-f", filepath.Join(root, "compose.yml"), "-p", name, "down", "-t", "1", "--remove-orphans")
		if out, err := down.CombinedOutput(); err != nil {
			t.Errorf("clean up: %v: %s", err, out)
		}
	})
	r, err := New(Options{Roots: []string{root}, Worker: name})
	if err != nil {
		t.Fatal(err)
	}
	return r, func(verb v1.DeployVerb, args ...string) action.Attempt {
		job := &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: verb, ProjectName: name, ExtraArgs: args}}}
		job.UID, job.Namespace = types.UID(name), "acme"
		return action.Attempt{ID: name + "-" + string(verb), Job: job, Grace: 20 * time.Second}
	}
}

// recorder is a Sink that remembers.
type recorder struct {
	mu    sync.Mutex
	text  strings.Builder
	pct   int
	onLog func(string)
	// results are what was reported while the deploy went on.
	results []string
}

func (r *recorder) Line(_ action.Stream, text string) {
	r.mu.Lock()
	fmt.Fprintln(&r.text, text)
	r.mu.Unlock()
	if r.onLog != nil {
		r.onLog(text)
	}
}

func (r *recorder) Result(result v1.JSON) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, string(result.Raw))
}

func (r *recorder) Progress(pct int, _ string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pct = max(r.pct, pct)
}

var web = "  web: {image: '" + image + "', command: [web], pull_policy: never}\n"

func TestAProjectGoesUpAndDown(t *testing.T) {
	needEngine(t)
	r, attempt := project(t, web)
	for _, step := range []struct {
		verb v1.DeployVerb
		args []string
		want string // in the log
	}{
		{v1.DeployConfig, nil, image},
		{v1.DeployUp, nil, "Container"},
		{v1.DeployPs, []string{"--format", "json"}, `"State":"running"`},
		{v1.DeployLogs, []string{"--tail=10"}, "hello from web"},
		{v1.DeployRestart, []string{"-t", "1"}, "Container"},
		{v1.DeployStop, []string{"-t", "1"}, "Container"},
		{v1.DeployStart, nil, "Container"},
		{v1.DeployDown, []string{"-t", "1"}, "Removed"},
	} {
		out := &recorder{}
		outcome := r.Run(t.Context(), attempt(step.verb, step.args...), out)
		if outcome.Verdict != action.Succeeded || outcome.Facts[v1.FactExitCode] != "0" {
			t.Fatalf("%s: %+v\n%s", step.verb, outcome, out.text.String())
		}
		if !strings.Contains(out.text.String(), step.want) {
			t.Errorf("%s: the log lacks %q:\n%s", step.verb, step.want, out.text.String())
		}
		if step.verb == v1.DeployUp && out.pct < 50 {
			t.Errorf("up: the progress ended at %d %%", out.pct)
		}
	}
}

func TestAOneShotContainerThatEndedWellIsNoFailure(t *testing.T) {
	needEngine(t)
	r, attempt := project(t, web+"  init: {image: '"+image+"', command: [once], pull_policy: never}\n")
	out := &recorder{}
	if outcome := r.Run(t.Context(), attempt(v1.DeployUp), out); outcome.Verdict != action.Succeeded {
		t.Fatalf("outcome = %+v\n%s", outcome, out.text.String())
	}
}

func TestAContainerThatFailsFailsTheDeployWithItsName(t *testing.T) {
	needEngine(t)
	r, attempt := project(t, web+"  bad: {image: '"+image+"', command: [fail], pull_policy: never}\n")
	outcome := r.Run(t.Context(), attempt(v1.DeployUp), &recorder{})
	if outcome.Verdict != action.Failed || outcome.Reason != v1.ReasonContainerFailed || !strings.Contains(outcome.Message, "service bad: ended with exit code 3") {
		t.Fatalf("outcome = %+v", outcome)
	}
}

func TestAnImageThatIsNotThereFailsWithComposesWords(t *testing.T) {
	needEngine(t)
	r, attempt := project(t, "  web: {image: 'jobwright-none:1', pull_policy: never}\n")
	outcome := r.Run(t.Context(), attempt(v1.DeployUp), &recorder{})
	if outcome.Verdict != action.Failed || !strings.Contains(outcome.Message, "jobwright-none:1") || strings.Contains(outcome.Message, "docker login") || !strings.Contains(outcome.Message, "pull or build it first") {
		t.Fatalf("outcome = %+v", outcome)
	}
}

// TestCancelLeavesNoProcess cancels an up that waits for a health check which never
// passes.
func TestCancelLeavesNoProcess(t *testing.T) {
	needEngine(t)
	r, attempt := project(t, strings.TrimSuffix(web, "}\n")+
		", healthcheck: {test: [CMD, /app, fail], interval: 1s, retries: 1000, start_period: 1h}}\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &recorder{}
	out.onLog = func(text string) {
		if strings.Contains(text, "Started") || strings.Contains(text, "Waiting") {
			cancel()
		}
	}
	a := attempt(v1.DeployUp)
	outcome := r.Run(ctx, a, out)
	if outcome.Verdict != action.Stopped {
		t.Fatalf("outcome = %+v\n%s", outcome, out.text.String())
	}
	if n, err := process.Reap(t.Context(), r.docker.Worker, a.ID); n != 0 || err != nil {
		t.Errorf("%d processes were left, %v", n, err)
	}
	if outcome, err := r.Recover(t.Context(), a); err != nil || outcome.Verdict != action.Lost {
		t.Errorf("Recover = %+v, %v", outcome, err)
	}
}

func TestWithoutDockerTheMessageSaysSo(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "compose.yml"), []byte("services: {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Roots: []string{root}, Worker: "w", Docker: "no-such-docker"})
	if err != nil {
		t.Fatal(err)
	}
	a := action.Attempt{ID: "x-1", Job: &v1.Job{Spec: v1.JobSpec{Deploy: &v1.DeployAction{Verb: v1.DeployUp}}}}
	outcome := r.Run(t.Context(), a, &recorder{})
	if outcome.Reason != v1.ReasonCommandUnavailable || !strings.Contains(outcome.Message, "Install docker") {
		t.Errorf("outcome = %+v", outcome)
	}
	a.Job.Spec.Deploy = nil
	if outcome := r.Run(t.Context(), a, &recorder{}); outcome.Reason != v1.ReasonInvalidArguments {
		t.Errorf("without a payload: %+v", outcome)
	}
}
