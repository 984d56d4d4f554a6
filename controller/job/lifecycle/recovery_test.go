package lifecycle_test

import (
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
)

func interruptions(n int32) func(*v1.Job) {
	return func(j *v1.Job) { j.Status.Interruptions, j.Status.Attempts = n, n }
}

func onInterruption(p v1.InterruptionPolicy) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.OnInterruption = p }
}

// leasing is worker w, whose leases last for 30 s.
func leasing(seen lifecycle.Observed) lifecycle.Observed {
	seen.Worker, seen.Lease = "w", 30*time.Second
	return seen
}

// holds says who holds the job and until when.
func holds(worker string, until time.Duration) func(*testing.T, lifecycle.Decision) {
	return func(t *testing.T, d lifecycle.Decision) {
		t.Helper()
		a := d.Status.CurrentAttempt
		if a == nil || a.Worker != worker || !a.LeaseExpires.Equal(micro(until)) || a.ID != "u-1" || !a.StartTime.Equal(micro(0)) {
			t.Errorf("attempt = %+v", a)
		}
	}
}

func recovering(changed bool, again time.Duration) want {
	return want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Recover, changed: changed, again: again}
}

// recoveryTable is leases, attempts that nobody holds, and interruptions: rules 8 and 11.
var recoveryTable = table{
	"a start takes a lease": {seen: leasing(granted), want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true, again: 10 * time.Second, check: holds("w", 30*time.Second),
	}},
	"a lease is not renewed too early": {status: changes{running, leased("w", 30*time.Second)}, seen: leasing(live), at: 9 * time.Second, want: runsOn(time.Second)},
	"a lease is renewed when a third has passed": {status: changes{running, leased("w", 30*time.Second)}, seen: leasing(live), at: 10 * time.Second, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, soft: true, again: 10 * time.Second, check: holds("w", 40*time.Second),
	}},
	"a lease is renewed though it has expired": {status: changes{running, leased("w", 30*time.Second)}, seen: leasing(live), at: time.Minute, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, soft: true, again: 10 * time.Second, check: holds("w", 90*time.Second),
	}},
	"an attempt without a lease gets one": {status: changes{running}, seen: leasing(live), want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, soft: true, again: 10 * time.Second, check: holds("w", 30*time.Second),
	}},
	"a lease is renewed while the attempt stops": {spec: changes{suspended}, status: changes{running, leased("w", 30*time.Second)}, seen: leasing(live), at: 10 * time.Second, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, soft: true, again: 10 * time.Second, do: lifecycle.Stop, stop: lifecycle.CauseSuspend,
	}},
	"a cancel that is news makes a renewal durable": {spec: changes{canceled}, status: changes{running, leased("w", 30*time.Second)}, seen: leasing(live), at: 10 * time.Second, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, again: 10 * time.Second, do: lifecycle.Stop, stop: lifecycle.CauseCancel,
	}},

	"its own attempt is recovered at once":       {status: changes{running, leased("w", time.Hour)}, seen: leasing(granted), want: recovering(false, 0)},
	"a canceled one too":                         {spec: changes{canceled}, status: changes{running}, seen: leasing(lifecycle.Observed{}), want: recovering(false, 0)},
	"its own attempt waits while something ends": {status: changes{running}, seen: lifecycle.Observed{Worker: "w", Busy: true}, want: runsOn(0)},
	"another's attempt is left alone":            {status: changes{running, leased("other", 30*time.Second)}, seen: leasing(granted), at: 29 * time.Second, want: runsOn(time.Second)},
	"and not stopped for anything":               {spec: changes{canceled, suspended, deadline(1)}, status: changes{running, leased("other", 30*time.Second)}, seen: leasing(lifecycle.Observed{ReplacedBy: "new"}), at: 29 * time.Second, want: runsOn(time.Second)},
	"another's is taken over when its lease has expired": {status: changes{running, leased("other", 30*time.Second)}, seen: leasing(lifecycle.Observed{}), at: 30 * time.Second, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Recover, changed: true, again: 10 * time.Second, check: holds("w", time.Minute),
	}},
	"another's without a lease is taken over": {status: changes{running, func(j *v1.Job) { j.Status.CurrentAttempt.Worker = "other" }}, seen: leasing(lifecycle.Observed{}), want: recovering(true, 10*time.Second)},
	"nobody is taken over at shutdown":        {status: changes{running, leased("other", 30*time.Second)}, seen: leasing(lifecycle.Observed{ShuttingDown: true}), at: time.Hour, want: runsOn(0)},
	"nobody is taken over while something ends": {
		status: changes{running, leased("other", 30*time.Second)}, seen: leasing(lifecycle.Observed{Busy: true}), at: time.Hour,
		want: runsOn(0),
	},
	"a worker whose leases last for good takes over for good": {status: changes{running, leased("other", 30*time.Second)}, seen: lifecycle.Observed{Worker: "w"}, at: time.Minute, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Recover, changed: true, check: func(t *testing.T, d lifecycle.Decision) {
			if a := d.Status.CurrentAttempt; a.Worker != "w" || a.LeaseExpires != nil {
				t.Errorf("attempt = %+v", a)
			}
		},
	}},

	"an interruption": {status: changes{running, func(j *v1.Job) { j.Status.Step = "half" }}, seen: outcome(action.Outcome{Verdict: action.Lost, Repeatable: true, Message: "The machine is gone."}), want: want{
		reason: v1.ReasonInterrupted, changed: true, message: []string{"Attempt 1 was interrupted and will be run again (interruption 1 of at most 5). The machine is gone."},
		check: func(t *testing.T, d lifecycle.Decision) {
			if s := d.Status; s.Interruptions != 1 || s.Failures != 0 || s.CurrentAttempt != nil || s.Step != "" || s.NextAttemptTime != nil {
				t.Errorf("status = %+v", s)
			}
		},
	}},
	"an interruption uses up no retry": {spec: changes{retries(1)}, status: changes{failures(1), running}, seen: outcome(lost()), want: want{reason: v1.ReasonInterrupted, changed: true}},
	"stopped for no cause of its own":  {status: changes{running}, seen: outcome(action.Outcome{Verdict: action.Stopped, Repeatable: true}), want: want{reason: v1.ReasonInterrupted, changed: true}},
	"lost while it was stopped for its timeout": {
		status: changes{running}, seen: stopped(lost(), lifecycle.CauseAttemptTimeout, "ran for 5s"),
		want: want{reason: v1.ReasonInterrupted, changed: true},
	},
	"lost while it was stopped for being idle": {
		status: changes{running}, seen: stopped(lost(), lifecycle.CauseIdleTimeout, "idle for 5s"),
		want: want{reason: v1.ReasonInterrupted, changed: true},
	},
	"lost, and running it again might do harm": {status: changes{running}, seen: outcome(verdict(action.Lost, "")), want: want{
		phase: v1.JobFailed, reason: v1.ReasonInterrupted, changed: true, message: []string{"might do its work twice (spec.onInterruption: Rerun allows it)"},
	}},
	"lost, might do harm, and may": {spec: changes{onInterruption(v1.InterruptionRerun)}, status: changes{running}, seen: outcome(verdict(action.Lost, "")), want: want{
		reason: v1.ReasonInterrupted, changed: true,
	}},
	"lost, would do no harm, and may not": {spec: changes{onInterruption(v1.InterruptionFail)}, status: changes{running}, seen: outcome(lost()), want: want{
		phase: v1.JobFailed, reason: v1.ReasonInterrupted, changed: true, message: []string{"spec.onInterruption is Fail"},
	}},
	"five interruptions are survived": {status: changes{interruptions(4), running}, seen: outcome(lost()), want: want{reason: v1.ReasonInterrupted, changed: true}},
	"the sixth is one too many": {status: changes{interruptions(5), running}, seen: outcome(lost()), want: want{
		phase: v1.JobFailed, reason: v1.ReasonTooManyInterruptions, changed: true, message: []string{"Interrupted 6 times, 5 are allowed"},
	}},
}
