package mcp_test

import (
	"context"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// TestAServerThatIsStillStartingIsNotStartedAgain: one that has not read the first request
// yet, one that tells what it does, and one that has answered it and is slow with the next,
// get all the time that the operator allows.
func TestAServerThatIsStillStartingIsNotStartedAgain(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"slow-start", "tells-of-its-start", "slow-initialize"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, raw(t, mode), func(o *mcp.Options) { mcp.WithFirstTry(o, firstTry) })
			rec := newRecorder()
			if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec); out.Verdict != action.Succeeded {
				t.Errorf("outcome %+v", out)
			}
			nothingLeft(t, r)
			starts := strings.Count(strings.Join(rec.lines, "\n"), "stderr: starting ")
			if starts != 1 {
				t.Errorf("it was started %d times: %q", starts, rec.lines)
			}
		})
	}
}

// TestTheStepShowsWhatAServerSaysWhileItStarts, and no more once it has.
func TestTheStepShowsWhatAServerSaysWhileItStarts(t *testing.T) {
	r := newRunner(t, raw(t, "tells-of-its-start"))
	rec := newRecorder()
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "floods-stderr"}), rec); out.Verdict != action.Succeeded {
		t.Errorf("outcome %+v", out)
	}
	nothingLeft(t, r)
	close(rec.steps)
	var steps []string
	for step := range rec.steps {
		steps = append(steps, step)
	}
	told := strings.Join(steps, "\n")
	for _, want := range []string{"mcp:connect", "mcp:start", "mcp:start fetched 20 of 20", "mcp:run"} {
		if !strings.Contains(told, want) {
			t.Errorf("no step %q in %q", want, steps)
		}
	}
	if strings.Contains(told, "mcp:start line") {
		t.Errorf("the step shows a line of the call: %q", steps)
	}
}

// TestTheOperatorSaysHowLongAStartMayTake, for each server.
func TestTheOperatorSaysHowLongAStartMayTake(t *testing.T) {
	servers := raw(t, "hangs-at-start")
	server := servers["raw"]
	server.StartTimeoutSeconds = 1
	servers["raw"] = server
	r := newRunner(t, servers)
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder())
	if out.Reason != v1.ReasonServerUnavailable || !strings.Contains(out.Message, "did not introduce itself within 1s (startTimeoutSeconds in the --mcp-config file allows more)") {
		t.Errorf("outcome %+v", out)
	}
	nothingLeft(t, r)
}

// TestAServerThatBabblesIsNoServerThatStarts: what it says is logged, and shows that it lives,
// only up to a bound.
func TestAServerThatBabblesIsNoServerThatStarts(t *testing.T) {
	t.Parallel()
	servers := raw(t, "babbles")
	server := servers["raw"]
	server.StartTimeoutSeconds = 4 // enough for a busy machine to start it and to read 512 KiB
	servers["raw"] = server
	r := newRunner(t, servers)
	rec := newRecorder()
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec)
	if out.Reason != v1.ReasonServerUnavailable || !strings.Contains(out.Message, "did not introduce itself within 4s") {
		t.Errorf("outcome %+v", out)
	}
	nothingLeft(t, r)
	said, notes := 0, 0
	for _, line := range rec.lines {
		if strings.HasPrefix(line, "stdout: ") {
			said += len(line)
		}
		if strings.Contains(line, "is no sign of life") {
			notes++
		}
	}
	starts := strings.Count(strings.Join(rec.lines, "\n"), "starting MCP server")
	if said == 0 || said > starts*(512<<10) || notes == 0 || notes > starts || len(rec.pcts) > starts*300 {
		t.Errorf("%d bytes, %d reports and %d notes of %d starts", said, len(rec.pcts), notes, starts)
	}
}

// TestAServerThatStartsIsSaidToStart, and not that nobody has needed it.
func TestAServerThatStartsIsSaidToStart(t *testing.T) {
	r := newRunner(t, raw(t, "hangs-at-start"))
	ctx, cancel := context.WithCancel(t.Context())
	rec := newRecorder()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx, attempt(&v1.BuildAction{Action: "ok"}), rec)
	}()
	for step := range rec.steps {
		if step == "mcp:start" {
			break
		}
	}
	if got := r.Servers()[0]; got.State != v1.MCPServerStarting || got.Starting != 1 {
		t.Errorf("while it starts: %+v", got)
	}
	cancel()
	<-ended
	nothingLeft(t, r)
	if got := r.Servers()[0]; got.State != v1.MCPServerUnused || got.Starting != 0 {
		t.Errorf("after the job was canceled: %+v", got)
	}
}
