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

// logOf is what the job's log says now, line by line.
func (e *environment) logOf(name string) string {
	e.t.Helper()
	reader := e.archive.Open(logs.Ref{Workspace: "acme", Job: name, UID: e.get(name).UID})
	defer reader.Close()
	entries, err := reader.Read(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	var lines []string
	for _, entry := range entries {
		lines = append(lines, entry.Text)
	}
	return strings.Join(lines, "\n")
}

// TestALongAttemptsOwnLinesAreReadWhileItRuns: what Jobwright says of an attempt stands in
// its log soon, while the action says nothing itself. A short one keeps no log.
func TestALongAttemptsOwnLinesAreReadWhileItRuns(t *testing.T) {
	for name, limit := range map[string]int64{"without a limit": 0, "with a limit, which shares the timer": 3600} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnvironment(t, func(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
					out.Line(action.System, "calling "+a.Job.Name)
					if a.Job.Name == "short" {
						return action.Outcome{Verdict: action.Succeeded}
					}
					time.Sleep(time.Second)
					out.Line(action.System, "still calling")
					time.Sleep(time.Second)
					return action.Outcome{Verdict: action.Succeeded}
				})
				e.start()
				defer e.stop()
				limited := func(j *v1.Job) {
					if limit > 0 {
						j.Spec.AttemptTimeoutSeconds = &limit
					}
				}
				e.create("one", limited)
				synctest.Wait()
				time.Sleep(60 * time.Millisecond)
				e.create("two", limited) // while the timer runs for the first
				e.create("short", limited)
				for _, at := range []struct {
					wait time.Duration
					says string
				}{
					{250 * time.Millisecond, "attempt 1 started\ncalling NAME"},
					{time.Second, "attempt 1 started\ncalling NAME\nstill calling"},
					{time.Second, "attempt 1 started\ncalling NAME\nstill calling\nattempt ended: succeeded"},
				} {
					time.Sleep(at.wait)
					synctest.Wait()
					for _, job := range []string{"one", "two"} {
						if got, want := e.logOf(job), strings.ReplaceAll(at.says, "NAME", job); got != want {
							t.Errorf("the log of %s says %q, want %q", job, got, want)
						}
					}
				}
				if got := e.logOf("short"); got != "" {
					t.Errorf("the log of a short attempt without output says %q", got)
				}
			})
		})
	}
}
