package mcp_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/process"
)

// raw is a server that breaks rules.
func raw(t *testing.T, mode string) map[string]mcp.Server {
	t.Helper()
	return map[string]mcp.Server{"raw": self(t, "raw:"+mode)}
}

// nothingLeft ends a runner and fails when a process of it is left.
func nothingLeft(t *testing.T, r *mcp.Runner) {
	t.Helper()
	r.Close()
	if n, err := process.Reap(t.Context(), workerOf(t), ""); n != 0 || err != nil {
		t.Errorf("%d processes are left, %v", n, err)
	}
}

// TestServersThatDoNotStart: the job says what the server said, and how it ended.
func TestServersThatDoNotStart(t *testing.T) {
	t.Parallel()
	for mode, says := range map[string][]string{
		"dies-at-once":          {"exit status 7", "no licence found"},
		"dies-in-initialize":    {"exit status 9", "cannot read my own configuration"},
		"dies-after-initialize": {"exit status 10", "database is locked"},
		"hangs-at-start":        {"did not introduce itself within 200ms"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, raw(t, mode), func(o *mcp.Options) {
				if mode == "hangs-at-start" {
					o.StartTime = 200 * time.Millisecond
				}
			})
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder())
			if out.Verdict != action.Failed || out.Reason != v1.ReasonServerUnavailable {
				t.Errorf("outcome %+v", out)
			}
			for _, want := range says {
				if !strings.Contains(out.Message, want) {
					t.Errorf("message %q does not say %q", out.Message, want)
				}
			}
			nothingLeft(t, r)
		})
	}
}

// TestCallsOfServersThatBreakTheRules calls each tool, and then one that works: of the
// same session where it is sound, of another where it is not.
func TestCallsOfServersThatBreakTheRules(t *testing.T) {
	t.Parallel()
	for tool, want := range map[string]struct {
		verdict action.Verdict
		reason  string
		says    []string // in the message
		log     []string
		same    bool // the session is used again
	}{
		"dies":                    {action.Failed, v1.ReasonProtocolError, []string{"exit status 3", "segmentation fault"}, []string{"stderr: segmentation fault, more or less"}, false},
		"floods-with-a-line":      {action.Succeeded, "", nil, []string{"stdout: " + strings.Repeat("x", action.MaxLine)}, true},
		"floods-with-a-frame":     {action.Failed, v1.ReasonProtocolError, []string{"16 MiB"}, nil, false},
		"floods-with-progress":    {action.Succeeded, "", nil, []string{"server: step 9"}, true},
		"floods-stderr":           {action.Succeeded, "", nil, []string{"stderr: line 0"}, true},
		"talks-on-stdout":         {action.Succeeded, "", nil, []string{"stdout: [INFO] looking around", "stdout:   at Object.<anonymous>", `stdout: {"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`}, true},
		"answers-twice":           {action.Succeeded, "", nil, []string{"content: done"}, true},
		"answers-another":         {action.Succeeded, "", nil, []string{"content: done"}, true},
		"answers-a-string":        {action.Succeeded, "", []string{"it is a string, not an object"}, []string{"content: done"}, true},
		"answers-an-object":       {action.Succeeded, "", []string{"content is a string, not a list"}, []string{"content: done"}, true},
		"answers-a-half":          {action.Failed, v1.ReasonProtocolError, []string{"answered the call of tool answers-a-half, but with neither a result nor an error"}, nil, false},
		"leaves-a-child":          {action.Succeeded, "", nil, nil, true},
		"leaves-a-child-and-dies": {action.Failed, v1.ReasonProtocolError, []string{"exit status 4", "leaving"}, nil, false},
		"closes-stdout":           {action.Failed, v1.ReasonProtocolError, []string{"closed its stdout or stdin, and went on running"}, nil, false},
		"closes-stdin":            {action.Succeeded, "", nil, nil, false},
	} {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, raw(t, ""))
			pid := func() string {
				out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "pid"}), newRecorder())
				if out.Verdict != action.Succeeded {
					t.Fatalf("another call: %+v", out)
				}
				return string(out.Result.Raw)
			}
			first, rec := pid(), newRecorder()
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: tool}), rec)
			if out.Verdict != want.verdict || out.Reason != want.reason {
				t.Errorf("outcome %+v", out)
			}
			for _, say := range want.says {
				if !strings.Contains(out.Message, say) {
					t.Errorf("message %q does not say %q", out.Message, say)
				}
			}
			if second := pid(); (second == first) != want.same {
				t.Errorf("session %s, then %s; the same: %t", first, second, want.same)
			}
			nothingLeft(t, r)
			for _, line := range want.log {
				if !rec.has(line) {
					t.Errorf("the log lacks %.80q", line)
				}
			}
		})
	}
}

// TestCallsThatHang are stopped, as the controller stops what is silent for too long:
// whatever the server does, its processes are gone when Run returns.
func TestCallsThatHang(t *testing.T) {
	for _, tool := range []string{"hangs", "ignores-everything", "answers-nobody"} {
		t.Run(tool, func(t *testing.T) {
			r := newRunner(t, raw(t, ""))
			rec := newRecorder()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan action.Outcome, 1)
			a := attempt(&v1.BuildAction{Action: tool})
			a.Grace = 50 * time.Millisecond
			go func() { ended <- r.Run(ctx, a, rec) }()
			for step := range rec.steps {
				if strings.HasPrefix(step, "working") {
					break
				}
			}
			cancel()
			if out := <-ended; out.Verdict != action.Stopped || !strings.Contains(out.Message, tool) {
				t.Errorf("outcome %+v", out)
			}
			if n, err := process.Reap(t.Context(), workerOf(t), ""); n != 0 || err != nil {
				t.Errorf("%d processes are left, %v", n, err)
			}
		})
	}
}

// TestAProcessThatHidesIsEndedWithItsSession, though it carries no identity.
func TestAProcessThatHidesIsEndedWithItsSession(t *testing.T) {
	r := newRunner(t, raw(t, ""))
	rec := newRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan action.Outcome, 1)
	go func() { ended <- r.Run(ctx, attempt(&v1.BuildAction{Action: "hides-a-process"}), rec) }()
	hidden := ""
	for step := range rec.steps {
		var found bool
		if hidden, found = strings.CutPrefix(step, "working "); found {
			break
		}
	}
	cancel()
	if out := <-ended; out.Verdict != action.Stopped || !strings.Contains(out.Message, "was stopped") {
		t.Errorf("outcome %+v", out)
	}
	if name, err := os.ReadFile("/proc/" + hidden + "/comm"); err == nil && strings.TrimSpace(string(name)) == "sleep" {
		if state, err := os.ReadFile("/proc/" + hidden + "/stat"); err == nil && !strings.Contains(string(state), ") Z ") {
			t.Errorf("process %s is there still", hidden)
		}
	}
}

// TestAServerThatStopsReading does not take its next request, which is larger than a
// pipe: the write hangs, and the attempt can be stopped all the same.
func TestAServerThatStopsReading(t *testing.T) {
	r := newRunner(t, raw(t, ""), func(o *mcp.Options) {
		mcp.WithPing(o, time.Hour, time.Hour) // it is not noticed before
	})
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "stops-reading"}), newRecorder()); out.Verdict != action.Succeeded {
		t.Fatalf("outcome %+v", out)
	}
	rec := newRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan action.Outcome, 1)
	a := attempt(&v1.BuildAction{Action: "ok", Arguments: map[string]v1.JSON{"text": {Raw: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)}}})
	a.Grace = 50 * time.Millisecond
	go func() { ended <- r.Run(ctx, a, rec) }()
	for step := range rec.steps {
		if step == "mcp:run" {
			break
		}
	}
	cancel()
	if out := <-ended; out.Verdict != action.Stopped {
		t.Errorf("outcome %+v", out)
	}
	nothingLeft(t, r)
}

// TestAnIdleServerThatHangsIsReplaced before a job is given to it.
func TestAnIdleServerThatHangsIsReplaced(t *testing.T) {
	r := newRunner(t, raw(t, ""), func(o *mcp.Options) {
		mcp.WithPing(o, 0, 50*time.Millisecond)
	})
	for _, tool := range []string{"stops-reading", "ok"} {
		if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: tool}), newRecorder()); out.Verdict != action.Succeeded {
			t.Errorf("%s: %+v", tool, out)
		}
	}
	nothingLeft(t, r)
}

// TestServersOfBefore do not know how a client introduces itself today.
func TestServersOfBefore(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"expects-initialize", "ignores-discover", "greets-and-ignores-discover"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, raw(t, mode), func(o *mcp.Options) {
				if strings.HasSuffix(mode, "ignores-discover") {
					mcp.WithFirstTry(o, 100*time.Millisecond)
				}
			})
			for range 2 {
				if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder()); out.Verdict != action.Succeeded {
					t.Errorf("outcome %+v", out)
				}
			}
			nothingLeft(t, r)
		})
	}
}

func TestWordsAtTheStartAreTheServersOwn(t *testing.T) {
	r := newRunner(t, raw(t, "talks-at-start"))
	rec := newRecorder()
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec); out.Verdict != action.Succeeded {
		t.Errorf("outcome %+v", out)
	}
	for _, line := range []string{"stdout: > npx some-server@1.2.3", "stdout: { level: 'info' }", `stdout: {"level":30,"msg":"listening"}`} {
		if !rec.has(line) {
			t.Errorf("the log lacks %q: %q", line, rec.lines)
		}
	}
	nothingLeft(t, r)
}

// TestABrokenServerHoldsUpNoOther fills a server's pool with calls that hang, and has
// more wait for it, while another server's jobs run.
func TestABrokenServerHoldsUpNoOther(t *testing.T) {
	servers := raw(t, "")
	servers["sound"] = self(t, "raw:")
	bad := servers["raw"]
	bad.Sessions = 2
	servers["raw"] = bad
	r := newRunner(t, servers)
	rec := newRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const hung = 5
	ended := make(chan action.Outcome, hung)
	for range hung {
		go func() {
			a := attempt(&v1.BuildAction{Server: "raw", Action: "hangs"})
			a.Grace = 50 * time.Millisecond
			ended <- r.Run(ctx, a, rec)
		}()
	}
	for working := 0; working < 2; {
		if strings.HasPrefix(<-rec.steps, "working") {
			working++
		}
	}
	for range 20 {
		if out := r.Run(t.Context(), attempt(&v1.BuildAction{Server: "sound", Action: "ok"}), newRecorder()); out.Verdict != action.Succeeded {
			t.Errorf("outcome %+v", out)
		}
	}
	cancel()
	for range hung {
		if out := <-ended; out.Verdict != action.Stopped {
			t.Errorf("outcome %+v", out)
		}
	}
	nothingLeft(t, r)
}
