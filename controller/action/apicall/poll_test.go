package apicall

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// operations is a server of which each path begins an operation of its own kind; POSTs and
// questions are counted.
type operations struct {
	url          string
	posts, polls atomic.Int32
	// until is how many questions are answered with a state that is not the end.
	until atomic.Int32
	auth  atomic.Value
	asked chan struct{} // gets a value with each question, when there is room
}

func newOperations(t *testing.T) *operations {
	s := &operations{asked: make(chan struct{}, 1)}
	elsewhere := answers(t, func(w http.ResponseWriter, r *http.Request) {
		s.auth.Store(r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, `{"elsewhere":true}`)
	})
	s.url = answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.posts.Add(1)
			w.Header().Set("Content-Type", "application/json")
			switch r.URL.Path {
			case "/away":
				w.Header().Set("Location", elsewhere)
			case "/silent":
			case "/bad":
				w.Header().Set("Location", "ftp://example.com/")
			case "/broken", "/gone", "/busy", "/endless", "/failing", "/moved", "/round":
				w.Header().Set("Location", "/operations"+r.URL.Path)
			case "/monitor", "/asynchronous":
				w.Header().Set(map[string]string{"/monitor": "Operation-Location", "/asynchronous": "Azure-AsyncOperation"}[r.URL.Path], "/operations/states")
				w.Header().Set("Location", "/operations/result")
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, `{"id":1}`)
				return
			case "/atonce":
				w.Header().Set("Operation-Location", "/operations/states")
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, `{"id":1,"status":"Succeeded"}`)
				return
			case "/swallowed":
				w.Header().Set("Location", "/operations/failing")
			case "/sync":
				_, _ = io.WriteString(w, `{"done":true,"id":1}`)
				return
			case "/named":
				_, _ = io.WriteString(w, `{"name":"operations/7","done":false}`)
				return
			default:
				w.Header().Set("Location", "operations/7?x=1")
			}
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"state":"queued"}`)
			return
		}
		s.auth.Store(r.Header.Get("Authorization"))
		n := s.polls.Add(1)
		select {
		case s.asked <- struct{}{}:
		default:
		}
		switch {
		case r.URL.Path == "/operations/gone":
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Path == "/operations/endless":
			w.WriteHeader(http.StatusAccepted)
		case r.URL.Path == "/operations/failing":
			_, _ = io.WriteString(w, `{"done":true,"status":"Failed","error":{"code":13}}`)
		case r.URL.Path == "/operations/states":
			fmt.Fprintf(w, `{"status":%q}`, map[bool]string{true: "InProgress", false: "Succeeded"}[n <= s.until.Load()])
		case r.URL.Path == "/operations/round":
			http.Redirect(w, r, "/operations/round", http.StatusFound)
		case r.URL.Path == "/operations/moved":
			http.Redirect(w, r, "/operations/7", http.StatusSeeOther)
		case n <= s.until.Load() && r.URL.Path == "/operations/broken":
			panic(http.ErrAbortHandler)
		case n <= s.until.Load() && r.URL.Path == "/operations/busy":
			w.Header().Set("Retry-After", "0")
			w.WriteHeader([]int{503, 429, 504}[n%3])
		case n <= s.until.Load() && strings.HasPrefix(r.URL.Path, "/v1/"):
			_, _ = io.WriteString(w, `{"name":"operations/7","done":false}`)
		case n <= s.until.Load():
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"state":"running"}`)
		default:
			fmt.Fprintf(w, `{"done":true,"status":"Succeeded","id":9007199254740993,"path":%q}`, r.URL.RequestURI())
		}
	})
	return s
}

func polled(url string, poll *v1.APICallPoll) action.Attempt {
	if poll.IntervalSeconds == nil {
		poll.IntervalSeconds = new(int32(1))
	}
	return attempt(&v1.APICallAction{
		URL: url, Body: raw(`{"n":1}`), Poll: poll, Headers: map[string]v1.HeaderValue{"Authorization": {Value: "mine"}},
		Result: map[string]string{"all": "{$}"},
	})
}

func TestAnOperationIsPolledToItsEnd(t *testing.T) {
	done := []v1.BodyExpectation{{Path: ".done", Equals: raw(`true`)}}
	failed := []v1.BodyExpectation{{Path: ".error"}, {Path: ".status", Matches: "Failed|Canceled"}}
	for name, tc := range map[string]struct {
		path    string
		poll    v1.APICallPoll
		until   int32
		expect  *v1.APICallExpect
		reason  string
		message string
		values  string
		polls   int32
		auth    string
		log     string
	}{
		"by Location until no 202":          {path: "/", until: 1, polls: 2, values: `"path":"/operations/7?x=1"`, auth: "mine", log: `answered 202 Accepted: {"state":"running"}`},
		"by Location to another host":       {path: "/away", polls: 0, values: `"elsewhere":true`},
		"by the name in the answer":         {path: "/named", until: 1, poll: v1.APICallPoll{URL: "/v1/{.name}", Done: done}, polls: 2, values: `"path":"/v1/operations/7"`, auth: "mine"},
		"what is done at once":              {path: "/sync", poll: v1.APICallPoll{URL: "/v1/{.name}", Done: done}, values: `"id":1`},
		"what is no 202":                    {path: "/sync", values: `"id":1`},
		"a server that breaks off":          {path: "/broken", until: 2, polls: 3, values: `"id":9007199254740993`, log: "it is asked again"},
		"a server that is busy":             {path: "/busy", until: 3, polls: 4, values: `"done":true`, log: "answered 503 Service Unavailable"},
		"a state that redirects to the end": {path: "/moved", polls: 2, values: `"done":true`},
		"one that fails":                    {path: "/failing", poll: v1.APICallPoll{Done: done, Failed: failed}, polls: 1, reason: v1.ReasonUnexpectedResponse, message: `has failed: spec.apiCall.poll.failed[0]: .error is {"code":13}`},
		"by Operation-Location and status":  {path: "/monitor", until: 1, polls: 2, values: `"status":"Succeeded"`, auth: "mine"},
		"by Azure-AsyncOperation":           {path: "/asynchronous", until: 1, polls: 2, values: `"status":"Succeeded"`},
		"what has succeeded at once":        {path: "/atonce", values: `"id":1`},
		"a failure with status 200":         {path: "/swallowed", polls: 1, reason: v1.ReasonUnexpectedResponse, message: `has failed: its status is "Failed"`},
		"one that nobody knows":             {path: "/gone", polls: 1, reason: v1.ReasonUnexpectedStatus, message: "cannot be asked about"},
		"one that redirects without end":    {path: "/round", polls: 11, reason: v1.ReasonUnexpectedStatus, message: "was answered 302 Found, and the redirect was not followed: more than 10 redirects. It may go on"},
		"one that does not end":             {path: "/endless", poll: v1.APICallPoll{TimeoutSeconds: new(patience)}, polls: 2, reason: v1.ReasonTimeout, message: "has not ended within the 5 s that spec.apiCall.poll.timeoutSeconds allows"},
		"a 202 without Location":            {path: "/silent", reason: v1.ReasonUnexpectedResponse, message: "there is no Location header, and spec.apiCall.poll.url is unset"},
		"a Location that is no URL of HTTP": {path: "/bad", reason: v1.ReasonUnexpectedResponse, message: "its URL must be an absolute http or https URL"},
		"a name that is not in the answer":  {path: "/", poll: v1.APICallPoll{URL: "/v1/{.name}"}, reason: v1.ReasonUnexpectedResponse, message: `spec.apiCall.poll.url: expression 2 leads nowhere: there is no "name"`},
		"an end that is not as expected":    {path: "/", expect: &v1.APICallExpect{Body: []v1.BodyExpectation{{Path: ".id", Equals: raw(`9007199254740992`)}}}, polls: 1, reason: v1.ReasonUnexpectedResponse, message: ".id is 9007199254740993", auth: "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newOperations(t)
			s.until.Store(tc.until)
			a := polled(s.url+tc.path, &tc.poll)
			a.Job.Spec.APICall.Expect = tc.expect
			out := &recorder{}
			o := New(Options{Network: private(), StateDir: t.TempDir()}).Run(t.Context(), a, out)
			if o.Reason != tc.reason || (o.Verdict == action.Succeeded) != (tc.reason == "") || !strings.Contains(o.Message, tc.message) {
				t.Errorf("%+v; want %q with %q", o, tc.reason, tc.message)
			}
			if tc.values != "" && (o.Result == nil || !strings.Contains(string(o.Result.Raw), tc.values)) {
				t.Errorf("result %+v, want %s", o.Result, tc.values)
			}
			polls := s.polls.Load()
			if s.posts.Load() != 1 || polls != tc.polls && (tc.reason != v1.ReasonTimeout || polls < 1) {
				t.Errorf("%d POSTs, %d polls; want 1 and %d", s.posts.Load(), polls, tc.polls)
			}
			if auth := s.auth.Load(); auth != nil && tc.auth != "" && auth != tc.auth || tc.path == "/away" && auth != "" {
				t.Errorf("asked with Authorization %q", auth)
			}
			if log := strings.Join(out.lines, "\n"); !strings.Contains(log, tc.log) {
				t.Errorf("log %s; want %q", log, tc.log)
			}
		})
	}
}

// TestACrashBeginsNoOperationTwice kills the attempt in all but name: another Runner on the
// same folder goes on, for the same run only.
func TestACrashBeginsNoOperationTwice(t *testing.T) {
	s := newOperations(t)
	s.until.Store(1 << 30)
	dir := t.TempDir()
	a := polled(s.url+"/", &v1.APICallPoll{})
	before := New(Options{Network: private(), StateDir: dir})
	if o, err := before.Recover(t.Context(), a); err != nil || o.Repeatable {
		t.Errorf("before anything was sent: %+v, %v", o, err)
	}
	ctx, crash := context.WithCancel(t.Context())
	ended := make(chan action.Outcome, 1)
	go func() { ended <- before.Run(ctx, a, &recorder{}) }()
	<-s.asked
	after := New(Options{Network: private(), StateDir: dir})
	o, err := after.Recover(t.Context(), a)
	if err != nil || o.Verdict != action.Lost || !o.Repeatable || !strings.Contains(o.Message, "not sent again") {
		t.Errorf("recovered: %+v, %v", o, err)
	}
	crash()
	if o := <-ended; o.Verdict != action.Stopped || !o.Repeatable {
		t.Errorf("stopped: %+v", o)
	}
	a.ID, a.Job.Status.Attempts = "uid-2", 2
	s.until.Store(0)
	out := &recorder{}
	if o := after.Run(t.Context(), a, out); o.Verdict != action.Succeeded || s.posts.Load() != 1 {
		t.Errorf("%+v after %d POSTs", o, s.posts.Load())
	}
	if log := strings.Join(out.lines, "\n"); !strings.Contains(log, "going on with the operation at "+s.url+"/operations/7?x=1, which attempt uid-1 began") {
		t.Error(log)
	}
	// A crash before the outcome is on disk is survived too.
	if o, err := New(Options{StateDir: dir}).Recover(t.Context(), a); err != nil || !o.Repeatable {
		t.Errorf("recovered after the end: %+v, %v", o, err)
	}
	// Another run is another operation.
	a.Job.Status.Reruns = 1
	if o := after.Run(t.Context(), a, &recorder{}); o.Verdict != action.Succeeded || s.posts.Load() != 2 {
		t.Errorf("another run: %+v after %d POSTs", o, s.posts.Load())
	}
}

func TestAFailedOperationIsBegunAgainByARetry(t *testing.T) {
	s := newOperations(t)
	a := polled(s.url+"/failing", &v1.APICallPoll{Failed: []v1.BodyExpectation{{Path: ".error"}}})
	r := New(Options{Network: private(), StateDir: t.TempDir()})
	for n := int32(1); n <= 2; n++ {
		if o := r.Run(t.Context(), a, &recorder{}); o.Reason != v1.ReasonUnexpectedResponse || s.posts.Load() != n {
			t.Errorf("%+v after %d POSTs", o, s.posts.Load())
		}
	}
}

func TestWhatIsRememberedIsForgotten(t *testing.T) {
	m := newMemory(filepath.Join(t.TempDir(), "calls"))
	now := time.Now()
	if err := m.Write("../escape", operation{}); err != nil {
		t.Error(err)
	}
	for _, job := range []string{"a", "b"} {
		if err := m.Write(types.UID(job), operation{Run: job}); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int {
		entries, err := os.ReadDir(m.Dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if err := m.end("a", now); err != nil || count() != 2 {
		t.Errorf("forgotten at once: %v", err)
	}
	if err := m.end("b", now.Add(2*afterlife)); err != nil || count() != 1 {
		t.Errorf("not forgotten: %v", err)
	}
	if err := m.Purge(now.Add(memoryTime+time.Hour), memoryTime); err != nil || count() != 0 {
		t.Errorf("not purged: %v", err)
	}
	if o, err := m.Read("a"); o != nil || err != nil {
		t.Errorf("%+v, %v", o, err)
	}
}
