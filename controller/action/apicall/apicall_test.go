package apicall

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/outbound"
)

// recorder is a Sink that remembers.
type recorder struct {
	mu    sync.Mutex
	lines []string
	steps []string
}

func (r *recorder) Line(_ action.Stream, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, text)
}

func (r *recorder) Result(v1.JSON) {}

func (r *recorder) Progress(_ int, step string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, step)
}

// patience is the timeout, in seconds, of a call that has to see something of its answer before
// the timeout ends it, on a busy machine too. Such calls run side by side.
const patience int32 = 5

func attempt(call *v1.APICallAction) action.Attempt {
	return action.Attempt{ID: "uid-1", Grace: time.Second, Job: &v1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "call", Namespace: "acme", UID: "uid"},
		Spec:       v1.JobSpec{Type: v1.JobTypeAPICall, APICall: call}, Status: v1.JobStatus{Attempts: 1},
	}}
}

// private is a network that calls the test's own servers.
func private() *outbound.Network { return outbound.New(outbound.Options{AllowPrivate: true}) }

func TestACallSendsWhatTheJobSays(t *testing.T) {
	type seen struct{ Method, Body, ContentType, Key, Extra, Agent string }
	var got seen
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = seen{r.Method, string(body), r.Header.Get("Content-Type"), r.Header.Get("Idempotency-Key"), r.Header.Get("X-Extra"), r.UserAgent()}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":7}`)
	}))
	defer server.Close()
	for name, tc := range map[string]struct {
		call v1.APICallAction
		want seen
	}{
		"nothing but a URL is a GET":    {v1.APICallAction{}, seen{"GET", "", "", "uid-run-0", "", "jw"}},
		"a JSON body is posted as JSON": {v1.APICallAction{Body: &v1.JSON{Raw: []byte(`{"a":1}`)}}, seen{"POST", `{"a":1}`, "application/json", "uid-run-0", "", "jw"}},
		"a string is posted as text":    {v1.APICallAction{Body: &v1.JSON{Raw: []byte(`"a b"`)}}, seen{"POST", "a b", "text/plain; charset=utf-8", "uid-run-0", "", "jw"}},
		"method and headers as given": {
			v1.APICallAction{Method: "PUT", Headers: map[string]v1.HeaderValue{"X-Extra": {Value: "x"}, "Content-Type": {Value: "a/b"}}, Body: &v1.JSON{Raw: []byte(`"c"`)}},
			seen{"PUT", "c", "a/b", "uid-run-0", "x", "jw"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.call.URL = server.URL
			out := &recorder{}
			outcome := New(Options{Network: private(), UserAgent: "jw"}).Run(t.Context(), attempt(&tc.call), out)
			if outcome.Verdict != action.Succeeded || outcome.Facts[v1.FactHTTPStatus] != "201" {
				t.Fatalf("outcome = %+v", outcome)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if want := `{"body":"{\"id\":7}","status":201}`; string(outcome.Result.Raw) != want {
				t.Errorf("result = %s, want %s", outcome.Result.Raw, want)
			}
			if !slices.Contains(out.lines, `{"id":7}`) {
				t.Errorf("the log lacks the response: %q", out.lines)
			}
		})
	}
}

func TestWhatACallFailsOf(t *testing.T) {
	hang := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "come back later")
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/ok", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(hang)
	nobody := servertest.Address(t)
	for name, tc := range map[string]struct {
		call    v1.APICallAction
		private bool
		reason  string
		message string
	}{
		"a status that is not expected":    {v1.APICallAction{URL: server.URL + "/busy"}, true, v1.ReasonUnexpectedStatus, "expected is 2xx. It said: come back later"},
		"not one of those expected":        {v1.APICallAction{URL: server.URL + "/ok", ExpectStatus: []int32{201, 202}}, true, v1.ReasonUnexpectedStatus, "expected is 201, 202."},
		"nobody listens":                   {v1.APICallAction{URL: "http://" + nobody}, true, v1.ReasonConnectionFailed, "connection refused"},
		"redirects without end":            {v1.APICallAction{URL: server.URL + "/loop"}, true, v1.ReasonUnexpectedStatus, "/loop was answered 302 Found, and the redirect was not followed: more than 10 redirects. The receiver may have acted on it."},
		"too slow":                         {v1.APICallAction{URL: server.URL + "/hang", TimeoutSeconds: new(int32(1))}, true, v1.ReasonTimeout, "timeoutSeconds allows 1 s"},
		"a loopback address":               {v1.APICallAction{URL: server.URL + "/ok"}, false, v1.ReasonAddressRefused, "--allow-private-addresses"},
		"a scheme that is not HTTP":        {v1.APICallAction{URL: "file:///etc/passwd"}, true, v1.ReasonInvalidArguments, "spec.apiCall.url"},
		"a method that is none":            {v1.APICallAction{URL: server.URL, Method: "A B"}, true, v1.ReasonInvalidArguments, "spec.apiCall"},
		"user info stays out of a message": {v1.APICallAction{URL: "http://u:secret@" + nobody}, true, v1.ReasonConnectionFailed, "u:xxxxx@"},
	} {
		t.Run(name, func(t *testing.T) {
			out := &recorder{}
			outcome := New(Options{Network: outbound.New(outbound.Options{AllowPrivate: tc.private})}).Run(t.Context(), attempt(&tc.call), out)
			if outcome.Verdict != action.Failed || outcome.Reason != tc.reason || !strings.Contains(outcome.Message, tc.message) {
				t.Errorf("outcome = %+v, want reason %s and a message with %q", outcome, tc.reason, tc.message)
			}
			if strings.Contains(outcome.Message+strings.Join(out.lines, ""), "secret") {
				t.Error("the password is shown")
			}
			if tc.reason == v1.ReasonUnexpectedStatus && outcome.Facts[v1.FactHTTPStatus] == "503" && outcome.RetryAfter != 17*time.Second {
				t.Errorf("RetryAfter = %s, want 17 s", outcome.RetryAfter)
			}
		})
	}
}

func TestACallThatIsCanceledIsStopped(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	outcome := New(Options{Network: private()}).Run(ctx, attempt(&v1.APICallAction{URL: server.URL}), &recorder{})
	if outcome.Verdict != action.Stopped {
		t.Errorf("outcome = %+v, want Stopped", outcome)
	}
}

func TestARecordSucceedsAndALostCallSaysSo(t *testing.T) {
	r := New(Options{})
	if outcome := r.Run(t.Context(), attempt(nil), &recorder{}); outcome.Verdict != action.Succeeded {
		t.Errorf("a record: %+v", outcome)
	}
	if outcome, err := r.Recover(t.Context(), attempt(nil)); err != nil || outcome.Verdict != action.Lost {
		t.Errorf("Recover = %+v, %v", outcome, err)
	}
}

func TestWhatAFailurePolicyGoesBy(t *testing.T) {
	wait := "120"
	for name, tc := range map[string]struct {
		status     int
		retryAfter string
		broken     bool
		want       time.Duration
	}{
		"429 and seconds":                {http.StatusTooManyRequests, wait, false, 2 * time.Minute},
		"503 and seconds":                {http.StatusServiceUnavailable, wait, false, 2 * time.Minute},
		"429 and a date":                 {http.StatusTooManyRequests, "Fri, 31 Dec 2100 23:59:59 GMT", false, time.Hour},
		"503 and a date":                 {http.StatusServiceUnavailable, "Fri, 31 Dec 2100 23:59:59 GMT", false, time.Hour},
		"500 and nothing":                {http.StatusInternalServerError, "", false, 0},
		"503 and a body that breaks off": {http.StatusServiceUnavailable, wait, true, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tc.retryAfter)
				if tc.broken {
					w.Header().Set("Content-Length", "100")
				}
				w.WriteHeader(tc.status)
			}))
			defer server.Close()
			o := New(Options{Network: private()}).Run(t.Context(), attempt(&v1.APICallAction{URL: server.URL}), &recorder{})
			exact := o.RetryAfter == tc.want || tc.want == time.Hour && o.RetryAfter > tc.want
			if o.Verdict != action.Failed || o.Facts.Number(v1.FactHTTPStatus) != int64(tc.status) || !exact {
				t.Errorf("outcome = %+v, want status %d and to wait %s", o, tc.status, tc.want)
			}
		})
	}
}

func TestACallMayBeRepeatedWhenItsMethodIsIdempotent(t *testing.T) {
	body := &v1.JSON{Raw: []byte(`{}`)}
	for name, tc := range map[string]struct {
		call v1.APICallAction
		want bool
	}{
		"GET by default":        {v1.APICallAction{URL: "http://a"}, true},
		"POST by its body":      {v1.APICallAction{URL: "http://a", Body: body}, false},
		"PUT":                   {v1.APICallAction{URL: "http://a", Method: http.MethodPut, Body: body}, true},
		"DELETE":                {v1.APICallAction{URL: "http://a", Method: http.MethodDelete}, true},
		"PATCH":                 {v1.APICallAction{URL: "http://a", Method: http.MethodPatch}, false},
		"a record does nothing": {v1.APICallAction{}, true},
	} {
		outcome, err := New(Options{}).Recover(t.Context(), attempt(&tc.call))
		if err != nil || outcome.Verdict != action.Lost || outcome.Repeatable != tc.want {
			t.Errorf("%s: %+v, %v, want repeatable: %t", name, outcome, err, tc.want)
		}
	}
}
