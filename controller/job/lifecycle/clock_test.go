package lifecycle_test

import (
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/lifecycle"
)

// updated is a status that was last written at that time.
func updated(at time.Duration) func(*v1.Job) {
	return func(j *v1.Job) { j.Status.LastUpdateTime = micro(at) }
}

// times says what the status' times are.
func times(started, updated time.Duration) func(*testing.T, lifecycle.Decision) {
	return func(t *testing.T, d lifecycle.Decision) {
		t.Helper()
		s := &d.Status
		if !s.StartTime.Equal(micro(started)) || !s.LastUpdateTime.Equal(micro(updated)) || s.CurrentAttempt != nil && !s.CurrentAttempt.StartTime.Equal(micro(started)) {
			t.Errorf("startTime %v, lastUpdateTime %v, attempt %+v", s.StartTime, s.LastUpdateTime, s.CurrentAttempt)
		}
	}
}

const day = 24 * time.Hour

// clockTable is a clock that was set back by more than the clocks of workers differ:
// rule 12.
var clockTable = table{
	"an attempt's timeout counts from the last change when the clock was set back": {
		spec: changes{attemptTimeout(5)}, status: changes{running, updated(2 * time.Second)}, seen: live, at: -day,
		want: want{phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, soft: true, again: 3 * time.Second, check: times(-day-2*time.Second, -day)},
	},
	"the active deadline does too": {
		spec: changes{deadline(5)}, status: changes{running, updated(0)}, seen: live, at: -3653 * day,
		want: want{phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, soft: true, again: 5 * time.Second, check: times(-3653*day, -3653*day)},
	},
	"the idle timeout does too": {
		spec: changes{idleTimeout(5)}, status: changes{running, updated(0)}, seen: active(-day), at: -day + time.Second,
		want: want{phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, soft: true, again: 5 * time.Second, check: times(-day+time.Second, -day+time.Second)},
	},
	"a clock that was moved a little moves no times": {
		spec: changes{attemptTimeout(5)}, status: changes{running, updated(0)}, seen: live, at: -time.Minute, want: runsOn(time.Minute + 5*time.Second),
	},
	"an attempt of another worker is its own to move": {
		status: changes{running, updated(0), leased("other", 30*time.Second)}, seen: lifecycle.Observed{Worker: "w"}, at: -day, want: runsOn(day + 30*time.Second),
	},
	"an attempt that was left by the process before is recovered at once": {
		status: changes{running, updated(0), leased("w", 30*time.Second)}, seen: lifecycle.Observed{Worker: "w"}, at: -day,
		want: want{phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, soft: true, do: lifecycle.Recover, check: times(-day, -day)},
	},
	"a back-off keeps its length": {
		status: changes{updated(0), func(j *v1.Job) {
			j.Status.StartTime, j.Status.NextAttemptTime, j.Status.Attempts = micro(-time.Second), micro(10*time.Second), 1
		}}, at: -day,
		want: want{changed: true, soft: true, ready: true, check: func(t *testing.T, d lifecycle.Decision) {
			t.Helper()
			if got := d.Status.NextAttemptTime; !got.Equal(micro(10*time.Second - day)) {
				t.Errorf("nextAttemptTime = %v", got)
			}
			times(-time.Second-day, -day)(t, d)
		}},
	},
	"a job that never started waits from when the clock was seen to be set back": {
		spec: changes{startDeadline(5)}, at: -day, want: want{changed: true, soft: true, ready: true, again: 5 * time.Second},
	},
	"and no longer than its limit": {
		spec: changes{startDeadline(5)}, status: changes{updated(-day)}, at: 5*time.Second - day,
		want: want{phase: v1.JobFailed, reason: v1.ReasonStartDeadlineExceeded, message: []string{"Queued for 5s"}, changed: true},
	},
	"what its author wrote stays": {
		spec: changes{startDeadline(5), startAfter(time.Hour)}, status: changes{updated(-day)}, at: -day, want: want{ready: true, again: day + time.Hour + 5*time.Second},
	},
	"a job that has ended stays as it is": {status: changes{finished}, at: -day, want: want{phase: v1.JobSucceeded, reason: v1.ReasonCompleted}},
}
