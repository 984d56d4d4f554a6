package job_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/store/logs"
)

// TestALongAttemptShowsWhatItWaitsFor: Jobwright's own lines are in the log of an attempt
// that goes on without output, and not in that of one that has just begun.
func TestALongAttemptShowsWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGates()
		e := newEnvironment(t, func(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
			out.Line(action.System, "starting something")
			return g.run(ctx, a, out)
		})
		e.start()
		defer e.stop()
		e.create("a")
		synctest.Wait()
		log := func() string {
			reader := e.archive.Open(logs.Ref{Workspace: "acme", Job: "a", UID: e.get("a").UID})
			defer reader.Close()
			events, err := reader.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, event := range events {
				text.WriteString(event.Text + "\n")
			}
			return text.String()
		}
		if got := log(); got != "" {
			t.Errorf("at once: %q", got)
		}
		timer := time.NewTimer(3 * time.Second)
		<-timer.C
		synctest.Wait()
		if got := log(); !strings.Contains(got, "starting something") {
			t.Errorf("after three seconds: %q", got)
		}
		close(g.gate("a"))
		if j := e.until("a", terminal); j.Status.Phase != v1.JobSucceeded {
			t.Errorf("phase %s", j.Status.Phase)
		}
	})
}
