package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
)

// service is one of the tests' program, with what follows its command in YAML.
func service(name, command, more string) string {
	return fmt.Sprintf("  %s: {image: '%s', command: [%s], pull_policy: never, stop_grace_period: 1s%s}\n", name, image, command, more)
}

const checked = ", healthcheck: {test: [CMD, /app, check], interval: 300ms, retries: 1000}"

// TestADeployIsJudgedByItsServices carries each case out on the real engine.
func TestADeployIsJudgedByItsServices(t *testing.T) {
	needEngine(t)
	for name, tc := range map[string]struct {
		services string
		change   func(*v1.DeployAction)
		files    map[string]string
		want     string // the reason; empty: it succeeds
		message  []string
		states   string // of the services, in the result
	}{
		"without a health check": {services: service("web", "web", ""), states: "web running"},
		"a slow start":           {services: service("web", "slow", checked), states: "web healthy"},
		"a one-shot beside a server": {
			services: service("web", "web", "") + service("init", "once", ""), states: "init completed, web running",
		},
		"a server that waits for a one-shot": {
			services: service("web", "web", ", depends_on: {init: {condition: service_completed_successfully}}") + service("init", "once", ""),
			states:   "init completed, web running",
		},
		"a one-shot that fails": {
			services: service("web", "web", ", depends_on: {init: {condition: service_completed_successfully}}") + service("init", "fail", ""),
			want:     v1.ReasonContainerFailed, message: []string{"service init: ended with exit code 3", "hello from fail"},
		},
		"a wrong environment": {
			services: service("web", "needs, DATABASE_URL", ""),
			want:     v1.ReasonContainerFailed, message: []string{"service web: ended with exit code 4", "DATABASE_URL is not set"}, states: "web exited",
		},
		"a crash loop": {
			services: service("web", "crash", ", restart: always"),
			change:   func(d *v1.DeployAction) { d.Health.MaxRestarts = new(int32) },
			want:     v1.ReasonCrashLoop, message: []string{"service web: restarted", "health.maxRestarts is 0"}, states: "web restarting",
		},
		"a health check that fails": {
			services: service("web", "web", ", healthcheck: {test: [CMD, /app, check], interval: 200ms, retries: 2}"),
			want:     v1.ReasonUnhealthy, message: []string{"service web: its health check fails", "not ready", "hello from web"}, states: "web unhealthy",
		},
		"an image that is not there": {
			services: "  web: {image: 'jobwright-none:1', pull_policy: never}\n",
			want:     v1.ReasonPullFailed, message: []string{"service web", "jobwright-none:1"},
		},
		"a build that fails": {
			services: "  web: {build: {context: .}}\n", files: map[string]string{"Dockerfile": "FROM scratch\nCOPY none /none\n"},
			want: v1.ReasonBuildFailed, message: []string{"none"},
		},
		"a compose file that is no YAML": {
			services: "  web: [\n",
			want:     v1.ReasonInvalidComposeFile, message: []string{"yaml", "Nothing was started"},
		},
		"a variable that is missing": {
			services: "  web: {image: '${JOBWRIGHT_TEST_NONE:?say which}'}\n",
			want:     v1.ReasonInvalidComposeFile, message: []string{"JOBWRIGHT_TEST_NONE", "say which"},
		},
		"expectations of a service that is not there": {
			services: service("web", "web", ""),
			change: func(d *v1.DeployAction) {
				d.Health.Services = map[string]v1.ServiceHealth{"wbe": {Expect: v1.ExpectAny}}
			},
			want: v1.ReasonInvalidArguments, message: []string{"spec.deploy.health.services[wbe]: Not found"},
		},
		"no compose file": {
			services: service("web", "web", ""), change: func(d *v1.DeployAction) { d.ComposePath = "none.yml" },
			want: v1.ReasonInvalidArguments, message: []string{"spec.deploy.composePath: Not found"},
		},
		"a stage that gets nowhere": {
			services: service("web", "web", "") + service("later", "web", ", depends_on: {web: {condition: service_completed_successfully}}"),
			change:   func(d *v1.DeployAction) { one := int32(1); d.Limits = &v1.DeployLimits{HealthSeconds: &one} },
			want:     v1.ReasonStageTimeout, message: []string{"spec.deploy.limits.healthSeconds is 1", "service web", "later (created)"},
		},
		"a health check that takes longer than the limit, and passes": {
			services: service("web", "slow", ", healthcheck: {test: [CMD, /app, check], interval: 500ms, retries: 3, start_period: 60s}"),
			change:   func(d *v1.DeployAction) { one := int32(1); d.Limits = &v1.DeployLimits{HealthSeconds: &one} },
			states:   "web healthy",
		},
		"a migration that tells of its steps": {
			services: service("migrate", "tick, '12', '0'", "") + service("web", "web", ", depends_on: {migrate: {condition: service_completed_successfully}}"),
			change:   func(d *v1.DeployAction) { one := int32(1); d.Limits = &v1.DeployLimits{HealthSeconds: &one} },
			states:   "migrate completed, web running",
		},
		"what is not up within --wait-timeout": {
			services: service("web", "web", ""),
			change: func(d *v1.DeployAction) {
				d.ExtraArgs, d.Health.Services = []string{"--wait-timeout=1"}, map[string]v1.ServiceHealth{"web": {Expect: v1.ExpectCompleted}}
			},
			want: v1.ReasonStageTimeout, message: []string{"--wait-timeout allows 1s", "service web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, attempt := project(t, tc.services)
			for file, text := range tc.files {
				if err := os.WriteFile(filepath.Join(r.roots[0].given, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if tc.want == v1.ReasonInvalidComposeFile {
				t.Cleanup(func() { // the clean-up has to read it
					_ = os.WriteFile(filepath.Join(r.roots[0].given, "compose.yml"), []byte("services: {a: {image: a}}\n"), 0o600)
				})
			}
			a, out := attempt(v1.DeployUp), &recorder{}
			stable := int32(0) // what is to come up need not prove for how long
			if tc.want != "" {
				stable = 600 // and what is not to gets all the time that a busy machine needs
			}
			a.Job.Spec.Deploy.Health = &v1.DeployHealth{StableSeconds: &stable}
			if tc.change != nil {
				tc.change(a.Job.Spec.Deploy)
			}
			o := r.Run(t.Context(), a, out)
			if (o.Verdict == action.Succeeded) != (tc.want == "") || o.Reason != tc.want {
				t.Fatalf("%+v\n%s", o, out.text.String())
			}
			for _, part := range tc.message {
				if !strings.Contains(o.Message, part) {
					t.Errorf("the message lacks %q: %s", part, o.Message)
				}
			}
			if tc.states != "" && statesOf(t, o) != tc.states {
				t.Errorf("services: %s, want %s", statesOf(t, o), tc.states)
			}
			if tc.want == "" && len(out.results) < 2 {
				t.Errorf("the services were not shown while they came up: %v", out.results)
			}
		})
	}
}

// statesOf are the services of a result with their states.
func statesOf(t *testing.T, o action.Outcome) string {
	t.Helper()
	if o.Result == nil {
		return ""
	}
	var r result
	if err := json.Unmarshal(o.Result.Raw, &r); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range r.Services {
		out = append(out, s.Name+" "+s.State)
	}
	return strings.Join(out, ", ")
}

// freePort is a port that nobody listened at a moment ago.
func freePort(t *testing.T) (port int, held net.Listener) {
	t.Helper()
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return held.Addr().(*net.TCPAddr).Port, held
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	t.Parallel()
	needEngine(t)
	port, held := freePort(t)
	defer held.Close()
	r, attempt := project(t, service("web", "listen", fmt.Sprintf(", ports: ['127.0.0.1:%d:8080']", port)))
	o := r.Run(t.Context(), attempt(v1.DeployUp), &recorder{})
	if o.Reason != v1.ReasonPortConflict || !strings.Contains(o.Message, fmt.Sprint(port)) || !strings.Contains(o.Message, "service web") {
		t.Errorf("%+v", o)
	}
}

func TestTheProbeIsAskedOnceEverythingIsUp(t *testing.T) {
	t.Parallel()
	needEngine(t)
	// The engine picks the port, so that nobody else has it; the job names it by a first
	// look at what was published.
	r, attempt := project(t, service("web", "listen", ", ports: ['127.0.0.1::8080']"))
	a := attempt(v1.DeployUp)
	a.Job.Spec.Deploy.Health = &v1.DeployHealth{StableSeconds: new(int32)}
	if o := r.Run(t.Context(), a, &recorder{}); o.Verdict != action.Succeeded {
		t.Fatalf("%+v", o)
	}
	out, err := exec.CommandContext(t.Context(), "docker", "compose", "-p", a.Job.Spec.Deploy.ProjectName, "-f", filepath.Join(r.roots[0].given, "compose.yml"), "port", "web", "8080").Output()
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(string(out))
	ask := func(url string, seconds int32) action.Outcome {
		a := attempt(v1.DeployUp)
		a.Job.Spec.Deploy.Health = &v1.DeployHealth{StableSeconds: new(int32), Probe: &v1.HTTPProbe{URL: url}}
		a.Job.Spec.Deploy.Limits = &v1.DeployLimits{HealthSeconds: &seconds}
		return r.Run(t.Context(), a, &recorder{})
	}
	for _, step := range []struct {
		path, want string
		seconds    int32
	}{{"/ok", "", 60}, {"/bad", v1.ReasonUnhealthy, 1}} { // in this order: what has answered once answers at once
		path, want := step.path, step.want
		o := ask("http://"+address+path, step.seconds)
		if o.Reason != want || (o.Verdict == action.Succeeded) != (want == "") {
			t.Errorf("%s: %+v", path, o)
		}
		if want != "" && !strings.Contains(o.Message, "503") {
			t.Errorf("%s: the message does not tell the answer: %s", path, o.Message)
		}
	}
	listener := http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	port, held := freePort(t)
	go func() { _ = listener.Serve(held) }()
	defer listener.Close()
	if o := ask(fmt.Sprintf("http://127.0.0.1:%d/", port), 1); o.Reason != v1.ReasonUnhealthy || !strings.Contains(o.Message, "no port that a container of the deploy publishes") {
		t.Errorf("a probe of somebody else's port: %+v", o)
	}
}

// TestACanceledDeployLeavesNothingInBetween stops a deploy at each stage.
func TestACanceledDeployLeavesNothingInBetween(t *testing.T) {
	needEngine(t)
	second := service("db", "web", ", healthcheck: {test: [CMD, /app, check], interval: 1h}")
	for name, tc := range map[string]struct {
		before string // what runs before; empty: nothing
		during string
		at     string // the line of the log at which it is canceled
		want   string // in the message
		left   string // the services with a container afterwards
	}{
		"before anything is made": {during: service("web", "web", ""), at: "docker compose", want: "", left: ""},
		"a new project that waits for health": {
			during: second + service("web", "web", ", depends_on: {db: {condition: service_healthy}}"), at: "Waiting",
			want: "taken down again", left: "",
		},
		"a project whose containers are replaced": {
			before: service("web", "web", ""), during: service("web", "web, again", "") + second, at: "web-1  Recreate",
			want: "as", left: "web",
		},
		"everything is started": {during: second, at: "db: starting", want: "stays", left: "db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, attempt := project(t, tc.during)
			write := func(services string) {
				if err := os.WriteFile(filepath.Join(r.roots[0].given, "compose.yml"), []byte("services:\n"+services), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if tc.before != "" {
				write(tc.before)
				a := attempt(v1.DeployUp)
				a.Job.Spec.Deploy.Health = &v1.DeployHealth{StableSeconds: new(int32)}
				if o := r.Run(t.Context(), a, &recorder{}); o.Verdict != action.Succeeded {
					t.Fatalf("%+v", o)
				}
				write(tc.during)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out := &recorder{onLog: func(line string) {
				if strings.Contains(line, tc.at) {
					cancel()
				}
			}}
			o := r.Run(ctx, attempt(v1.DeployUp), out)
			if o.Verdict != action.Stopped || !strings.Contains(o.Message, tc.want) {
				t.Errorf("%+v\n%s", o, out.text.String())
			}
			a := attempt(v1.DeployPs)
			seen, err := r.project(a, a.Job.Spec.Deploy.ProjectName).Containers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			services := map[string]bool{}
			for _, c := range seen {
				if services[c.Service] = true; c.Status != "running" {
					t.Errorf("%s is in between: %s", c.Name, c.Status)
				}
			}
			for must := range strings.FieldsSeq(tc.left) {
				if !services[must] {
					t.Errorf("%s has no container any more: %s", must, o.Message)
				}
			}
			if tc.left == "" && len(seen) > 0 {
				t.Errorf("%d containers are left: %s", len(seen), o.Message)
			}
		})
	}
}

// TestAnEngineThatStopsMidwayIsSaid cuts the connection to the engine while a deploy waits
// for health.
func TestAnEngineThatStopsMidwayIsSaid(t *testing.T) {
	needEngine(t)
	r, attempt := project(t, service("web", "web", ", healthcheck: {test: [CMD, /app, check], interval: 1h}"))
	cut := cuttable(t)
	a := attempt(v1.DeployUp)
	out := &recorder{onLog: func(line string) {
		if strings.Contains(line, "web: starting") {
			cut()
		}
	}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o := r.Run(ctx, a, out)
	if o.Reason != v1.ReasonEngineUnavailable || !strings.Contains(o.Message, "does not answer") {
		t.Errorf("%+v\n%s", o, out.text.String())
	}
	t.Setenv("DOCKER_HOST", "") // the clean-up needs the engine
}

// cuttable puts a socket of the test's own before the engine's, and returns what cuts it.
func cuttable(t *testing.T) func() {
	t.Helper()
	socket := "/var/run/docker.sock"
	if host, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); ok {
		socket = host
	}
	dir, err := os.MkdirTemp("", "jw") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	done := false
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			engine, err := net.Dial("unix", socket)
			mu.Lock()
			if err != nil || done {
				in.Close()
			} else {
				open = append(open, in, engine)
				go func() { _, _ = io.Copy(in, engine); in.Close() }()
				go func() { _, _ = io.Copy(engine, in); engine.Close() }()
			}
			mu.Unlock()
		}
	}()
	cut := func() {
		mu.Lock()
		defer mu.Unlock()
		done = true
		listener.Close()
		for _, c := range open {
			c.Close()
		}
	}
	t.Cleanup(cut)
	t.Setenv("DOCKER_HOST", "unix://"+path)
	return cut
}

// BenchmarkUp compares a deploy of a service with a health check with the bare docker
// compose up --wait, each of a project that is made anew.
//
// Two cores of an AMD EPYC under load, go1.26, 8 of each in one run: bare 2.79 s, ours 2.59 s,
// 7 % less, with the revision kept. Ours starts nine more docker programs, and learns of the
// health by an event, where compose asks twice a second.
func BenchmarkUp(b *testing.B) {
	if exec.Command("docker", "info").Run() != nil {
		b.Skip("needs a docker engine with the compose plugin")
	}
	imageOnce.Do(func() { imageErr = makeImage(b.TempDir()) })
	if imageErr != nil {
		b.Fatal(imageErr)
	}
	root := b.TempDir()
	file := filepath.Join(root, "compose.yml")
	if err := os.WriteFile(file, []byte("services:\n"+service("web", "slow", checked)), 0o600); err != nil {
		b.Fatal(err)
	}
	kept, err := revisions.Open(filepath.Join(b.TempDir(), "revisions"), 3)
	if err != nil {
		b.Fatal(err)
	}
	r, err := New(Options{Roots: []string{root}, Worker: "bench", Revisions: kept})
	if err != nil {
		b.Fatal(err)
	}
	const name = "jobwright-bench"
	down := func() {
		b.Helper()
		if out, err := exec.Command("docker", "compose", "-f", file, "-p", name, "down", "-t", "1").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	b.Cleanup(func() {
		down()
		if err := r.Forget(context.Background(), "acme", name); err != nil {
			b.Errorf("clean up: %v", err)
		}
	})
	var bare, ours time.Duration
	for b.Loop() {
		down()
		start := time.Now()
		if out, err := exec.Command("docker", "compose", "-f", file, "-p", name, "up", "-d", "--wait").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, bytes.TrimSpace(out))
		}
		bare += time.Since(start)
		down()
		start = time.Now()
		job := &v1.Job{Spec: v1.JobSpec{Deploy: &v1.DeployAction{Verb: v1.DeployUp, ProjectName: name}}}
		job.Namespace = "acme"
		if o := r.Run(b.Context(), action.Attempt{ID: "bench", Job: job, Grace: time.Second}, &recorder{}); o.Verdict != action.Succeeded {
			b.Fatalf("%+v", o)
		}
		ours += time.Since(start)
	}
	b.ReportMetric(bare.Seconds()/float64(b.N)*1e3, "ms-bare")
	b.ReportMetric(ours.Seconds()/float64(b.N)*1e3, "ms-ours")
	b.ReportMetric(100*(ours-bare).Seconds()/bare.Seconds(), "%more")
}
