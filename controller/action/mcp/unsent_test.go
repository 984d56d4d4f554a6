package mcp_test

import (
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestACallThatWasNeverReadIsMadeElsewhere: the server of a warm session ends without
// having read the call, so that it is no call that failed.
func TestACallThatWasNeverReadIsMadeElsewhere(t *testing.T) {
	r := newRunner(t, raw(t, ""))
	for range 3 {
		if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "answers-and-leaves"}), newRecorder()); out.Verdict != action.Succeeded {
			t.Fatalf("outcome %+v", out)
		}
	}
	rec := newRecorder()
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec); out.Verdict != action.Succeeded {
		t.Errorf("outcome %+v", out)
	}
	if !rec.has("system: MCP server raw ended (exit status 0) before it had read the call; the tool is called in a new session") {
		t.Errorf("the log says %q", rec.lines)
	}
	nothingLeft(t, r)
}

// TestACallThatWasReadIsNotMadeAgain, though nothing came of it: nobody knows how far it
// got.
func TestACallThatWasReadIsNotMadeAgain(t *testing.T) {
	r := newRunner(t, raw(t, ""))
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "reads-and-leaves"}), newRecorder()); out.Verdict != action.Succeeded {
		t.Fatalf("outcome %+v", out)
	}
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder()); out.Verdict != action.Failed || out.Reason != v1.ReasonProtocolError {
		t.Errorf("outcome %+v", out)
	}
	nothingLeft(t, r)
}
