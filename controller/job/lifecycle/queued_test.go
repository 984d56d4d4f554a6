package lifecycle_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
)

// queuedTable is replacement, skipping, records and waiting for too long: rules 5 and 10.
var queuedTable = table{
	"replaced before it started": {spec: changes{policy("")}, seen: lifecycle.Observed{Granted: true, ReplacedBy: "new"}, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonReplaced, changed: true, message: []string{`Job "new" has the same concurrency key ("k") and policy Replace.`},
	}},
	"replaced by one of its compose project": {seen: lifecycle.Observed{ReplacedBy: "new"}, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonReplaced, changed: true, message: []string{"concurrency key (of its compose project)"},
	}},
	"a cancel comes before a replacement": {spec: changes{canceled}, seen: lifecycle.Observed{ReplacedBy: "new"}, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true,
	}},
	"a replacement comes before a suspension": {spec: changes{suspended}, seen: lifecycle.Observed{ReplacedBy: "new"}, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonReplaced, changed: true,
	}},
	"replaced while it runs": {spec: changes{policy("")}, status: changes{running}, seen: lifecycle.Observed{Live: true, ReplacedBy: "new"}, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: lifecycle.CauseReplaced, changed: true, message: []string{`Job "new"`},
		check: func(t *testing.T, d lifecycle.Decision) {
			for _, c := range d.Status.Conditions {
				if c.Type == v1.ConditionCanceling && c.Reason == v1.ReasonReplaced {
					return
				}
			}
			t.Errorf("conditions = %+v", d.Status.Conditions)
		},
	}},
	"a replacement comes on top of another stop": {status: changes{running}, seen: lifecycle.Observed{
		Live: true, ReplacedBy: "new", Stop: &lifecycle.StopRequest{Cause: lifecycle.CauseSuspend},
	}, want: want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: lifecycle.CauseReplaced, changed: true}},
	"replaced and stopped": {status: changes{running}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseReplaced, "for the new one"), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonReplaced, changed: true, message: []string{"for the new one"},
	}},
	"replaced and ended before it was asked to stop": {status: changes{running}, seen: lifecycle.Observed{ReplacedBy: "new", Outcome: new(action.Fail(v1.ReasonExitCode, ""))}, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonReplaced, changed: true, message: []string{`Job "new"`},
	}},
	"replaced and succeeded anyway": {status: changes{running}, seen: stopped(verdict(action.Succeeded, "done"), lifecycle.CauseReplaced, "for the new one"), want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true, message: []string{"done"},
	}},

	"skipped": {spec: changes{policy(v1.ConcurrencySkip)}, seen: lifecycle.Observed{Granted: true, SkippedFor: []string{"a", "b"}}, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonSkipped, changed: true, message: []string{`Skipped: a, b hold the concurrency key "k" already`, "jobwright retry when they have ended."},
	}},
	"not skipped before its time": {
		spec: changes{policy(v1.ConcurrencySkip), startAfter(time.Minute)}, seen: lifecycle.Observed{SkippedFor: []string{"a"}}, at: time.Minute - time.Second,
		want: want{ready: true, again: time.Second},
	},
	"skipped when its time has come": {
		spec: changes{policy(v1.ConcurrencySkip), startAfter(time.Minute)}, seen: lifecycle.Observed{SkippedFor: []string{"a"}}, at: time.Minute,
		want: want{phase: v1.JobCanceled, reason: v1.ReasonSkipped, changed: true, message: []string{`Skipped: a holds the concurrency key "k" already`, "when it has ended."}},
	},
	"not skipped while it waits for a dependency": {spec: changes{policy(v1.ConcurrencySkip), dependsOn("one", "")}, seen: lifecycle.Observed{
		SkippedFor: []string{"a"}, Dependencies: []lifecycle.Dependency{{UID: "1", Phase: v1.JobRunning}},
	}, want: want{changed: true, soft: true}},
	"a suspension comes before skipping":                        {spec: changes{policy(v1.ConcurrencySkip), suspended}, status: changes{holding(v1.ConditionSuspended)}, seen: lifecycle.Observed{SkippedFor: []string{"a"}}},
	"a replacing job is looked at again when its time has come": {spec: changes{policy(v1.ConcurrencyReplace), startAfter(time.Minute)}, want: want{ready: true, again: time.Minute}},
	"a queueing job leaves its time to the schedule":            {spec: changes{policy(v1.ConcurrencyQueue), startAfter(time.Minute)}, want: want{ready: true}},
	"a skipping job whose time has come":                        {spec: changes{policy(v1.ConcurrencySkip), startAfter(time.Minute)}, at: time.Minute, want: want{ready: true}},

	"a record needs no slot": {spec: changes{record}, want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonRecorded, changed: true,
		check: func(t *testing.T, d lifecycle.Decision) {
			if s := d.Status; s.Attempts != 0 || s.Pct != 100 || !s.StartTime.Equal(micro(0)) || !s.CompletionTime.Equal(micro(0)) {
				t.Errorf("status = %+v", s)
			}
		},
	}},
	"a record of the future waits": {spec: changes{record, startAfter(time.Minute)}, at: time.Second, want: want{again: time.Minute - time.Second}},
	"a record whose time has come": {spec: changes{record, startAfter(time.Minute)}, at: time.Minute, want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonRecorded, changed: true,
	}},
	"a record waits for its dependency": {spec: changes{record, dependsOn("one", "")}, seen: lifecycle.Observed{
		Dependencies: []lifecycle.Dependency{{UID: "1"}},
	}, want: want{changed: true, soft: true}},
	"a record waits at shutdown":               {spec: changes{record}, seen: lifecycle.Observed{ShuttingDown: true}},
	"a record waits until nothing is in doubt": {spec: changes{record}, seen: lifecycle.Observed{Busy: true}},
	"a suspended record waits":                 {spec: changes{record, suspended}, status: changes{holding(v1.ConditionSuspended)}},

	"queued within its start deadline": {spec: changes{startDeadline(60)}, at: time.Minute - time.Second, want: want{ready: true, again: time.Second}},
	"queued for too long": {spec: changes{startDeadline(60)}, at: 90 * time.Second, seen: granted, want: want{
		phase: v1.JobFailed, reason: v1.ReasonStartDeadlineExceeded, changed: true, message: []string{"Queued for 1m30s", "spec.startDeadlineSeconds allows 60 s", "--max-concurrent-jobs"},
	}},
	"queued for exactly as long as it may":      {spec: changes{startDeadline(60)}, at: time.Minute, want: want{phase: v1.JobFailed, reason: v1.ReasonStartDeadlineExceeded, changed: true}},
	"the start deadline counts from startAfter": {spec: changes{startDeadline(60), startAfter(time.Hour)}, at: time.Hour + 59*time.Second, want: want{ready: true, again: time.Second}},
	"and not from one that came before the job": {spec: changes{startDeadline(60), startAfter(-time.Hour)}, at: 59 * time.Second, want: want{ready: true, again: time.Second}},
	"and passes after startAfter":               {spec: changes{startDeadline(60), startAfter(time.Hour)}, at: time.Hour + time.Minute, want: want{phase: v1.JobFailed, reason: v1.ReasonStartDeadlineExceeded, changed: true, message: []string{"Queued for 1m0s"}}},
	"the start deadline counts from the rerun": {spec: changes{startDeadline(60)}, status: changes{func(j *v1.Job) {
		finished(j)
		j.Status = v1.Rerun(j.Status, 1, start.Add(time.Hour))
	}}, at: time.Hour + 59*time.Second, want: want{ready: true, again: time.Second}},
	"no start deadline after the first start": {
		spec: changes{startDeadline(60)}, status: changes{func(j *v1.Job) { j.Status.Attempts, j.Status.StartTime = 1, micro(0) }}, at: time.Hour,
		want: want{ready: true},
	},
	"a start takes the start deadline along": {spec: changes{startDeadline(60)}, seen: granted, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true,
	}},
	"a time limit over all attempts passes in the queue": {
		spec: changes{deadline(5)}, status: changes{func(j *v1.Job) { j.Status.Attempts, j.Status.StartTime = 1, micro(0) }}, seen: granted, at: time.Minute,
		want: want{phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true, message: []string{"Ran for 1m0s", "allows 5 s"}},
	},
	"and what the attempt before had failed with is told": {
		spec: changes{deadline(5)}, status: changes{func(j *v1.Job) { j.Status.Attempts, j.Status.StartTime = 2, micro(0) }, retrying}, seen: granted, at: time.Minute,
		want: want{phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true, message: []string{"Ran for 1m0s", "took so long. Attempt 2 failed with ExitCode (failure 2, spec.backoffLimit allows 9): exit 3"}},
	},
	"a retry keeps the failure before it in sight": {status: changes{func(j *v1.Job) { j.Status.Attempts, j.Status.StartTime = 2, micro(0) }, retrying}, seen: granted, at: time.Minute, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true, message: []string{"Attempt 2 failed with ExitCode (failure 2, spec.backoffLimit allows 9): exit 3"},
	}},
	"and is waited for": {
		spec: changes{deadline(5)}, status: changes{func(j *v1.Job) { j.Status.Attempts, j.Status.StartTime = 1, micro(0) }}, at: time.Second,
		want: want{ready: true, again: 4 * time.Second},
	},
}

// suspendTable is spec.suspend: rules 5 and 9.
var suspendTable = table{
	"a queued job": {spec: changes{suspended, startDeadline(60), deadline(5)}, status: changes{func(j *v1.Job) { j.Status.Attempts, j.Status.StartTime = 1, micro(0) }}, seen: granted, want: want{
		reason: v1.ReasonSuspended, changed: true, message: []string{"; jobwright resume "},
		check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.StartTime != nil || !d.Status.IsConditionTrue(v1.ConditionSuspended) {
				t.Errorf("status = %+v", d.Status)
			}
		},
	}},
	"a job nobody has seen": {spec: changes{suspended}, status: changes{func(j *v1.Job) { j.Status = v1.JobStatus{} }}, want: want{reason: v1.ReasonSuspended, changed: true}},
	"still suspended":       {spec: changes{suspended, startDeadline(60)}, status: changes{isSuspended}, at: time.Hour, want: want{reason: v1.ReasonSuspended}},
	"a running job is stopped": {spec: changes{suspended}, status: changes{running}, seen: live, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: lifecycle.CauseSuspend,
	}},
	"the stopped attempt counts as nothing": {spec: changes{suspended, deadline(5)}, status: changes{running, func(j *v1.Job) { j.Status.Step = "half" }}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseSuspend, ""), at: 6 * time.Second, want: want{
		reason: v1.ReasonSuspended, changed: true, check: countedNothing,
	}},
	"a lost one too": {spec: changes{suspended}, status: changes{running}, seen: stopped(verdict(action.Lost, ""), lifecycle.CauseSuspend, ""), want: want{
		reason: v1.ReasonSuspended, changed: true, check: countedNothing,
	}},
	"a failure before it was stopped is one": {spec: changes{suspended}, status: changes{running}, seen: stopped(action.Fail(v1.ReasonExitCode, "exit 3"), lifecycle.CauseSuspend, ""), want: want{
		phase: v1.JobFailed, reason: v1.ReasonExitCode, changed: true,
	}},
	"taken back before it was stopped": {status: changes{running}, seen: lifecycle.Observed{Live: true, Stop: &lifecycle.StopRequest{Cause: lifecycle.CauseSuspend}}, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: lifecycle.CauseSuspend,
	}},
	"taken back while it stopped, its time starts anew all the same": {spec: changes{deadline(5)}, status: changes{running}, seen: stopped(verdict(action.Stopped, ""), lifecycle.CauseSuspend, ""), at: 6 * time.Second, want: want{
		reason: v1.ReasonSuspended, changed: true, check: countedNothing,
	}},
	"resumed": {spec: changes{startDeadline(60), deadline(5)}, status: changes{isSuspended}, at: time.Hour, want: want{
		changed: true, ready: true, again: time.Minute,
		check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.IsConditionTrue(v1.ConditionSuspended) || !d.Status.QueuedTime.Equal(micro(time.Hour)) {
				t.Errorf("status = %+v", d.Status)
			}
		},
	}},
	"the start deadline counts from the resumption": {
		spec: changes{startDeadline(60)}, status: changes{func(j *v1.Job) { j.Status.QueuedTime = micro(time.Hour) }}, at: time.Hour + 59*time.Second,
		want: want{ready: true, again: time.Second},
	},
	"a failed dependency ends a suspended job": {spec: changes{suspended, dependsOn("one", "")}, status: changes{isSuspended}, seen: lifecycle.Observed{
		Dependencies: []lifecycle.Dependency{{UID: "1", Phase: v1.JobFailed}},
	}, want: want{phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true}},
	"a suspended job learns of its dependencies": {spec: changes{suspended, dependsOn("one", "")}, status: changes{isSuspended}, seen: lifecycle.Observed{
		Dependencies: []lifecycle.Dependency{{UID: "1", Phase: v1.JobRunning}},
	}, want: want{reason: v1.ReasonSuspended, changed: true, soft: true}},
	"a suspended job does not wait for a dependency that never was": {spec: changes{suspended, dependsOn("one", "")}, status: changes{isSuspended}, seen: lifecycle.Observed{
		Dependencies: []lifecycle.Dependency{{}},
	}, at: 2 * v1.DependencyWait, want: want{reason: v1.ReasonSuspended}},
}

func isSuspended(j *v1.Job) {
	j.Status.Reason = v1.ReasonSuspended
	j.Status.SetCondition(v1.ConditionSuspended, metav1.ConditionTrue, v1.ReasonSuspended, "Suspended; jobwright resume "+j.Name+" lets it run, as does spec.suspend: false.", 1, metav1.NewTime(start))
}

func countedNothing(t *testing.T, d lifecycle.Decision) {
	if s := d.Status; s.Failures != 0 || s.Interruptions != 0 || s.StartTime != nil || s.CurrentAttempt != nil || s.Step != "" {
		t.Errorf("status = %+v", s)
	}
}

func TestNotBeforeIsTheLaterOfTheTwo(t *testing.T) {
	for name, tc := range map[string]struct {
		spec, status changes
		want         time.Time
	}{
		"neither":                   {want: time.Time{}},
		"startAfter":                {spec: changes{startAfter(time.Minute)}, want: start.Add(time.Minute)},
		"back-off":                  {status: changes{nextAttempt(time.Second)}, want: start.Add(time.Second)},
		"startAfter, then back-off": {spec: changes{startAfter(time.Minute)}, status: changes{nextAttempt(time.Hour)}, want: start.Add(time.Hour)},
		"back-off, then startAfter": {spec: changes{startAfter(time.Minute)}, status: changes{nextAttempt(time.Second)}, want: start.Add(time.Minute)},
	} {
		if got := lifecycle.NotBefore(job(append(tc.spec, tc.status...)...)); !got.Equal(tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func nextAttempt(at time.Duration) func(*v1.Job) {
	return func(j *v1.Job) { j.Status.NextAttemptTime = micro(at) }
}

func TestQueuedSince(t *testing.T) {
	if got := lifecycle.QueuedSince(job()); !got.Equal(start) {
		t.Errorf("a new job: %v", got)
	}
	if got := lifecycle.QueuedSince(job(func(j *v1.Job) { j.Status.QueuedTime = micro(time.Hour) })); !got.Equal(start.Add(time.Hour)) {
		t.Errorf("a resumed job: %v", got)
	}
}

// TestAGrantIsNoReasonToStartTooEarly moves startAfter once the slot was granted: the
// job goes back to the schedule, which knows its new time.
func TestAGrantIsNoReasonToStartTooEarly(t *testing.T) {
	later := metav1.NewTime(start.Add(time.Hour))
	d := next(job(func(j *v1.Job) { j.Spec.StartAfter = &later }), lifecycle.Observed{Worker: "w", Granted: true}, start)
	if d.Do != lifecycle.Nothing || d.Status.CurrentAttempt != nil || !d.Ready {
		t.Errorf("decision = %+v", d)
	}
}

// retrying is a job that waits for another attempt.
func retrying(j *v1.Job) {
	j.Status.Phase, j.Status.Reason = v1.JobQueued, v1.ReasonRetrying
	j.Status.Message = "Attempt 2 failed with ExitCode (failure 2, spec.backoffLimit allows 9); the next one starts after 1s, at 2026-01-02T03:04:05Z. exit 3"
}
