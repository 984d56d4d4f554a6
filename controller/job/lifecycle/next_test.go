package lifecycle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// changes are what a row's job differs in from a queued deploy, in the order in which
// they are made: first of its spec, then of its status.
type changes []func(*v1.Job)

// table is situations and what follows from them.
type table map[string]struct {
	spec   changes
	status changes
	seen   lifecycle.Observed
	at     time.Duration // since the job was created, or its attempt started
	want   want
}

// want is a decision as far as a row speaks of it. What it leaves out has to be empty,
// but for the message, which has to hold every part named, and check.
type want struct {
	phase   v1.JobPhase // empty: Queued
	reason  string      // empty: Queued
	message []string
	do      lifecycle.Do
	stop    lifecycle.Cause
	changed bool
	soft    bool
	ready   bool
	again   time.Duration
	check   func(*testing.T, lifecycle.Decision)
}

// tables are all rows by topic, so that what no row speaks of can be found.
var tables = map[string]table{
	"next": nextTable, "queued": queuedTable, "suspend": suspendTable, "dependencies": dependencyTable, "failure policy": failureTable,
	"timeouts": timeoutTable, "recovery": recoveryTable, "clock": clockTable,
}

// next is the decision of the side that asks: the worker while the attempt is at work or
// has just ended, and else the dispatcher.
func next(j *v1.Job, seen lifecycle.Observed, now time.Time) lifecycle.Decision {
	if j.Status.CurrentAttempt != nil && (seen.Live || seen.Outcome != nil) {
		return lifecycle.NextHeld(j, seen, now)
	}
	return lifecycle.NextQueued(j, seen, now)
}

func TestNext(t *testing.T) {
	for topic, rows := range tables {
		for name, tc := range rows {
			t.Run(topic+"/"+name, func(t *testing.T) {
				j := job(append(slices.Clone(tc.spec), tc.status...)...)
				before := j.DeepCopy()
				d := next(j, tc.seen, start.Add(tc.at))
				if diff := cmp.Diff(before, j); diff != "" {
					t.Fatalf("the decision changed its argument (-before +after):\n%s", diff)
				}
				compare(t, tc.want, d)
				after := before.DeepCopy()
				after.Status = d.Status
				for _, err := range append(v1.Check(after), v1.CheckTransition(before, after)...) {
					t.Error(err)
				}
				if !d.Changed && !cmp.Equal(before.Status, d.Status) {
					t.Errorf("the status changed and is not to be written:\n%s", cmp.Diff(before.Status, d.Status))
				}
				for _, c := range d.Status.Conditions {
					if c.Reason == "" || c.Message == "" {
						t.Errorf("condition %s says no reason or no message: %+v", c.Type, c)
					}
				}
				if tc.want.check != nil {
					tc.want.check(t, d)
				}
			})
		}
	}
}

func compare(t *testing.T, w want, d lifecycle.Decision) {
	t.Helper()
	type essence struct {
		Phase                v1.JobPhase
		Reason               string
		Do                   lifecycle.Do
		Stop                 lifecycle.Cause
		Changed, Soft, Ready bool
		Again                time.Duration
	}
	if w.phase == "" {
		w.phase = v1.JobQueued
	}
	if w.reason == "" {
		w.reason = v1.ReasonQueued
	}
	got := essence{d.Status.Phase, d.Status.Reason, d.Do, d.Stop.Cause, d.Changed, d.Changed && d.Soft, d.Ready, d.Again}
	if diff := cmp.Diff(essence{w.phase, w.reason, w.do, w.stop, w.changed, w.soft, w.ready, w.again}, got); diff != "" {
		t.Errorf("decision (-want +got):\n%s", diff)
	}
	message := d.Status.Message
	if d.Stop.Message != "" {
		message = d.Stop.Message
	}
	for _, part := range w.message {
		if !strings.Contains(message, part) {
			t.Errorf("message = %q, want %q in it", message, part)
		}
	}
	if d.Do == lifecycle.Stop && d.Stop.Cause == lifecycle.CauseNone {
		t.Error("stopped without a cause")
	}
}

// TestNothingIsWithoutARow finds reasons, causes and deeds that no row leads to.
func TestNothingIsWithoutARow(t *testing.T) {
	reasons := map[string]bool{
		v1.ReasonDeleted: true, v1.ReasonImported: true, // written by others than this machine
	}
	causes := map[lifecycle.Cause]bool{}
	deeds := map[lifecycle.Do]bool{}
	for _, rows := range tables {
		for _, tc := range rows {
			reasons[tc.want.reason], causes[tc.want.stop], deeds[tc.want.do] = true, true, true
		}
	}
	for _, reason := range v1.Reasons() {
		if !reasons[reason] && reason != v1.ReasonQueued && !slices.Contains(actionReasons, reason) {
			t.Errorf("no row leads to reason %s", reason)
		}
	}
	for cause := lifecycle.CauseNone; cause <= lifecycle.CauseShutdown; cause++ {
		if !causes[cause] {
			t.Errorf("no row stops for cause %d", cause)
		}
	}
	for do := lifecycle.Nothing; do <= lifecycle.Recover; do++ {
		if !deeds[do] {
			t.Errorf("no row leads to deed %d", do)
		}
	}
}

// actionReasons come from the action and are passed on as they are.
var actionReasons = []string{
	v1.ReasonToolError, v1.ReasonServerUnavailable, v1.ReasonProtocolError, v1.ReasonInvalidArguments, v1.ReasonExitCode,
	v1.ReasonCommandUnavailable, v1.ReasonUnexpectedStatus, v1.ReasonUnexpectedResponse, v1.ReasonConnectionFailed, v1.ReasonAddressRefused, v1.ReasonTimeout,
	v1.ReasonInternalError,
	v1.ReasonInvalidComposeFile, v1.ReasonPullFailed, v1.ReasonBuildFailed, v1.ReasonPortConflict, v1.ReasonContainerFailed,
	v1.ReasonCrashLoop, v1.ReasonUnhealthy, v1.ReasonStageTimeout, v1.ReasonEngineUnavailable, v1.ReasonRolledBack, v1.ReasonRollbackFailed,
}

func TestAnActionsReasonIsPassedOn(t *testing.T) {
	for _, reason := range actionReasons {
		d := next(job(running), outcome(action.Fail(reason, "why")), start)
		if d.Status.Phase != v1.JobFailed || d.Status.Reason != reason || d.Status.Message != "why" {
			t.Errorf("%s became %s/%s: %s", reason, d.Status.Phase, d.Status.Reason, d.Status.Message)
		}
	}
}

// job is a queued deploy.
func job(change ...func(*v1.Job)) *v1.Job {
	j := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "acme", UID: "u", Generation: 1, CreationTimestamp: metav1.NewTime(start)},
		Spec:       v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}},
		Status:     v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	}
	for _, c := range change {
		c(j)
	}
	return j
}

// running is the first attempt of worker w, started at the start.
func running(j *v1.Job) {
	j.Status.Phase, j.Status.Reason = v1.JobRunning, v1.ReasonStarted
	j.Status.Attempts++
	j.Status.CurrentAttempt = &v1.Attempt{ID: "u-1", Worker: "w", StartTime: *micro(0)}
	if j.Status.StartTime == nil {
		j.Status.StartTime = micro(0)
	}
}

// finished is a job that has succeeded.
func finished(j *v1.Job) {
	j.Status = next(job(running), outcome(action.Outcome{Verdict: action.Succeeded}), start).Status
}

func micro(at time.Duration) *metav1.MicroTime {
	t := metav1.NewMicroTime(start.Add(at))
	return &t
}

func canceled(j *v1.Job) { j.Spec.Cancel = true }

// rerun asks for the first rerun.
func rerun(j *v1.Job) { j.Spec.Reruns = 1 }

func suspended(j *v1.Job) { j.Spec.Suspend = true }

func record(j *v1.Job) { j.Spec.Type, j.Spec.Deploy = v1.JobTypeAPICall, nil }

func startAfter(at time.Duration) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.StartAfter = new(metav1.NewTime(start.Add(at))) }
}

func deadline(seconds int64) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.ActiveDeadlineSeconds = &seconds }
}

func startDeadline(seconds int64) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.StartDeadlineSeconds = &seconds }
}

func forced(phase v1.JobPhase) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.ForceFinish = &v1.ForceFinish{Phase: phase, Message: "the machine is gone"} }
}

func policy(p v1.ConcurrencyPolicy) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.Concurrency = &v1.Concurrency{Key: "k", Policy: p} }
}

// holding gives the job's condition that status.
func holding(condition string) func(*v1.Job) {
	return func(j *v1.Job) {
		j.Status.SetCondition(condition, metav1.ConditionTrue, v1.ReasonSuspended, "Suspended; jobwright resume "+j.Name+" lets it run, as does spec.suspend: false.", 1, metav1.NewTime(start))
	}
}

func outcome(o action.Outcome) lifecycle.Observed {
	return lifecycle.Observed{Worker: "w", Outcome: &o}
}

func verdict(v action.Verdict, message string) action.Outcome {
	return action.Outcome{Verdict: v, Message: message}
}

func lost() action.Outcome { return action.Outcome{Verdict: action.Lost, Repeatable: true} }

// stopped is an outcome that came after the attempt was asked to stop.
func stopped(o action.Outcome, cause lifecycle.Cause, message string) lifecycle.Observed {
	seen := outcome(o)
	seen.Stop = &lifecycle.StopRequest{Cause: cause, Message: message}
	return seen
}

var (
	live    = lifecycle.Observed{Worker: "w", Live: true}
	granted = lifecycle.Observed{Worker: "w", Granted: true}
)

// nextTable is the way of a job that nothing happens to, cancel and forceFinish: rules
// 1 to 4.
var nextTable = table{
	"a queued job waits":              {want: want{ready: true}},
	"a job nobody has seen is queued": {status: changes{func(j *v1.Job) { j.Status = v1.JobStatus{} }}, want: want{changed: true, ready: true}},
	"a granted job starts": {seen: granted, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true,
		check: func(t *testing.T, d lifecycle.Decision) {
			diff := cmp.Diff(v1.JobStatus{
				Phase: v1.JobRunning, Reason: v1.ReasonStarted, ObservedGeneration: 1, StartTime: micro(0), LastUpdateTime: micro(0), Attempts: 1,
				CurrentAttempt: &v1.Attempt{ID: "u-1", Worker: "w", StartTime: *micro(0)},
			}, d.Status)
			if diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		},
	}},
	"a further attempt starts afresh": {
		status: changes{func(j *v1.Job) {
			j.Status.Attempts, j.Status.Pct, j.Status.Step, j.Status.StartTime = 1, 70, "half", micro(0)
			j.Status.NextAttemptTime, j.Status.RetryAfterTime = micro(time.Second), micro(time.Second)
			j.Status.Result, j.Status.Artifacts = &v1.JSON{}, []v1.Artifact{{Name: "a"}}
		}},
		seen: granted, at: time.Minute,
		want: want{
			phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true,
			check: func(t *testing.T, d lifecycle.Decision) {
				diff := cmp.Diff(v1.JobStatus{
					Phase: v1.JobRunning, Reason: v1.ReasonStarted, ObservedGeneration: 1, StartTime: micro(0), LastUpdateTime: micro(time.Minute), Attempts: 2,
					CurrentAttempt: &v1.Attempt{ID: "u-2", Worker: "w", StartTime: *micro(time.Minute)},
				}, d.Status)
				if diff != "" {
					t.Errorf("status (-want +got):\n%s", diff)
				}
			},
		},
	},
	"nothing starts at shutdown":               {seen: lifecycle.Observed{Granted: true, ShuttingDown: true}, want: want{ready: true}},
	"nothing starts while something is to end": {seen: lifecycle.Observed{Granted: true, Busy: true}},
	"a running job runs":                       {status: changes{running}, seen: live, want: want{phase: v1.JobRunning, reason: v1.ReasonStarted}},
	"success": {status: changes{running}, seen: outcome(verdict(action.Succeeded, "done")), want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true, message: []string{"done"},
		check: func(t *testing.T, d lifecycle.Decision) {
			if c := d.Status.Conditions; len(c) != 2 || c[0].Type != v1.ConditionComplete || c[1].Type != v1.ConditionFinished {
				t.Errorf("conditions = %+v", c)
			}
		},
	}},
	"success brings its result": {status: changes{running}, seen: outcome(action.Outcome{Verdict: action.Succeeded, Artifacts: []v1.Artifact{{Name: "log"}}}), want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true,
		check: func(t *testing.T, d lifecycle.Decision) {
			if len(d.Status.Artifacts) != 1 || d.Status.Pct != 100 {
				t.Errorf("status = %+v", d.Status)
			}
		},
	}},
	"failure brings its result too": {status: changes{running}, seen: outcome(action.Outcome{Reason: v1.ReasonToolError, Artifacts: []v1.Artifact{{Name: "log"}}}), want: want{
		phase: v1.JobFailed, reason: v1.ReasonToolError, changed: true,
		check: func(t *testing.T, d lifecycle.Decision) {
			if len(d.Status.Artifacts) != 1 || d.Status.Failures != 1 {
				t.Errorf("status = %+v", d.Status)
			}
		},
	}},

	"a queued job is canceled at once": {spec: changes{canceled}, seen: granted, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: []string{"before it started"},
	}},
	"a job between two attempts is canceled": {spec: changes{canceled}, status: changes{nextAttempt(time.Minute)}, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true,
		check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.NextAttemptTime != nil {
				t.Error("a finished job has a next attempt")
			}
		},
	}},
	"a canceled record is canceled": {spec: changes{record, canceled}, want: want{phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true}},
	"a suspended job is canceled at once": {spec: changes{canceled, suspended}, status: changes{holding(v1.ConditionSuspended)}, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true,
		check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.IsConditionTrue(v1.ConditionSuspended) {
				t.Error("a finished job is still suspended")
			}
		},
	}},
	"a running job is asked to stop": {spec: changes{canceled}, status: changes{running}, seen: live, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: lifecycle.CauseCancel, changed: true,
		check: func(t *testing.T, d lifecycle.Decision) {
			if !d.Status.IsConditionTrue(v1.ConditionCanceling) {
				t.Error("the condition Canceling is not set")
			}
		},
	}},
	"asking once more writes nothing": {spec: changes{canceled}, status: changes{running, func(j *v1.Job) {
		j.Status.SetCondition(v1.ConditionCanceling, metav1.ConditionTrue, v1.ReasonCancelRequested, "Asked to stop; waiting for the action to end.", 1, metav1.NewTime(start))
	}}, seen: live, want: want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: lifecycle.CauseCancel}},
	"a cancel comes before a replacement": {spec: changes{canceled}, status: changes{running}, seen: lifecycle.Observed{Live: true, ReplacedBy: "new"}, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: lifecycle.CauseCancel, changed: true,
	}},
	"a cancel comes on top of another stop": {
		spec: changes{canceled}, status: changes{running},
		seen: lifecycle.Observed{Live: true, Stop: &lifecycle.StopRequest{Cause: lifecycle.CauseSuspend}}, want: want{
			phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, stop: lifecycle.CauseCancel, changed: true,
		},
	},
	"a stop after a cancel is canceled": {spec: changes{canceled}, status: changes{running, holding(v1.ConditionCanceling)}, seen: stopped(verdict(action.Stopped, "SIGTERM"), lifecycle.CauseCancel, ""), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: []string{"Canceled while it was running. SIGTERM"},
		check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.IsConditionTrue(v1.ConditionCanceling) {
				t.Error("a finished job is still being canceled")
			}
		},
	}},
	"a success after a cancel is canceled": {spec: changes{canceled}, status: changes{running}, seen: outcome(verdict(action.Succeeded, "")), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: []string{"had completed before"},
	}},
	"a failure after a cancel is canceled": {spec: changes{canceled}, status: changes{running}, seen: outcome(action.Fail(v1.ReasonExitCode, "exit 3")), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: []string{"had failed before", "exit 3"},
	}},
	"a lost attempt of a canceled job": {spec: changes{canceled}, status: changes{running}, seen: outcome(lost()), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: []string{"after its attempt was interrupted"},
	}},
	"a verdict nobody knows": {spec: changes{canceled}, status: changes{running}, seen: outcome(verdict(99, "")), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: []string{"Canceled."},
	}},

	"force: a queued job is finished": {spec: changes{forced(v1.JobCanceled)}, seen: granted, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonForceFinished, changed: true, message: []string{"Finished by force by an operator: the machine is gone"},
	}},
	"force: by name": {spec: changes{forced(v1.JobFailed), func(j *v1.Job) { j.Spec.ForceFinish.By = &v1.Creator{Email: "ann@example.com", ID: "7"} }}, want: want{
		phase: v1.JobFailed, reason: v1.ReasonForceFinished, changed: true, message: []string{"by ann@example.com:"},
	}},
	"force: by id, where there is no address": {spec: changes{forced(v1.JobFailed), func(j *v1.Job) { j.Spec.ForceFinish.By = &v1.Creator{ID: "7"} }}, want: want{
		phase: v1.JobFailed, reason: v1.ReasonForceFinished, changed: true, message: []string{"by 7:"},
	}},
	"force: by somebody without a name": {spec: changes{forced(v1.JobFailed), func(j *v1.Job) { j.Spec.ForceFinish.By = &v1.Creator{} }}, want: want{
		phase: v1.JobFailed, reason: v1.ReasonForceFinished, changed: true, message: []string{"by an operator:"},
	}},
	"force: a running job is finished first and stopped then": {spec: changes{forced(v1.JobSucceeded)}, status: changes{running}, seen: live, want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonForceFinished, changed: true, do: lifecycle.Stop, stop: lifecycle.CauseForced, message: []string{},
		check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.Pct != 100 || !strings.Contains(d.Status.Message, "Attempt u-1 of worker w held the job.") {
				t.Errorf("status = %+v", d.Status)
			}
		},
	}},
	"force: failure claims no progress": {spec: changes{forced(v1.JobFailed)}, status: changes{running}, seen: live, want: want{
		phase: v1.JobFailed, reason: v1.ReasonForceFinished, changed: true, do: lifecycle.Stop, stop: lifecycle.CauseForced,
		check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.Pct != 0 {
				t.Errorf("pct = %d", d.Status.Pct)
			}
		},
	}},
	"force: another worker's job is finished too": {spec: changes{forced(v1.JobFailed)}, status: changes{running, leased("other", time.Hour)}, seen: granted, want: want{
		phase: v1.JobFailed, reason: v1.ReasonForceFinished, changed: true, message: []string{"of worker other held"},
	}},
	"force: comes before cancel": {spec: changes{forced(v1.JobSucceeded), canceled}, status: changes{running}, seen: live, want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonForceFinished, changed: true, do: lifecycle.Stop, stop: lifecycle.CauseForced,
	}},
	"force: comes before what the attempt came to": {spec: changes{forced(v1.JobFailed)}, status: changes{running}, seen: outcome(verdict(action.Succeeded, "")), want: want{
		phase: v1.JobFailed, reason: v1.ReasonForceFinished, changed: true,
	}},

	"a finished job is left alone": {
		spec: changes{forced(v1.JobFailed), canceled, suspended}, status: changes{finished}, seen: lifecycle.Observed{Granted: true, ReplacedBy: "new"},
		want: want{phase: v1.JobSucceeded, reason: v1.ReasonCompleted},
	},
	"a finished job that is to run again is queued": {
		spec: changes{rerun}, status: changes{finished}, at: time.Minute,
		want: want{phase: v1.JobQueued, reason: v1.ReasonQueued, changed: true, ready: true, check: func(t *testing.T, d lifecycle.Decision) {
			s := d.Status
			if s.Reruns != 1 || s.CompletionTime != nil || !s.QueuedTime.Equal(micro(time.Minute)) || len(s.History) != 1 || s.History[0].Phase != v1.JobSucceeded || s.ObservedGeneration != 1 {
				t.Errorf("status = %+v", s)
			}
		}},
	},
	"a job that is to run again starts at once when it may": {
		spec: changes{rerun}, status: changes{finished}, seen: granted, at: time.Minute,
		want: want{phase: v1.JobRunning, reason: v1.ReasonStarted, changed: true, do: lifecycle.Start},
	},
	"a job that is to run again and has been asked to stop meanwhile": {
		spec: changes{rerun, canceled}, status: changes{finished}, at: time.Minute,
		want: want{phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: []string{"before it started"}},
	},
	"a job that has run again is left alone": {
		spec: changes{rerun}, status: changes{finished, func(j *v1.Job) { j.Status.Reruns = 1 }},
		want: want{phase: v1.JobSucceeded, reason: v1.ReasonCompleted},
	},
	"success beats a deadline that passed": {
		spec: changes{deadline(5)}, status: changes{running}, seen: stopped(verdict(action.Succeeded, ""), lifecycle.CauseDeadline, "late"), at: time.Minute,
		want: want{phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true},
	},
	"success beats a suspension": {
		spec: changes{suspended}, status: changes{running}, seen: stopped(verdict(action.Succeeded, ""), lifecycle.CauseSuspend, ""),
		want: want{phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true},
	},
	"success beats a shutdown": {
		status: changes{running}, seen: stopped(verdict(action.Succeeded, ""), lifecycle.CauseShutdown, ""),
		want: want{phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true},
	},
}

// leased gives the attempt to that worker until then.
func leased(worker string, until time.Duration) func(*v1.Job) {
	return func(j *v1.Job) {
		j.Status.CurrentAttempt.Worker, j.Status.CurrentAttempt.LeaseExpires = worker, micro(until)
	}
}

func TestProgress(t *testing.T) {
	j := job(running)
	id := j.Status.CurrentAttempt.ID
	for _, tc := range []struct {
		attempt string
		pct     int
		step    string
		want    int32
		changed bool
	}{
		{id, 10, "a", 10, true},
		{id, 10, "a", 10, false},
		{id, 5, "", 10, false},
		{id, -1, "b", 10, true},
		{"another", 90, "z", 10, false},
		{id, 300, "", 99, true},
	} {
		var changed bool
		j.Status, changed = lifecycle.Progress(j.Status, lifecycle.Report{Attempt: tc.attempt, Pct: tc.pct, Step: tc.step}, start)
		if changed != tc.changed || j.Status.Pct != tc.want || !j.Status.LastUpdateTime.Equal(micro(0)) {
			t.Errorf("Progress(%s, %d, %q) = %d, %v; want %d, %v", tc.attempt, tc.pct, tc.step, j.Status.Pct, changed, tc.want, tc.changed)
		}
	}
	if _, changed := lifecycle.Progress(job().Status, lifecycle.Report{Attempt: "u-1", Pct: 10, Step: "a"}, start); changed {
		t.Error("a queued job made progress")
	}
	for i, tc := range []struct {
		result  string
		changed bool
	}{{`{"a":1}`, true}, {`{"a":1}`, false}, {`{"a":2}`, true}} {
		var changed bool
		j.Status, changed = lifecycle.Progress(j.Status, lifecycle.Report{Attempt: id, Pct: -1, Result: &v1.JSON{Raw: []byte(tc.result)}}, start)
		if changed != tc.changed || string(j.Status.Result.Raw) != tc.result || j.Status.Pct != 99 {
			t.Errorf("report %d: result %s, changed %v; want %s, %v", i, j.Status.Result.Raw, changed, tc.result, tc.changed)
		}
	}
}

func TestIsRecord(t *testing.T) {
	for name, tc := range map[string]struct {
		spec v1.JobSpec
		want bool
	}{
		"a call without a payload": {v1.JobSpec{Type: v1.JobTypeAPICall}, true},
		"a call without a URL":     {v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{}}, true},
		"a call":                   {v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{URL: "http://x"}}, false},
		"a build":                  {v1.JobSpec{Type: v1.JobTypeBuild}, false},
	} {
		if got := tc.spec.IsRecord(); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
