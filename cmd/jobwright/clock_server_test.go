package main_test

import (
	"context"
	"encoding/json"
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
	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
)

// stepped is a server with a clock that jumps.
type stepped struct {
	killed
	clock  *clock
	starts int
	target *heldCalls
	api    *client.Client
	// created are the jobs' names in the order in which they are to stand: that in which
	// the server took them, but that what it takes while before is set comes first.
	created []string
	before  bool
	early   int // how many did

	mu      sync.Mutex
	seen    map[string]*v1.Job // what the watch has told
	moved   chan struct{}
	last    uint64 // the highest resourceVersion of it
	anew    bool   // the watch tells what there is
	anews   int    // how often it began to
	changes int
}

func newStepped(t *testing.T, bin string) *stepped {
	t.Helper()
	s := &stepped{
		killed: killed{t: t, bin: bin, dir: t.TempDir(), address: servertest.Address(t)},
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

// start starts the server, and waits until it serves by the clock that is set.
func (s *stepped) start() {
	s.t.Helper()
	s.starts++
	s.killed.start()
	s.ready()
	s.wantClock()
}

// call is a request that may be repeated; what is what the target does with it.
func (s *stepped) call(what string) *v1.APICallAction {
	return &v1.APICallAction{URL: s.target.url + "/?do=" + what, Method: http.MethodPut, TimeoutSeconds: patience}
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
	if s.before {
		s.created = slices.Insert(s.created, s.early, name)
		s.early++
		return
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

// take checks one change: versions ascend, a job is added once. What a server did while
// nobody could hear it, as its last words, it does not remember after its restart; then
// the client begins anew with what there is, each job at least as it was known.
func (s *stepped) take(event client.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	job := event.Object.(*v1.Job)
	version, known := s.version(job), s.version(s.seen[job.Name])
	if again := event.Type == "ADDED" && known > 0; again && !s.anew {
		s.anew = true
		s.anews++
	} else if !again && event.Type == "MODIFIED" {
		s.anew = false
	}
	switch {
	case s.anew && version < known, !s.anew && version <= s.last:
		s.t.Errorf("%s of %s has version %d after %d, of all %d", event.Type, job.Name, version, known, s.last)
	case !s.anew && (known > 0) != (event.Type == "MODIFIED"):
		s.t.Errorf("%s of %s, which was known: %t", event.Type, job.Name, known > 0)
	}
	for _, err := range v1.Check(job) {
		s.t.Error(err)
	}
	s.seen[job.Name], s.last = job, max(s.last, version)
	s.changes++
	close(s.moved)
	s.moved = make(chan struct{})
}

// version is 0 for no job.
func (s *stepped) version(job *v1.Job) uint64 {
	if job == nil {
		return 0
	}
	version, err := strconv.ParseUint(job.ResourceVersion, 10, 64)
	if err != nil {
		s.t.Errorf("%s: %v", job.Name, err)
	}
	return version
}

// until waits until the watch has told of the job what is asked for.
func (s *stepped) until(name, what string, is func(*v1.Job) bool) *v1.Job {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
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

func (s *stepped) succeed(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.ends(name, v1.JobSucceeded, v1.ReasonCompleted)
	}
}

// reconciles is how many this life of the server has made.
func (s *stepped) reconciles() int {
	s.t.Helper()
	_, text := s.fetch(http.MethodGet, "/metrics", "")
	sum := 0.0
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, `jobwright_reconcile_total{controller="job",result="success"} `); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				s.t.Fatal(err)
			}
			sum += n
		}
	}
	return int(sum)
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

// wantOrder checks that every job is there, and that they stand as they were created, in
// their uids and in the list that begins with the newest.
func (s *stepped) wantOrder() {
	s.t.Helper()
	objs := s.list()
	slices.SortFunc(objs, func(a, b v1.Object) int { return strings.Compare(string(a.GetUID()), string(b.GetUID())) })
	var byUID []string
	for _, obj := range objs {
		byUID = append(byUID, obj.GetName())
	}
	code, text := s.fetch(http.MethodGet, "/apis/jobwright.dev/v1/namespaces/default/jobs?order=newestFirst", "")
	var newest struct {
		Items []struct {
			Metadata metav1.ObjectMeta `json:"metadata"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(text), &newest); err != nil || code != http.StatusOK {
		s.t.Fatalf("%d %v %s", code, err, text)
	}
	var listed []string
	for _, item := range newest.Items {
		listed = append(listed, item.Metadata.Name)
	}
	slices.Reverse(listed)
	for order, got := range map[string][]string{"their uids": byUID, "the list": listed} {
		if !slices.Equal(got, s.created) {
			s.t.Errorf("by %s jobs stand as %v, created were %v", order, got, s.created)
		}
	}
}

// wantTruth checks that the watch has told the truth, and each outcome against what the
// target has seen.
func (s *stepped) wantTruth() {
	s.t.Helper()
	for _, obj := range s.list() {
		job := s.until(obj.GetName(), "is told of as it is", func(j *v1.Job) bool { return j.ResourceVersion == obj.GetResourceVersion() })
		if job == nil || !job.Status.Phase.Terminal() {
			s.t.Errorf("%s did not end: %+v", obj.GetName(), job)
			continue
		}
		if calls := s.target.count(job.Name); calls != int(job.Status.Attempts) {
			s.t.Errorf("%s was called %d times in %d attempts", job.Name, calls, job.Status.Attempts)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.anews > s.starts-1 {
		s.t.Errorf("the watch began anew %d times, the server %d times", s.anews, s.starts-1)
	}
}

func (s *stepped) list() []v1.Object {
	s.t.Helper()
	kind, _ := v1.KindByName(v1.KindJob)
	list, err := s.api.ListAll(s.t.Context(), kind, client.ListOptions{Namespace: v1.DefaultWorkspace})
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.log.String())
	}
	return list.Items
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
