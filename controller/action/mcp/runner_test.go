package mcp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// recorder is a sink that remembers, and tells of each step on a channel.
type recorder struct {
	mu    sync.Mutex
	lines []string
	pcts  []int
	steps chan string
	// onLine, set before an attempt begins, is called with each line.
	onLine func(string)
}

func newRecorder() *recorder { return &recorder{steps: make(chan string, 1000)} }

func (r *recorder) Line(stream action.Stream, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(stream)+": "+text)
	if r.onLine != nil {
		r.onLine(text)
	}
}

func (r *recorder) Result(v1.JSON) {}

func (r *recorder) Progress(pct int, step string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pcts = append(r.pcts, pct)
	select {
	case r.steps <- step:
	default: // nobody looks at so many
	}
}

func (r *recorder) has(line string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.lines, line)
}

func self(t *testing.T, mode string) mcp.Server {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return mcp.Server{Type: "stdio", Command: path, Env: map[string]string{
		fakeEnv: mode, "GORACE": "atexit_sleep_ms=0", // the race detector would have each of them end a second later
	}}
}

// workerOf is the identity of a test's worker: the same tests may run twice at the same
// time, and would end each other's processes.
func workerOf(t *testing.T) string { return fmt.Sprintf("test-%d-%s", os.Getpid(), t.Name()) }

func newRunner(t *testing.T, servers map[string]mcp.Server, options ...func(*mcp.Options)) *mcp.Runner {
	t.Helper()
	opts := mcp.Options{Config: &mcp.Config{Servers: servers}, Worker: workerOf(t), Version: "test"}
	for _, o := range options {
		o(&opts)
	}
	r, err := mcp.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func attempt(build *v1.BuildAction) action.Attempt {
	return action.Attempt{
		ID: "attempt-1", Grace: 2 * time.Second,
		Job: &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeBuild, Build: build}},
	}
}

func TestOutcomes(t *testing.T) {
	one := map[string]mcp.Server{"fake": self(t, "1")}
	for name, tc := range map[string]struct {
		servers map[string]mcp.Server
		build   *v1.BuildAction
		verdict action.Verdict
		reason  string
		says    []string
		rpc     int64
	}{
		"works":             {one, &v1.BuildAction{Action: "ok"}, action.Succeeded, "", nil, 0},
		"no payload":        {one, nil, action.Failed, v1.ReasonInvalidArguments, []string{"spec.build"}, 0},
		"unknown server":    {one, &v1.BuildAction{Server: "x", Action: "ok"}, action.Failed, v1.ReasonInvalidArguments, []string{`"x"`, "fake"}, 0},
		"no servers":        {nil, &v1.BuildAction{Action: "ok"}, action.Failed, v1.ReasonInvalidArguments, []string{"--mcp-config"}, 0},
		"unknown tool":      {one, &v1.BuildAction{Action: "okay"}, action.Failed, v1.ReasonInvalidArguments, []string{`"okay"`, "tool-error"}, 0},
		"against schema":    {one, &v1.BuildAction{Action: "ok", Arguments: map[string]v1.JSON{"count": {Raw: []byte("0")}}}, action.Failed, v1.ReasonInvalidArguments, []string{"spec.build.arguments.count: Invalid value: 0: must be at least 1"}, 0},
		"tool error":        {one, &v1.BuildAction{Action: "tool-error"}, action.Failed, v1.ReasonToolError, []string{"The disk is full."}, 0},
		"JSON-RPC error":    {one, &v1.BuildAction{Action: "rpc-error"}, action.Failed, v1.ReasonProtocolError, []string{"not today"}, -32050},
		"refused arguments": {one, &v1.BuildAction{Action: "rpc-params"}, action.Failed, v1.ReasonInvalidArguments, []string{"count is odd"}, -32602},
		"dies in the call":  {one, &v1.BuildAction{Action: "dies"}, action.Failed, v1.ReasonProtocolError, []string{"exit status 3", "segmentation fault"}, 0},
		"does not start":    {map[string]mcp.Server{"bad": self(t, "no-start")}, &v1.BuildAction{Action: "ok"}, action.Failed, v1.ReasonServerUnavailable, []string{"exit status 7", "no licence found", os.Args[0]}, 0},
		"is not there":      {map[string]mcp.Server{"bad": {Type: "stdio", Command: "/no/such/program"}}, &v1.BuildAction{Action: "ok"}, action.Failed, v1.ReasonServerUnavailable, []string{"/no/such/program"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			out := newRunner(t, tc.servers).Run(t.Context(), attempt(tc.build), newRecorder())
			if out.Verdict != tc.verdict || out.Reason != tc.reason || out.Facts.Number(v1.FactRPCCode) != tc.rpc || (out.Facts[v1.FactToolError] == "true") != (tc.reason == v1.ReasonToolError) {
				t.Errorf("outcome %+v", out)
			}
			for _, want := range tc.says {
				if !strings.Contains(out.Message, want) {
					t.Errorf("message %q does not say %q", out.Message, want)
				}
			}
		})
	}
}

func TestWhatAToolSays(t *testing.T) {
	rec := newRecorder()
	r := newRunner(t, map[string]mcp.Server{"fake": self(t, "1")})
	build := &v1.BuildAction{Action: "ok", ID: "b", Variables: map[string]v1.JSON{"N": {Raw: []byte("12345678901234567890")}}}
	out := r.Run(t.Context(), attempt(build), rec)
	r.Close() // its stderr has been read to the end
	if out.Verdict != action.Succeeded {
		t.Fatalf("outcome %+v", out)
	}
	for _, want := range []string{"server: warning: a warning", "server: unpack", "content: first line", "content: second line"} {
		if !rec.has(want) {
			t.Errorf("the log lacks %q: %q", want, rec.lines)
		}
	}
	if diff := cmp.Diff([]int{0, 0, 0, 25, 75}, rec.pcts); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]v1.Artifact{{Name: "a.ts"}}, out.Artifacts); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
	if out.Result == nil || !strings.Contains(string(out.Result.Raw), `"id":"b"`) {
		t.Errorf("result %v", out.Result)
	}
}

func TestProgressWithoutATotalIsAStep(t *testing.T) {
	rec := newRecorder()
	newRunner(t, map[string]mcp.Server{"fake": self(t, "1")}).Run(t.Context(), attempt(&v1.BuildAction{Action: "no-total"}), rec)
	if diff := cmp.Diff([]int{0, 0, 0, -1}, rec.pcts); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestSessionsAreKeptWarm(t *testing.T) {
	r := newRunner(t, map[string]mcp.Server{"fake": self(t, "1")})
	pid := func() string {
		return string(r.Run(t.Context(), attempt(&v1.BuildAction{Action: "pid"}), newRecorder()).Result.Raw)
	}
	first := pid()
	if second := pid(); second != first {
		t.Errorf("a second process: %s, then %s", first, second)
	}
	r.Run(t.Context(), attempt(&v1.BuildAction{Action: "dies"}), newRecorder())
	if third := pid(); third == first {
		t.Error("a session that broke was used again")
	}
}

func TestCancel(t *testing.T) {
	for name, arrives := range map[string]bool{"canceled": true, "ignores-cancel": false} {
		t.Run(name, func(t *testing.T) {
			rec := newRecorder()
			ctx, cancel := context.WithCancel(t.Context())
			r := newRunner(t, map[string]mcp.Server{"fake": self(t, "1")})
			ended := make(chan action.Outcome)
			go func() { ended <- r.Run(ctx, attempt(&v1.BuildAction{Action: name}), rec) }()
			step := ""
			for step == "" || strings.HasPrefix(step, "mcp:") {
				step = <-rec.steps
			}
			cancel()
			if out := <-ended; out.Verdict != action.Stopped {
				t.Fatalf("outcome %+v", out)
			}
			if arrives && !rec.has("stderr: cancel arrived") {
				t.Errorf("the server was not told: %q", rec.lines)
			}
			if pid, err := strconv.Atoi(step); err == nil && syscall.Kill(pid, 0) == nil {
				t.Errorf("process %d is still there", pid)
			}
		})
	}
}

func TestOverHTTP(t *testing.T) {
	var auth atomic.Value
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return fakeServer() }, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			auth.Store(r.Header.Get("Authorization"))
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	rec := newRecorder()
	r := newRunner(t, map[string]mcp.Server{"web": {Type: "http", URL: server.URL, Headers: map[string]string{"Authorization": "Bearer abc"}}})
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec); out.Verdict != action.Succeeded {
		t.Errorf("outcome %+v", out)
	}
	if !slices.Contains(rec.pcts, 75) {
		t.Errorf("progress %v", rec.pcts)
	}
	r.Close()
	if got := auth.Load(); got != "Bearer abc" {
		t.Errorf("Authorization %q", got)
	}
}

// TestABrokenConnectionIsNoWordOfTheServer breaks a call over HTTP on its way.
func TestABrokenConnectionIsNoWordOfTheServer(t *testing.T) {
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return fakeServer() }, nil)
	r := overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil || strings.Contains(string(body), `"tools/call"`) {
			panic(http.ErrAbortHandler)
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		handler.ServeHTTP(w, request)
	}))
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder())
	if out.Reason != v1.ReasonProtocolError || out.Facts[v1.FactRPCCode] != "" || !strings.Contains(out.Message, "broke off") || !strings.Contains(out.Message, "EOF") {
		t.Errorf("outcome %+v", out)
	}
}
