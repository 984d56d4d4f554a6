package mcp_test

import (
	"context"
	"os"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// TestAToolThatWasNotCalledMayBe: what is on disk while a server starts lets the next worker
// say so, without the server; once the tool is called it is gone.
func TestAToolThatWasNotCalledMayBe(t *testing.T) {
	for _, tc := range []struct {
		name, mode, tool, step string
		repeatable             bool
	}{
		{"while the server starts", "hangs-at-start", "ok", "mcp:start", true},
		{"while the tool runs", "", "ignores-everything", "working", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, crashed := t.TempDir(), t.TempDir()
			a := attempt(&v1.BuildAction{Action: tc.tool})
			a.Grace, a.Job.UID = 0, "u-1"
			r := newRunner(t, raw(t, tc.mode), remembersIn(dir))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			rec, ended := newRecorder(), make(chan struct{})
			go func() {
				defer close(ended)
				r.Run(ctx, a, rec)
			}()
			for step := range rec.steps {
				if strings.HasPrefix(step, tc.step) {
					break
				}
			}
			if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			cancel()
			<-ended
			nothingLeft(t, r)
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("of the attempt is left: %v, %v", left, err)
			}
			broken := map[string]mcp.Server{"raw": {Type: "stdio", Command: "no-such-program"}}
			outcome, err := newRunner(t, broken, remembersIn(crashed)).Recover(t.Context(), a)
			says := "It is not known whether tool " + tc.tool + " was called"
			if tc.repeatable {
				says = "Tool ok had not been called yet"
			}
			if err != nil || outcome.Verdict != action.Lost || outcome.Repeatable != tc.repeatable || !strings.HasPrefix(outcome.Message, says) {
				t.Errorf("Recover = %+v, %v", outcome, err)
			}
			a.ID = "attempt-2"
			if outcome, _ := newRunner(t, broken, remembersIn(crashed)).Recover(t.Context(), a); outcome.Repeatable {
				t.Errorf("the mark of another attempt is believed: %+v", outcome)
			}
		})
	}
}
