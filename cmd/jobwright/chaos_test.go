package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/storetest"
)

// called counts the requests that api_call jobs make, by job.
type called struct {
	mu    sync.Mutex
	began map[string]int
	ended map[string]int
}

func (c *called) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("job")
	c.mu.Lock()
	c.began[name]++
	c.mu.Unlock()
	if d, err := time.ParseDuration(r.URL.Query().Get("take")); err == nil {
		timer := time.NewTimer(d)
		defer timer.Stop()
		<-timer.C
	}
	if r.URL.Query().Get("answer") == "503" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	c.mu.Lock()
	c.ended[name]++
	c.mu.Unlock()
}

// chaos is a server under a mixed load that is killed and paused at random.
type chaos struct {
	killed
	r       *rand.Rand
	target  *httptest.Server
	called  called
	compose bool
	api     *client.Client
	jobs    map[string]*v1.Job // what the server has acknowledged
	number  int
}

// TestKillsAndPausesUnderAMixedLoad kills the real server with SIGKILL, or stops it for
// a while with SIGSTOP, at random moments while builds, deploys and HTTP calls run as
// real processes and requests. In the end every acknowledged job is there and terminal,
// each outcome is true, and no process is left. JOBWRIGHT_TEST_KILLS says how often
// (default 4; 200 is the long campaign).
func TestKillsAndPausesUnderAMixedLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	rounds := storetest.Rounds(t, "JOBWRIGHT_TEST_KILLS", 4)
	c := newChaos(t)
	c.start()
	c.ready()
	kills, pauses := 0, 0
	for range rounds {
		for range 12 {
			c.create()
		}
		pause := time.NewTimer(time.Duration(c.r.IntN(250)) * time.Millisecond)
		<-pause.C
		if c.r.IntN(10) < 7 {
			kills++
			c.signal(syscall.SIGKILL)
			_ = c.cmd.Wait() // killed, as asked
			c.start()
			c.ready()
			continue
		}
		pauses++
		c.signal(syscall.SIGSTOP)
		pause.Reset(300 * time.Millisecond)
		<-pause.C
		c.signal(syscall.SIGCONT)
	}
	ended := c.allEnded()
	t.Logf("campaign: real server, mixed load: %d kills, %d pauses, %d jobs acknowledged: %v", kills, pauses, len(c.jobs), c.check(ended))
	c.signal(syscall.SIGTERM)
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, c.log.String())
	}
	mark := workerMark(t, filepath.Join(c.dir, "data"))
	for _, program := range []string{"tail", "docker", "builders-mcp"} {
		if left := carriers(t, mark, program); len(left) > 0 {
			t.Errorf("processes of %s are left: %v", program, left)
		}
	}
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	c := &chaos{
		killed: killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)},
		r:      rand.New(rand.NewPCG(7, 8)), jobs: map[string]*v1.Job{},
		called: called{began: map[string]int{}, ended: map[string]int{}},
	}
	c.build("jobwright.dev/cmd/builders-mcp")
	c.compose = exec.CommandContext(t.Context(), "docker", "compose", "version").Run() == nil
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{
		"silent":   map[string]any{"command": "tail", "args": []string{"-f", "/dev/null"}},
		"builders": map[string]any{"command": filepath.Join(c.bin, "builders-mcp"), "args": []string{"--root", filepath.Join(c.dir, "app")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"mcp.json": config, "compose.yml": []byte("name: chaos\nservices: {web: {image: scratch}}\n"),
	} {
		if err := os.WriteFile(filepath.Join(c.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.flags = []string{"--compose-root", c.dir, "--allow-private-addresses", "--max-concurrent-jobs=6"}
	c.target = httptest.NewServer(&c.called)
	t.Cleanup(c.target.Close)
	if c.api, err = client.New(client.Config{Server: "http://" + c.address}); err != nil {
		t.Fatal(err)
	}
	return c
}

// create has the server take a random job.
func (c *chaos) create() {
	c.number++
	name := fmt.Sprint("job-", c.number)
	job := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: v1.DefaultWorkspace},
	}
	url := fmt.Sprintf("%s/?job=%s&take=%dms", c.target.URL, name, c.r.IntN(60))
	switch at := c.r.IntN(20); {
	case at < 8: // repeatable
		job.Spec.APICall = &v1.APICallAction{URL: url, Method: http.MethodPut}
	case at < 11: // not repeatable
		job.Spec.APICall = &v1.APICallAction{URL: url, Method: http.MethodPost}
	case at < 13: // fails, and is retried once
		job.Spec.APICall = &v1.APICallAction{URL: url + "&answer=503", Method: http.MethodPut}
		job.Spec.BackoffLimit, job.Spec.Backoff = new(int32(1)), &v1.Backoff{InitialSeconds: new(int32(0))}
	case at < 16:
		job.Spec.Build = &v1.BuildAction{Server: "builders", Action: "apply_builder", ID: "quota-check-lib"}
	case at < 17: // a server that says nothing
		job.Spec.Build = &v1.BuildAction{Server: "silent", Action: "any"}
		job.Spec.OnInterruption, job.Spec.AttemptTimeoutSeconds = v1.InterruptionRerun, new(int64(1))
	case c.compose:
		job.Spec.Deploy = &v1.DeployAction{Verb: v1.DeployConfig, ComposePath: "compose.yml"}
	default:
		job.Spec.APICall = &v1.APICallAction{}
	}
	if c.number > 1 && c.r.IntN(5) == 0 {
		job.Spec.DependsOn = []v1.JobDependency{{Name: fmt.Sprint("job-", 1+c.r.IntN(c.number-1)), Condition: v1.DependencyFinished}}
	}
	if c.r.IntN(4) == 0 {
		job.Spec.Concurrency = &v1.Concurrency{Key: fmt.Sprint("key-", c.r.IntN(3))}
	}
	if _, err := c.api.Create(c.t.Context(), job); err != nil {
		c.t.Fatalf("create %s: %v\n%s", name, err, c.log.String())
	}
	c.jobs[name] = job
	if c.r.IntN(10) == 0 {
		kind, _ := v1.KindByName(v1.KindJob)
		if _, err := c.api.Cancel(c.t.Context(), client.Key{Kind: kind, Namespace: v1.DefaultWorkspace, Name: name}); err == nil {
			job.Spec.Cancel = true
		}
	}
}

// allEnded waits until every job has ended.
func (c *chaos) allEnded() map[string]*v1.Job {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	defer cancel()
	kind, _ := v1.KindByName(v1.KindJob)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		list, err := c.api.ListAll(ctx, kind, client.ListOptions{Namespace: v1.DefaultWorkspace})
		if err != nil {
			c.t.Fatalf("%v\n%s", err, c.log.String())
		}
		ended := map[string]*v1.Job{}
		var open []string
		for _, obj := range list.Items {
			job := obj.(*v1.Job)
			if ended[job.Name] = job; !job.Status.Phase.Terminal() {
				open = append(open, fmt.Sprintf("%s %s %s", job.Name, job.Status.Phase, job.Status.Message))
			}
		}
		if len(open) == 0 {
			return ended
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			c.t.Fatalf("these never end:\n%s\n%s", strings.Join(open, "\n"), c.log.String())
		}
	}
}

// check says what is wrong with the outcomes, and counts them.
func (c *chaos) check(ended map[string]*v1.Job) map[string]int {
	outcomes := map[string]int{}
	c.called.mu.Lock()
	defer c.called.mu.Unlock()
	for name, asked := range c.jobs {
		job := ended[name]
		if job == nil {
			c.t.Errorf("%s was acknowledged and is gone", name)
			continue
		}
		for _, err := range v1.Check(job) {
			c.t.Error(err)
		}
		s := &job.Status
		outcomes[string(s.Phase)+"/"+s.Reason]++
		if s.Phase == v1.JobCanceled && !job.Spec.Cancel {
			c.t.Errorf("%s was canceled though nobody asked for it: %s", name, s.Message)
		}
		call := asked.Spec.APICall
		if call == nil || call.URL == "" {
			continue
		}
		if s.Phase == v1.JobSucceeded && c.called.ended[name] == 0 {
			c.t.Errorf("%s succeeded, and its call never came to an end", name)
		}
		if call.Method == http.MethodPost && c.called.began[name] > 1 {
			c.t.Errorf("%s must not be repeated and was called %d times", name, c.called.began[name])
		}
		if n := int(s.Attempts); c.called.began[name] > n {
			c.t.Errorf("%s was called %d times in %d attempts", name, c.called.began[name], n)
		}
	}
	return outcomes
}
