package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/lifecycle"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

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

func running(j *v1.Job) {
	d := lifecycle.Next(j, lifecycle.Observed{Worker: "w", Granted: true}, start)
	j.Status = d.Status
}

func canceled(j *v1.Job) { j.Spec.Cancel = true }

func deadline(seconds int64) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.ActiveDeadlineSeconds = &seconds }
}

func interruptions(n int32) func(*v1.Job) {
	return func(j *v1.Job) { j.Status.Interruptions, j.Status.Attempts = n, n }
}

func record(j *v1.Job) { j.Spec = v1.JobSpec{Type: v1.JobTypeAPICall} }

func ended(v action.Verdict, reason, message string) *action.Outcome {
	return &action.Outcome{Verdict: v, Reason: reason, Message: message}
}

func TestNext(t *testing.T) {
	type want struct {
		phase   v1.JobPhase
		reason  string
		do      lifecycle.Do
		changed bool
		message string
		again   time.Duration
	}
	live := lifecycle.Observed{Worker: "w", Live: true}
	for name, tc := range map[string]struct {
		job  *v1.Job
		seen lifecycle.Observed
		at   time.Duration // since the start
		want want
	}{
		"a queued job waits":                    {job(), lifecycle.Observed{}, 0, want{phase: v1.JobQueued, reason: v1.ReasonQueued}},
		"a job nobody has seen is queued":       {job(func(j *v1.Job) { j.Status = v1.JobStatus{} }), lifecycle.Observed{}, 0, want{phase: v1.JobQueued, reason: v1.ReasonQueued, changed: true}},
		"a granted job starts":                  {job(), lifecycle.Observed{Granted: true, Worker: "w"}, 0, want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true}},
		"a granted job knows its deadline":      {job(deadline(60)), lifecycle.Observed{Granted: true}, 0, want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true, again: time.Minute}},
		"nothing starts at shutdown":            {job(), lifecycle.Observed{Granted: true, ShuttingDown: true}, 0, want{phase: v1.JobQueued, reason: v1.ReasonQueued}},
		"a record needs no slot":                {job(record), lifecycle.Observed{}, 0, want{phase: v1.JobSucceeded, reason: v1.ReasonRecorded, changed: true}},
		"a canceled record is canceled":         {job(record, canceled), lifecycle.Observed{}, 0, want{phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true}},
		"a queued job is canceled at once":      {job(canceled), lifecycle.Observed{Granted: true}, 0, want{phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: "before it started"}},
		"a running job runs":                    {job(running), live, 0, want{phase: v1.JobRunning, reason: v1.ReasonStarted}},
		"a running job is asked to stop":        {job(running, canceled), live, 0, want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop, changed: true}},
		"a deadline stops a running job":        {job(deadline(5), running), live, 5 * time.Second, want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop}},
		"before the deadline it runs on":        {job(deadline(5), running), live, 2 * time.Second, want{phase: v1.JobRunning, reason: v1.ReasonStarted, again: 3 * time.Second}},
		"a shutdown stops a running job":        {job(running), lifecycle.Observed{Live: true, ShuttingDown: true}, 0, want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Stop}},
		"an attempt nobody holds is recovered":  {job(running), lifecycle.Observed{Worker: "w"}, 0, want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Recover}},
		"a canceled one too":                    {job(running, canceled), lifecycle.Observed{Worker: "w"}, 0, want{phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Recover}},
		"success":                               {job(running), lifecycle.Observed{Outcome: ended(action.Succeeded, "", "done")}, 0, want{phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true, message: "done"}},
		"success beats a deadline that passed":  {job(deadline(5), running), lifecycle.Observed{Outcome: ended(action.Succeeded, "", "")}, time.Minute, want{phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true}},
		"failure, with the action's reason":     {job(running), lifecycle.Observed{Outcome: ended(action.Failed, v1.ReasonExitCode, "exit 3")}, 0, want{phase: v1.JobFailed, reason: v1.ReasonExitCode, changed: true, message: "exit 3"}},
		"a stop at the deadline is its failure": {job(deadline(5), running), lifecycle.Observed{Outcome: ended(action.Stopped, "", "")}, 6 * time.Second, want{phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true, message: "Ran for 6s; spec.activeDeadlineSeconds allows 5 s"}},
		"a stop after a cancel is canceled":     {job(running, canceled), lifecycle.Observed{Outcome: ended(action.Stopped, "", "")}, 0, want{phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true}},
		"a success after a cancel is canceled":  {job(running, canceled), lifecycle.Observed{Outcome: ended(action.Succeeded, "", "")}, 0, want{phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: "had completed before"}},
		"a failure after a cancel is canceled":  {job(running, canceled), lifecycle.Observed{Outcome: ended(action.Failed, v1.ReasonExitCode, "exit 3")}, 0, want{phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true, message: "exit 3"}},
		"a lost attempt is an interruption":     {job(running), lifecycle.Observed{Outcome: lostRepeatable()}, 0, want{phase: v1.JobQueued, reason: v1.ReasonInterrupted, changed: true, message: "interruption 1 of at most 5"}},
		"a lost attempt of a canceled job":      {job(running, canceled), lifecycle.Observed{Outcome: ended(action.Lost, "", "")}, 0, want{phase: v1.JobCanceled, reason: v1.ReasonCancelRequested, changed: true}},
		"five interruptions are survived":       {job(interruptions(4), running), lifecycle.Observed{Outcome: lostRepeatable()}, 0, want{phase: v1.JobQueued, reason: v1.ReasonInterrupted, changed: true}},
		"the sixth is one too many":             {job(interruptions(5), running), lifecycle.Observed{Outcome: lostRepeatable()}, 0, want{phase: v1.JobFailed, reason: v1.ReasonTooManyInterruptions, changed: true, message: "Interrupted 6 times, 5 are allowed"}},
		"a deadline passes while queued again":  {job(deadline(5), running, func(j *v1.Job) { j.Status.CurrentAttempt, j.Status.Phase = nil, v1.JobQueued }), lifecycle.Observed{Granted: true}, time.Minute, want{phase: v1.JobFailed, reason: v1.ReasonDeadlineExceeded, changed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			before := tc.job.DeepCopy()
			d := lifecycle.Next(tc.job, tc.seen, start.Add(tc.at))
			got := want{d.Status.Phase, d.Status.Reason, d.Do, d.Changed, tc.want.message, d.Again}
			if got != tc.want {
				t.Errorf("decision = %+v\nwant       %+v", got, tc.want)
			}
			if !strings.Contains(d.Status.Message, tc.want.message) {
				t.Errorf("message = %q, want %q in it", d.Status.Message, tc.want.message)
			}
			after := before.DeepCopy()
			after.Status = d.Status
			for _, err := range append(v1.Check(after), v1.CheckTransition(before, after)...) {
				t.Error(err)
			}
		})
	}
}

// TestNoPathBreaksAnInvariant walks at random through what can be observed of a job.
func TestNoPathBreaksAnInvariant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := job()
		if rapid.Bool().Draw(t, "deadline") {
			deadline(30)(j)
		}
		now := start
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "seconds")) * time.Second)
			if rapid.IntRange(0, 20).Draw(t, "cancel") == 0 {
				canceled(j)
			}
			seen := lifecycle.Observed{
				Worker: "w", Granted: rapid.Bool().Draw(t, "granted"), Live: rapid.Bool().Draw(t, "live"),
				ShuttingDown: rapid.IntRange(0, 5).Draw(t, "shutdown") == 0,
			}
			if rapid.IntRange(0, 2).Draw(t, "ended") == 0 {
				verdict := action.Verdict(rapid.IntRange(int(action.Failed), int(action.Lost)).Draw(t, "verdict"))
				seen.Outcome = &action.Outcome{Verdict: verdict}
				if verdict == action.Failed {
					seen.Outcome.Reason = v1.ReasonExitCode
				}
			}
			if j.Status.CurrentAttempt != nil {
				pct := rapid.IntRange(-1, 120).Draw(t, "pct")
				j.Status, _ = lifecycle.Progress(j.Status, j.Status.CurrentAttempt.ID, pct, "s", now)
			}
			before := j.DeepCopy()
			d := lifecycle.Next(j, seen, now)
			j.Status = d.Status
			for _, err := range append(v1.Check(j), v1.CheckTransition(before, j)...) {
				t.Fatal(err)
			}
			if before.Status.Phase.Terminal() && (d.Changed || d.Do != lifecycle.Nothing) {
				t.Fatalf("a terminal job was not left alone: %+v", d)
			}
			if d.Changed && d.Do == lifecycle.Nothing {
				// Asking again without anything new says nothing new.
				if again := lifecycle.Next(j, lifecycle.Observed{Worker: "w", Live: true}, now); again.Changed && !j.Spec.Cancel {
					t.Fatalf("the decision does not come to rest: %+v", again)
				}
			}
		}
	})
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
		j.Status, changed = lifecycle.Progress(j.Status, tc.attempt, tc.pct, tc.step, start)
		if changed != tc.changed || j.Status.Pct != tc.want {
			t.Errorf("Progress(%s, %d, %q) = %d, %v; want %d, %v", tc.attempt, tc.pct, tc.step, j.Status.Pct, changed, tc.want, tc.changed)
		}
	}
}

func lostRepeatable() *action.Outcome {
	return &action.Outcome{Verdict: action.Lost, Repeatable: true}
}
