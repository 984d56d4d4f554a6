package main_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

// TestAServerWhoseClockJumps runs the real server under a wall clock that jumps while
// jobs are queued, at work, in a back-off and near each of their limits, kills it while
// the clock is wrong, starts it again, and sets the clock right. Whatever the clock
// says, every job ends, as it should have ended; jobs stand in the order in which they
// were created; a watch sees each change once; nothing that was acknowledged is lost.
func TestAServerWhoseClockJumps(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	k := &killed{t: t, bin: t.TempDir(), overlay: steppedOverlay(t)}
	k.build()
	const day = 24 * time.Hour
	jumps := map[string]time.Duration{
		"back by a day": -day, "back by ten years": -3653 * day, "forward by a day": day,
	}
	var mu sync.Mutex
	jobs, changes := 0, 0
	t.Run("jumps", func(t *testing.T) {
		for name, step := range jumps {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // most of it waits for limits of a second or two
				s := newStepped(t, k.bin)
				s.story(step)
				mu.Lock()
				defer mu.Unlock()
				jobs, changes = jobs+len(s.created), changes+s.changes
			})
		}
	})
	t.Logf("campaign: real server, clock jumps: %d jumps of the clock, %d kills while it is wrong, %d jobs acknowledged, %d changes watched",
		3*len(jumps), len(jumps), jobs, changes)
}

// story is what happens to one server: step is how far its clock jumps.
func (s *stepped) story(step time.Duration) {
	s.start()
	s.ready()
	go s.watch()
	limited := func(spec v1.JobSpec) v1.JobSpec {
		spec.APICall = s.call("hold")
		return spec
	}
	two, hour := new(int64(2)), new(int64(3600))
	key := &v1.Concurrency{Key: "one"}

	// At work, waiting, and near a limit, when the clock jumps.
	s.create("running", v1.JobSpec{APICall: s.call("hold"), Concurrency: key})
	s.create("killed", v1.JobSpec{APICall: s.call("hold")})
	s.create("once", v1.JobSpec{APICall: &v1.APICallAction{URL: s.call("hold").URL, Method: http.MethodPost}})
	s.create("deadline", limited(v1.JobSpec{ActiveDeadlineSeconds: two}))
	s.create("timeout", limited(v1.JobSpec{AttemptTimeoutSeconds: two}))
	s.create("idle", limited(v1.JobSpec{IdleTimeoutSeconds: two}))
	s.create("retrying", v1.JobSpec{APICall: s.call("later"), BackoffLimit: new(int32(1)), Backoff: &v1.Backoff{InitialSeconds: new(int32(0))}})
	s.create("rated", v1.JobSpec{APICall: s.call(""), RateLimit: &v1.RateLimit{Key: "rate", PerSeconds: 2}})
	for _, name := range []string{"running", "killed", "once", "deadline", "timeout", "idle", "retrying", "rated"} {
		s.until(name, "has been started", func(j *v1.Job) bool { return j.Status.Attempts > 0 })
	}
	s.create("behind", v1.JobSpec{APICall: s.call(""), Concurrency: key})
	s.create("late", v1.JobSpec{APICall: s.call(""), Concurrency: key, StartDeadlineSeconds: two})
	s.create("after", v1.JobSpec{APICall: s.call(""), DependsOn: []v1.JobDependency{{Name: "running"}}})
	// The clock will say that this is due, when it is right again or at once.
	due := s.clock.now().Add(3 * time.Second)
	if step > 0 {
		due = due.Add(step / 2)
	}
	s.create("scheduled", v1.JobSpec{APICall: s.call(""), StartAfter: &metav1.Time{Time: due}})
	if step < 0 {
		s.create("patient", limited(v1.JobSpec{ActiveDeadlineSeconds: hour, AttemptTimeoutSeconds: hour, IdleTimeoutSeconds: hour}))
		s.until("patient", "is running", func(j *v1.Job) bool { return j.Status.Phase == v1.JobRunning })
	}

	s.clock.set(step)
	s.wantClock()
	for n := range 5 {
		s.create(fmt.Sprint("jumped-", n), v1.JobSpec{APICall: s.call("")})
	}
	s.ends("deadline", v1.JobFailed, v1.ReasonDeadlineExceeded)
	s.ends("timeout", v1.JobFailed, v1.ReasonAttemptTimeout)
	s.ends("idle", v1.JobFailed, v1.ReasonIdleTimeout)
	s.ends("late", v1.JobFailed, v1.ReasonStartDeadlineExceeded)
	s.target.release("running")
	for _, name := range []string{"running", "behind", "after", "rated", "jumped-0", "jumped-1", "jumped-2", "jumped-3", "jumped-4"} {
		s.ends(name, v1.JobSucceeded, v1.ReasonCompleted)
	}
	s.wantOrder()

	s.kill()
	s.log.Reset()
	s.start()
	s.ready()
	s.wantClock()
	s.ends("once", v1.JobFailed, v1.ReasonInterrupted)
	s.until("killed", "was run again", func(j *v1.Job) bool { return j.Status.Attempts == 2 && j.Status.Phase == v1.JobRunning })
	s.target.release("killed")
	s.ends("killed", v1.JobSucceeded, v1.ReasonCompleted)
	s.ends("retrying", v1.JobSucceeded, v1.ReasonCompleted)
	for n := range 3 {
		s.create(fmt.Sprint("restarted-", n), v1.JobSpec{APICall: s.call("")})
		s.ends(fmt.Sprint("restarted-", n), v1.JobSucceeded, v1.ReasonCompleted)
	}
	if step < 0 {
		s.until("patient", "was run again", func(j *v1.Job) bool { return j.Status.Attempts == 2 && j.Status.Phase == v1.JobRunning })
		if n := s.target.count("scheduled"); n > 0 {
			s.t.Errorf("scheduled was started %d times, and its time has not come: %s by the server's clock, startAfter %s", n, s.clock.now(), due)
		}
	}
	s.wantOrder()
	s.stop()
	s.fsck()
	s.start()
	s.ready()

	s.clock.set(0)
	s.wantClock()
	s.create("right", v1.JobSpec{APICall: s.call("later"), BackoffLimit: new(int32(1)), Backoff: &v1.Backoff{InitialSeconds: new(int32(0))}})
	for _, name := range []string{"scheduled", "right"} {
		s.ends(name, v1.JobSucceeded, v1.ReasonCompleted)
	}
	if step < 0 {
		s.target.release("patient")
		s.ends("patient", v1.JobSucceeded, v1.ReasonCompleted)
	}
	if step > -48*time.Hour {
		s.wantOrder()
	}
	s.wantTruth()
	if text := s.log.String(); strings.Contains(text, "was edited") {
		s.t.Errorf("jobs.json was taken for edited:\n%s", text)
	}
	s.stop()
	s.fsck()
}

// stepped is a server with a clock that jumps.
type stepped struct {
	killed
	clock  *clock
	target *heldCalls
	api    *client.Client
	// created are the jobs' names in the order in which the server took them.
	created []string

	mu      sync.Mutex
	seen    map[string]*v1.Job // what the watch has told
	moved   chan struct{}
	last    uint64 // resourceVersion
	changes int
}

func newStepped(t *testing.T, bin string) *stepped {
	t.Helper()
	s := &stepped{
		killed: killed{t: t, bin: bin, dir: t.TempDir(), address: freeAddress(t)},
		clock:  newClock(t), seen: map[string]*v1.Job{}, moved: make(chan struct{}),
		target: &heldCalls{calls: map[string]int{}, held: map[string]chan struct{}{}},
	}
	s.env = []string{"JOBWRIGHT_TEST_CLOCK=" + s.clock.file.Name()}
	s.flags = []string{"--allow-private-addresses", "--max-concurrent-jobs=32", "--lease=2s"}
	server := httptest.NewServer(s.target)
	s.target.url = server.URL
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(func() {
		if s.cmd != nil && s.cmd.ProcessState == nil {
			s.kill()
		}
	})
	if err := os.WriteFile(filepath.Join(s.dir, "mcp.json"), []byte(`{"mcpServers":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.api, err = client.New(client.Config{Server: "http://" + s.address}); err != nil {
		t.Fatal(err)
	}
	return s
}

// call is a request that may be repeated; what is what the target does with it.
func (s *stepped) call(what string) *v1.APICallAction {
	return &v1.APICallAction{URL: s.target.url + "/?do=" + what, Method: http.MethodPut}
}

func (s *stepped) create(name string, spec v1.JobSpec) {
	s.t.Helper()
	spec.APICall.URL += "&job=" + name
	job := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: v1.DefaultWorkspace}, Spec: spec,
	}
	if _, err := s.api.Create(s.t.Context(), job); err != nil {
		s.t.Fatalf("create %s: %v\n%s", name, err, s.log.String())
	}
	s.created = append(s.created, name)
}

// watch follows every job until the test ends, over all lives of the server.
func (s *stepped) watch() {
	kind, _ := v1.KindByName(v1.KindJob)
	for event, err := range s.api.Watch(s.t.Context(), kind, client.WatchOptions{Namespace: v1.DefaultWorkspace}) {
		if err != nil {
			if s.t.Context().Err() == nil {
				s.t.Errorf("watch: %v", err)
			}
			return
		}
		s.take(event)
	}
}

func (s *stepped) take(event client.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	job := event.Object.(*v1.Job)
	version, err := strconv.ParseUint(job.ResourceVersion, 10, 64)
	if err != nil || version <= s.last {
		s.t.Errorf("%s of %s has version %s after %d", event.Type, job.Name, job.ResourceVersion, s.last)
	}
	if known := s.seen[job.Name] != nil; known != (event.Type == "MODIFIED") {
		s.t.Errorf("%s of %s, which was known: %t", event.Type, job.Name, known)
	}
	for _, err := range v1.Check(job) {
		s.t.Error(err)
	}
	s.seen[job.Name], s.last = job, version
	s.changes++
	close(s.moved)
	s.moved = make(chan struct{})
}

// until waits until the watch has told of the job what is asked for.
func (s *stepped) until(name, what string, is func(*v1.Job) bool) *v1.Job {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 15*time.Second)
	defer cancel()
	for {
		s.mu.Lock()
		job, moved := s.seen[name], s.moved
		s.mu.Unlock()
		if job != nil && is(job) {
			return job
		}
		select {
		case <-moved:
		case <-ctx.Done():
			s.t.Errorf("it does not come to this: %s %s; the server's clock says %s, the job's status is %s",
				name, what, s.clock.now().UTC().Format(time.RFC3339), s.jobwright("get", "job", name, "-o", "jsonpath={.status}"))
			return job
		}
	}
}

func (s *stepped) ends(name string, phase v1.JobPhase, reason string) {
	s.t.Helper()
	job := s.until(name, "ends", func(j *v1.Job) bool { return j.Status.Phase.Terminal() })
	if job != nil && (job.Status.Phase != phase || job.Status.Reason != reason) {
		s.t.Errorf("%s ended %s/%s, want %s/%s: %s", name, job.Status.Phase, job.Status.Reason, phase, reason, job.Status.Message)
	}
}

// wantClock checks that the server goes by the clock that was set.
func (s *stepped) wantClock() {
	s.t.Helper()
	response, err := http.Get("http://" + s.address + "/livez")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	says, err := http.ParseTime(response.Header.Get("Date"))
	if off := says.Sub(s.clock.now()); err != nil || off.Abs() > time.Minute {
		s.t.Fatalf("the server's clock is off by %s from where it was set: %v", off, err)
	}
}

// wantOrder checks that every job is there, and that they stand as they were created.
func (s *stepped) wantOrder() {
	s.t.Helper()
	kind, _ := v1.KindByName(v1.KindJob)
	list, err := s.api.ListAll(s.t.Context(), kind, client.ListOptions{Namespace: v1.DefaultWorkspace})
	if err != nil {
		s.t.Fatal(err)
	}
	uids := map[string]string{}
	for _, obj := range list.Items {
		uids[obj.GetName()] = string(obj.GetUID())
	}
	if s.clock.step < -24*time.Hour {
		return // a start takes no uid for the store's last one that is a day ahead
	}
	byUID := slices.SortedFunc(slices.Values(s.created), func(a, b string) int { return strings.Compare(uids[a], uids[b]) })
	if len(uids) != len(s.created) || !slices.Equal(byUID, s.created) {
		s.t.Errorf("by their uids %d jobs stand in the order %v, created were %v", len(uids), byUID, s.created)
	}
}

// wantTruth checks each outcome against what the target has seen.
func (s *stepped) wantTruth() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range s.created {
		job := s.seen[name]
		if job == nil || !job.Status.Phase.Terminal() {
			s.t.Errorf("%s did not end: %+v", name, job)
			continue
		}
		if calls := s.target.count(name); calls != int(job.Status.Attempts) {
			s.t.Errorf("%s was called %d times in %d attempts", name, calls, job.Status.Attempts)
		}
	}
}

// heldCalls answers requests as their job asks for.
type heldCalls struct {
	url   string
	mu    sync.Mutex
	calls map[string]int
	held  map[string]chan struct{}
}

func (h *heldCalls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("job")
	h.mu.Lock()
	h.calls[name]++
	first := h.calls[name] == 1
	h.mu.Unlock()
	switch r.URL.Query().Get("do") {
	case "hold":
		select {
		case <-h.gate(name):
		case <-r.Context().Done():
		}
	case "later":
		if first {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
}

func (h *heldCalls) gate(name string) chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[name] == nil {
		h.held[name] = make(chan struct{})
	}
	return h.held[name]
}

// release answers the calls of a job, now and from now on.
func (h *heldCalls) release(name string) { close(h.gate(name)) }

func (h *heldCalls) count(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[name]
}
