package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	logfiles "jobwright.dev/store/logs/file"
	"jobwright.dev/store/wire"
)

func open(t *testing.T, address string) *wire.Store {
	t.Helper()
	s, err := wire.New(wire.Options{Server: address, AtomicRerun: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newJob(name string) *v1.Job {
	return &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name},
		Spec:       v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{URL: "http://127.0.0.1:9/"}},
	}
}

func keyOf(name string) store.Key { return store.Key{Kind: v1.KindJob, Namespace: "acme", Name: name} }

// flaky is a server that can be made to lose what it answers, or to break off.
type flaky struct {
	http.Handler
	lose   atomic.Bool // carries writes out and breaks off in place of the answer
	broken atomic.Int32
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.lose.Load() && r.Method != http.MethodGet {
		f.Handler.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	if r.URL.Query().Has("watch") && f.broken.Add(1)%2 == 1 { // every other watch breaks off after its first line
		w = &breaking{ResponseWriter: w}
	}
	f.Handler.ServeHTTP(w, r)
}

// breaking breaks off when a line has been written.
type breaking struct {
	http.ResponseWriter
	written bool
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.written {
		panic(http.ErrAbortHandler)
	}
	b.written = len(p) > 0
	return b.ResponseWriter.Write(p)
}

func (b *breaking) Flush() { _ = http.NewResponseController(b.ResponseWriter).Flush() }

func TestAWatchThatBreaksOffGoesOnWhereItWas(t *testing.T) {
	f := &flaky{}
	objects, address, stop := serve(t, t.TempDir(), func(h http.Handler) http.Handler { f.Handler = h; return f })
	s := open(t, address)
	page, err := s.List(t.Context(), store.ListOptions{Kind: v1.KindJob})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Watch(t.Context(), store.WatchOptions{Kind: v1.KindJob, Since: page.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const n = 40
	first := make(chan struct{})
	go func() {
		for i := range n {
			if i == 1 {
				<-first // so that not all of them come in one write, which breaks nothing off
			}
			if _, err := objects.Create(context.Background(), newJob(fmt.Sprint("job-", i))); err != nil {
				t.Error(err)
			}
		}
	}()
	var got, want []string
	for i := range n {
		want = append(want, fmt.Sprint("job-", i))
	}
	for len(got) < n {
		events, err := w.Next(t.Context())
		if errors.Is(err, store.ErrUnavailable) {
			continue // it broke off twice: its owner decides whether to go on
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if got = append(got, e.Record.Key().Name); len(got) == 1 {
				close(first)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if f.broken.Load() < 2 {
		t.Errorf("%d requests: the watch has not broken off", f.broken.Load())
	}
	stop()
	if _, err := w.Next(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the server is gone, Next: %v, want ErrUnavailable", err)
	}
	s.Close()
	if _, err := w.Next(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("the store is closed, Next: %v, want ErrClosed", err)
	}
}

func TestWhatBecomesOfAWriteWithoutAnAnswer(t *testing.T) {
	f := &flaky{}
	_, address, stop := serve(t, t.TempDir(), func(h http.Handler) http.Handler { f.Handler = h; return f })
	s := open(t, address)
	records, err := s.Create(t.Context(), newJob("a"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := records[0].Job()
	if err != nil {
		t.Fatal(err)
	}
	j.Status.Step = "written"
	f.lose.Store(true)
	if _, err := s.UpdateStatus(t.Context(), j, store.Durable); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("the answer was lost: %v, want ErrUnknown", err)
	}
	f.lose.Store(false)
	record, err := s.Get(t.Context(), keyOf("a"))
	if err != nil || !record.Contains(`"step":"written"`) {
		t.Errorf("the write that got no answer is not there: %v", err)
	}
	stop()
	for name, call := range map[string]func() error{
		"a write": func() error { _, err := s.UpdateStatus(t.Context(), j, store.Durable); return err },
		"a read":  func() error { _, err := s.Get(t.Context(), keyOf("a")); return err },
		"a watch": func() error {
			_, err := s.Watch(t.Context(), store.WatchOptions{Kind: v1.KindJob, Since: record.ResourceVersion()})
			return err
		},
	} {
		if err := call(); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s while nobody listens: %v, want ErrUnavailable", name, err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(canceled, keyOf("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a canceled context: %v", err)
	}
}

// TestRefusals are those that the real server does not give so easily.
func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		code        int
		reason      metav1.StatusReason
		read, write error
	}{
		"not found":                 {404, metav1.StatusReasonNotFound, store.ErrNotFound, store.ErrNotFound},
		"already exists":            {409, metav1.StatusReasonAlreadyExists, store.ErrExists, store.ErrExists},
		"conflict":                  {409, metav1.StatusReasonConflict, store.ErrConflict, store.ErrConflict},
		"expired":                   {410, metav1.StatusReasonExpired, store.ErrExpired, store.ErrExpired},
		"invalid":                   {422, metav1.StatusReasonInvalid, store.ErrInvalid, store.ErrInvalid},
		"too large":                 {413, metav1.StatusReasonRequestEntityTooLarge, store.ErrInvalid, store.ErrInvalid},
		"full":                      {507, "InsufficientStorage", store.ErrFull, store.ErrFull},
		"too many requests":         {429, metav1.StatusReasonTooManyRequests, store.ErrUnavailable, store.ErrUnavailable},
		"the store is away":         {503, metav1.StatusReasonServiceUnavailable, store.ErrUnavailable, store.ErrUnavailable},
		"nobody behind the proxy":   {502, "", store.ErrUnavailable, store.ErrUnavailable},
		"the outcome is unknown":    {504, metav1.StatusReasonTimeout, store.ErrUnavailable, store.ErrUnknown},
		"the server has stumbled":   {500, metav1.StatusReasonInternalError, store.ErrUnavailable, store.ErrUnknown},
		"an answer that is no JSON": {200, "", store.ErrUnavailable, nil},
	} {
		t.Run(name, func(t *testing.T) {
			listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.code)
				if tc.code != http.StatusOK {
					_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status"}, Code: int32(tc.code), Reason: tc.reason, Message: "because"})
				}
			}))
			defer listening.Close()
			s := open(t, listening.URL)
			if _, err := s.List(t.Context(), store.ListOptions{Kind: v1.KindJob}); !errors.Is(err, tc.read) {
				t.Errorf("a read: %v, want %v", err, tc.read)
			}
			j := newJob("a")
			j.ResourceVersion = "1"
			_, err := s.Update(t.Context(), j)
			if tc.write != nil && !errors.Is(err, tc.write) || err == nil || !strings.Contains(err.Error(), "job acme/a") {
				t.Errorf("a write: %v, want %v, and the key", err, tc.write)
			}
		})
	}
}

// runner succeeds.
type runner struct{}

func (runner) Run(_ context.Context, _ action.Attempt, out action.Sink) action.Outcome {
	out.Progress(50, "half way")
	return action.Outcome{Verdict: action.Succeeded, Message: "done by a worker elsewhere"}
}

func (runner) Recover(context.Context, action.Attempt) (action.Outcome, error) {
	return action.Outcome{Verdict: action.Lost, Repeatable: true}, nil
}

// TestAWorkerElsewhere runs the job controller over a server, through its life and a rerun.
func TestAWorkerElsewhere(t *testing.T) {
	_, address, stop := serve(t, t.TempDir(), nil)
	defer stop()
	s := open(t, address)
	archive, err := logfiles.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	c, err := job.New(job.Options{
		Store: s, Logs: archive, Worker: "elsewhere", MaxConcurrent: 2, Log: logr.Discard(),
		Actions: action.Set{{Name: v1.JobTypeAPICall, Runner: runner{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()

	author := open(t, address)
	page, err := author.List(t.Context(), store.ListOptions{Kind: v1.KindJob})
	if err != nil {
		t.Fatal(err)
	}
	w, err := author.Watch(t.Context(), store.WatchOptions{Kind: v1.KindJob, Since: page.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := author.Create(t.Context(), newJob("a")); err != nil {
		t.Fatal(err)
	}
	for rerun := int32(0); rerun < 2; {
		events, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		j, err := events[len(events)-1].Record.Job()
		if err != nil {
			t.Fatal(err)
		}
		if !j.Finished() || j.Status.Reruns < rerun {
			continue
		}
		if j.Status.Phase != v1.JobSucceeded || j.Status.Message != "done by a worker elsewhere" {
			t.Fatalf("it ended %s: %s", j.Status.Phase, j.Status.Message)
		}
		if rerun++; rerun < 2 {
			j.Spec.Reruns++
			if _, err := author.Update(t.Context(), j); err != nil {
				t.Fatal(err)
			}
		}
	}
}
