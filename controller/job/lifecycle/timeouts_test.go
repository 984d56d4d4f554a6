package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
)

func attemptTimeout(seconds int64) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.AttemptTimeoutSeconds = &seconds }
}

func idleTimeout(seconds int64) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.IdleTimeoutSeconds = &seconds }
}

// active is a live attempt that gave output at that time.
func active(at time.Duration) lifecycle.Observed {
	return lifecycle.Observed{Worker: "w", Live: true, Active: start.Add(at)}
}

// asked is a live attempt that was asked to stop before.
func asked(cause lifecycle.Cause, message string) lifecycle.Observed {
	return lifecycle.Observed{Worker: "w", Live: true, Stop: &lifecycle.StopRequest{Cause: cause, Message: message}}
}

// stopping is what a running job is told.
func stopping(cause lifecycle.Cause, message ...string) want {
	return want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: cause, message: message}
}

func runsOn(again time.Duration) want {
	return want{phase: v1.JobRunning, reason: v1.ReasonStarted, again: again}
}

// failedBefore is a running job whose attempt before has failed.
func failedBefore(j *v1.Job) {
	j.Status.Message = "Attempt 1 failed with ExitCode (failure 1, spec.backoffLimit allows 5): exit 3"
}

// timeoutTable is what stops a running job, and how its end is judged then: rules 6 and 8.
// startDeadlineSeconds is queuedTable's.
var timeoutTable = table{
	"before the active deadline": {spec: changes{deadline(5)}, status: changes{running}, seen: live, at: 2 * time.Second, want: runsOn(3 * time.Second)},
	"at the active deadline": {
		spec: changes{deadline(5)}, status: changes{running}, seen: live, at: 5 * time.Second,
		want: stopping(lifecycle.CauseDeadline, "Ran for 5s; spec.activeDeadlineSeconds allows 5 s over all attempts"),
	},
	"the active deadline counts from the first start": {
		spec: changes{deadline(5)}, status: changes{func(j *v1.Job) { j.Status.StartTime = micro(-4 * time.Second) }, running}, seen: live, at: time.Second,
		want: stopping(lifecycle.CauseDeadline, "Ran for 5s"),
	},
	"before the attempt's timeout": {spec: changes{attemptTimeout(5)}, status: changes{running}, seen: live, at: 4 * time.Second, want: runsOn(time.Second)},
	"at the attempt's timeout": {
		spec: changes{attemptTimeout(5)}, status: changes{running}, seen: active(5 * time.Second), at: 5200 * time.Millisecond,
		want: stopping(lifecycle.CauseAttemptTimeout, "Attempt 1 ran for 5.2s; spec.attemptTimeoutSeconds allows 5 s", "in the log"),
	},
	"the attempt's timeout counts from its own start": {spec: changes{attemptTimeout(5)}, status: changes{func(j *v1.Job) { j.Status.StartTime = micro(-time.Hour) }, running}, seen: live, at: 4 * time.Second, want: runsOn(time.Second)},
	"idle since its start":                            {spec: changes{idleTimeout(5)}, status: changes{running}, seen: live, at: 4 * time.Second, want: runsOn(time.Second)},
	"idle since its start for too long": {
		spec: changes{idleTimeout(5)}, status: changes{running}, seen: live, at: 5 * time.Second,
		want: stopping(lifecycle.CauseIdleTimeout, "Attempt 1 gave neither output nor progress for 5s; spec.idleTimeoutSeconds allows 5 s"),
	},
	"idle since its last output": {spec: changes{idleTimeout(5)}, status: changes{running}, seen: active(3 * time.Second), at: 7 * time.Second, want: runsOn(time.Second)},
	"idle since its last output for too long": {
		spec: changes{idleTimeout(5)}, status: changes{running}, seen: active(3 * time.Second), at: 9 * time.Second,
		want: stopping(lifecycle.CauseIdleTimeout, "for 6s"),
	},
	"the idle limit of a job that sets none": {
		status: changes{running, func(j *v1.Job) { j.Status.IdleTimeoutSeconds = new(int64(900)) }}, seen: live, at: 900 * time.Second,
		want: stopping(lifecycle.CauseIdleTimeout, "spec.idleTimeoutSeconds is unset, which allows 900 s"),
	},
	"output before the attempt is another's": {spec: changes{idleTimeout(5)}, status: changes{running}, seen: active(-time.Hour), at: 4 * time.Second, want: runsOn(time.Second)},
	"a shutdown":                             {status: changes{running}, seen: lifecycle.Observed{Live: true, ShuttingDown: true}, want: stopping(lifecycle.CauseShutdown)},
	"the earliest of several is waited for":  {spec: changes{deadline(9), attemptTimeout(7), idleTimeout(8)}, status: changes{running}, seen: live, at: time.Second, want: runsOn(6 * time.Second)},
	"a start waits for the earliest": {spec: changes{deadline(9), attemptTimeout(7), idleTimeout(8), startDeadline(2)}, seen: granted, at: time.Second, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true, again: 7 * time.Second,
	}},

	"suspension comes before the active deadline":         {spec: changes{suspended, deadline(1)}, status: changes{running}, seen: live, at: time.Minute, want: stopping(lifecycle.CauseSuspend)},
	"the active deadline comes before the attempt's":      {spec: changes{deadline(5), attemptTimeout(5)}, status: changes{running}, seen: live, at: time.Minute, want: stopping(lifecycle.CauseDeadline)},
	"the attempt's timeout comes before the idle timeout": {spec: changes{attemptTimeout(5), idleTimeout(5)}, status: changes{running}, seen: live, at: time.Minute, want: stopping(lifecycle.CauseAttemptTimeout)},
	"the idle timeout comes before a shutdown": {
		spec: changes{idleTimeout(5)}, status: changes{running}, seen: lifecycle.Observed{Live: true, ShuttingDown: true}, at: time.Minute,
		want: stopping(lifecycle.CauseIdleTimeout),
	},
	"the first cause sticks with its words": {
		spec: changes{deadline(5), suspended}, status: changes{running}, seen: asked(lifecycle.CauseIdleTimeout, "idle for 3s"), at: time.Minute,
		want: stopping(lifecycle.CauseIdleTimeout, "idle for 3s"),
	},
	"and when its limit is raised": {
		spec: changes{idleTimeout(3600)}, status: changes{running}, seen: asked(lifecycle.CauseIdleTimeout, "idle for 3s"), at: time.Minute,
		want: stopping(lifecycle.CauseIdleTimeout, "idle for 3s"),
	},

	"stopped at the active deadline": {spec: changes{deadline(5), retries(5)}, status: changes{running}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseDeadline, "Ran for 5s; 5 s are allowed."), at: 6 * time.Second, want: want{
		phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true, message: []string{"Ran for 5s"},
	}},
	"stopped at the active deadline after a failure": {spec: changes{deadline(5), retries(5)}, status: changes{running, failedBefore}, seen: stopped(verdict(action.Stopped, "Nothing was left."), lifecycle.CauseDeadline, "Ran for 5s; 5 s are allowed."), at: 6 * time.Second, want: want{
		phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true, message: []string{"Ran for 5s; 5 s are allowed. Attempt 1 failed with ExitCode (failure 1, spec.backoffLimit allows 5): exit 3 Nothing was left."},
	}},
	"stopped at a deadline that was raised meanwhile": {spec: changes{deadline(3600)}, status: changes{running}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseDeadline, "Ran for 5s; 5 s are allowed."), at: 6 * time.Second, want: want{
		phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true, message: []string{"Ran for 5s; 5 s are allowed."},
	}},
	"failed beyond the active deadline": {spec: changes{deadline(5), retries(5)}, status: changes{running}, seen: outcome(action.Fail(v1.ReasonExitCode, "exit 3")), at: 6 * time.Second, want: want{
		phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true, message: []string{"Ran for 6s", "The last attempt failed with ExitCode: exit 3"},
	}},
	"lost beyond the active deadline": {spec: changes{deadline(5)}, status: changes{running}, seen: outcome(lost()), at: 6 * time.Second, want: want{
		phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true, message: []string{"Ran for 6s"},
		check: func(t *testing.T, d lifecycle.Decision) {
			if strings.Contains(d.Status.Message, "failed") {
				t.Errorf("message = %q", d.Status.Message)
			}
		},
	}},
	"stopped at the attempt's timeout": {spec: changes{attemptTimeout(5)}, status: changes{running}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseAttemptTimeout, "ran for 5s"), at: time.Minute, want: want{
		phase: v1.JobFailed, reason: v1.ReasonAttemptTimeout, changed: true, message: []string{"ran for 5s"},
	}},
	"what a stopped attempt has left is told": {status: changes{running}, seen: stopped(action.Outcome{Verdict: action.Stopped, Message: "Revision 3 was brought back."}, lifecycle.CauseAttemptTimeout, "Ran for 5s."), want: want{
		phase: v1.JobFailed, reason: v1.ReasonAttemptTimeout, changed: true, message: []string{"Ran for 5s. Revision 3 was brought back."},
	}},
	"the attempt's timeout is a failure that is retried": {spec: changes{attemptTimeout(5), retries(1), atOnce}, status: changes{running}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseAttemptTimeout, "ran for 5s"), want: want{
		reason: v1.ReasonRetrying, changed: true, message: []string{"failed with AttemptTimeout", "ran for 5s"},
	}},
	"stopped at the idle timeout": {status: changes{running}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseIdleTimeout, "idle for 5s"), want: want{
		phase: v1.JobFailed, reason: v1.ReasonIdleTimeout, changed: true, message: []string{"idle for 5s"},
	}},
	"the idle timeout is a failure that is retried": {spec: changes{retries(1), atOnce}, status: changes{running}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseIdleTimeout, "idle for 5s"), want: want{
		reason: v1.ReasonRetrying, changed: true, message: []string{"failed with IdleTimeout"},
	}},
	"failed by itself before it was stopped": {status: changes{running}, seen: stopped(action.Fail(v1.ReasonExitCode, "exit 3"), lifecycle.CauseAttemptTimeout, "ran for 5s"), want: want{
		phase: v1.JobFailed, reason: v1.ReasonExitCode, changed: true, message: []string{"exit 3"},
	}},
	"stopped for a shutdown is an interruption": {status: changes{running}, seen: stopped(action.Outcome{Verdict: action.Stopped, Repeatable: true}, lifecycle.CauseShutdown, ""), want: want{
		reason: v1.ReasonInterrupted, changed: true, message: []string{"interruption 1 of at most 5"},
	}},
}
