package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
)

// TestNoPathBreaksAnInvariant walks at random through everything that can be wished for
// a job and observed of it, in any order.
func TestNoPathBreaksAnInvariant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := walk{t: t, job: job(), now: start}
		w.spec()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			w.wish()
			w.step(w.observe())
		}
	})
}

// TestNoPathBreaksAnInvariantThoughTheClockJumps walks the same way with a clock that is
// set back and forth by up to a day.
func TestNoPathBreaksAnInvariantThoughTheClockJumps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := walk{t: t, job: job(), now: start}
		w.spec()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			if w.oneIn(6, "jumps") {
				w.now = w.now.Add(time.Duration(rapid.IntRange(-86400, 86400).Draw(t, "by")) * time.Second)
			}
			w.wish()
			w.step(w.observe())
		}
	})
}

type walk struct {
	t   *rapid.T
	job *v1.Job
	now time.Time
}

func (w *walk) oneIn(n int, what string) bool { return rapid.IntRange(1, n).Draw(w.t, what) == n }

func (w *walk) seconds(what string) *int64 {
	if !w.oneIn(3, "has "+what) {
		return nil
	}
	return new(rapid.Int64Range(1, 60).Draw(w.t, what))
}

// spec draws what the job asks for.
func (w *walk) spec() {
	s := &w.job.Spec
	if w.oneIn(8, "record") {
		record(w.job)
	}
	s.ActiveDeadlineSeconds, s.AttemptTimeoutSeconds = w.seconds("active"), w.seconds("attempt")
	s.IdleTimeoutSeconds, s.StartDeadlineSeconds = w.seconds("idle"), w.seconds("start")
	s.BackoffLimit = new(rapid.Int32Range(0, 4).Draw(w.t, "retries"))
	s.OnInterruption = rapid.SampledFrom([]v1.InterruptionPolicy{"", v1.InterruptionFail, v1.InterruptionRerun}).Draw(w.t, "on interruption")
	if w.oneIn(2, "concurrency") {
		policy(rapid.SampledFrom(v1.ConcurrencyPolicies()).Draw(w.t, "policy"))(w.job)
	}
	if w.oneIn(3, "has startAfter") {
		startAfter(time.Duration(rapid.IntRange(0, 60).Draw(w.t, "startAfter")) * time.Second)(w.job)
	}
	for i := range rapid.IntRange(0, 2).Draw(w.t, "dependencies") {
		dependsOn(fmt.Sprint("d", i), rapid.SampledFrom([]v1.DependencyCondition{"", v1.DependencyFailed, v1.DependencyFinished}).Draw(w.t, "condition"))(w.job)
	}
	if w.oneIn(3, "has rules") {
		rules(v1.FailureRule{Action: rapid.SampledFrom(v1.FailurePolicyActions()).Draw(w.t, "action"), ExitCodes: []int32{1}})(w.job)
	}
}

// wish changes what is wanted of the job, as the API allows it.
func (w *walk) wish() {
	s := &w.job.Spec
	switch {
	case w.oneIn(40, "cancel"):
		s.Cancel = true
	case w.oneIn(10, "suspend"):
		s.Suspend = !s.Suspend
	case w.oneIn(60, "force"):
		forced(rapid.SampledFrom([]v1.JobPhase{v1.JobSucceeded, v1.JobFailed, v1.JobCanceled}).Draw(w.t, "phase"))(w.job)
	case w.oneIn(20, "new deadline"):
		s.ActiveDeadlineSeconds = w.seconds("active")
	case w.job.Status.Phase.Terminal() && w.oneIn(4, "rerun"):
		s.Reruns++
		s.Cancel, s.ForceFinish = false, nil
		before := w.job.DeepCopy()
		w.job.Status = v1.Rerun(w.job.Status, s.Reruns, w.now)
		w.legal(before)
	}
}

// observe draws what may be seen of the job as it is.
func (w *walk) observe() lifecycle.Observed {
	seen := lifecycle.Observed{
		Worker: rapid.SampledFrom([]string{"w", "w", "w", "other"}).Draw(w.t, "worker"), Lease: 30 * time.Second,
		ShuttingDown: w.oneIn(6, "shutdown"), Busy: w.oneIn(6, "busy"),
	}
	if w.oneIn(30, "replaced") {
		seen.ReplacedBy = "new"
	}
	attempt := w.job.Status.CurrentAttempt
	if attempt == nil {
		seen.Granted = rapid.Bool().Draw(w.t, "granted")
		if w.oneIn(20, "skipped") {
			seen.SkippedFor = []string{"old"}
		}
		seen.Dependencies = w.dependencies()
		return seen
	}
	if attempt.Worker != seen.Worker {
		return seen
	}
	if w.oneIn(4, "asked") {
		cause := rapid.IntRange(int(lifecycle.CauseCancel), int(lifecycle.CauseShutdown)).Draw(w.t, "cause")
		seen.Stop = &lifecycle.StopRequest{Cause: lifecycle.Cause(cause), Message: "asked"}
	}
	switch rapid.IntRange(0, 3).Draw(w.t, "attempt") {
	case 0:
		o := w.outcome()
		seen.Outcome = &o
	case 1, 2:
		seen.Live, seen.Active = true, w.now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(w.t, "idle for"))*time.Second)
	}
	return seen
}

func (w *walk) outcome() action.Outcome {
	o := action.Outcome{
		Verdict: action.Verdict(rapid.IntRange(int(action.Failed), int(action.Lost)).Draw(w.t, "verdict")), Repeatable: rapid.Bool().Draw(w.t, "repeatable"),
		RetryAfter: time.Duration(rapid.SampledFrom([]int{0, 0, 0, 5}).Draw(w.t, "retry after")) * time.Second,
	}
	if o.Verdict == action.Failed {
		o.Reason, o.Facts = v1.ReasonExitCode, o.Facts.With(v1.FactExitCode, rapid.Int32Range(1, 2).Draw(w.t, "exit code"))
	}
	return o
}

func (w *walk) dependencies() []lifecycle.Dependency {
	if len(w.job.Spec.DependsOn) == 0 || w.oneIn(10, "not looked up") {
		return nil
	}
	phases := []v1.JobPhase{"", v1.JobQueued, v1.JobRunning, v1.JobRunning, v1.JobSucceeded, v1.JobFailed, v1.JobCanceled}
	var known []lifecycle.Dependency
	for range w.job.Spec.DependsOn {
		var d lifecycle.Dependency
		if !w.oneIn(8, "unknown") {
			d = lifecycle.Dependency{UID: types.UID("1"), Phase: rapid.SampledFrom(phases).Draw(w.t, "phase")}
		}
		if w.oneIn(60, "another") {
			d.UID = "2"
		}
		known = append(known, d)
	}
	return known
}

// step asks for a decision and holds it against everything that must be true of one.
func (w *walk) step(seen lifecycle.Observed) {
	before := w.job.DeepCopy()
	d := next(w.job, seen, w.now)
	if diff := cmp.Diff(before, w.job); diff != "" {
		w.t.Fatalf("the decision changed its argument:\n%s", diff)
	}
	if diff := cmp.Diff(d, next(w.job, seen, w.now)); diff != "" {
		w.t.Fatalf("the same situation was decided differently:\n%s", diff)
	}
	w.job.Status = d.Status
	w.legal(before)
	now, was := &w.job.Status, &before.Status
	switch {
	case was.Phase.Terminal() && (d.Do != lifecycle.Nothing || d.Ready || d.Again != 0 || d.Changed):
		w.t.Fatalf("a terminal job was not left alone: %+v", d)
	case !d.Changed && !cmp.Equal(*was, *now):
		w.t.Fatalf("the status changed and is not written:\n%s", cmp.Diff(*was, *now))
	case d.Changed && d.Soft && (now.Phase != was.Phase && was.Phase != "" || now.Attempts != was.Attempts):
		w.t.Fatalf("a transition is written softly:\n%s", cmp.Diff(*was, *now))
	case strings.Contains(now.Message, "for -"):
		w.t.Fatalf("a negative time: %s", now.Message)
	case d.Do == lifecycle.Nothing && now.CurrentAttempt != nil && now.CurrentAttempt.Worker == seen.Worker && seen.Live &&
		now.CurrentAttempt.LeaseExpires.After(w.now.Add(seen.Lease)):
		w.t.Fatalf("a lease of %s", now.CurrentAttempt.LeaseExpires.Sub(w.now))
	case d.Again < 0:
		w.t.Fatalf("due %s ago", -d.Again)
	case now.CurrentAttempt != nil && now.CurrentAttempt.Worker == seen.Worker && d.Again > 2*time.Minute:
		w.t.Fatalf("due in %s, and no limit is longer than a minute", d.Again)
	case now.NextAttemptTime != nil && now.NextAttemptTime.Sub(w.now) > 7*time.Minute:
		w.t.Fatalf("retried in %s, and the back-off is at most 360 s", now.NextAttemptTime.Sub(w.now))
	case d.Do == lifecycle.Start && (seen.ShuttingDown || seen.Busy || !seen.Granted || before.Spec.Suspend || before.Spec.Cancel):
		w.t.Fatalf("started although it may not: %+v", seen)
	case (d.Do == lifecycle.Start) != (now.Attempts == was.Attempts+1):
		w.t.Fatalf("deed %d made of %d attempts %d", d.Do, was.Attempts, now.Attempts)
	}
	w.awake(d, seen)
	w.rest(seen)
}

func (w *walk) legal(before *v1.Job) {
	for _, err := range append(v1.Check(w.job), v1.CheckTransition(before, w.job)...) {
		w.t.Fatal(err)
	}
}

// awake fails for a job that nothing will ever wake: whatever is not terminal waits for
// its turn, for a deed of this worker, for a time, for an attempt, for its author, or
// for a job it depends on. A worker that shuts down, or that says it is busy, looks
// again by itself.
func (w *walk) awake(d lifecycle.Decision, seen lifecycle.Observed) {
	s := &d.Status
	pending := false
	for _, dependency := range w.job.Spec.DependsOn {
		met := false
		for _, known := range s.Dependencies {
			met = met || known.Name == dependency.Name && known.Met
		}
		pending = pending || !met
	}
	waits := s.Phase.Terminal() || d.Ready || d.Do != lifecycle.Nothing || d.Again > 0 || s.CurrentAttempt != nil && seen.Live ||
		w.job.Spec.Suspend || pending || seen.Busy || seen.ShuttingDown || d.Changed && !d.Soft
	if !waits {
		w.t.Fatalf("nothing will ever wake the job: %+v\nseen %+v", d, seen)
	}
}

// rest asks until nothing more is to be written, which has to be soon: without news a
// job gets no further than from one attempt's end to the next one's start.
func (w *walk) rest(seen lifecycle.Observed) {
	asked := w.job.DeepCopy()
	seen.Outcome, seen.Stop, seen.Granted = nil, nil, false
	for range 3 {
		seen.Live = asked.Status.CurrentAttempt != nil && asked.Status.CurrentAttempt.Worker == seen.Worker
		d := next(asked, seen, w.now)
		if !d.Changed {
			return
		}
		before := asked.DeepCopy()
		asked.Status = d.Status
		for _, err := range append(v1.Check(asked), v1.CheckTransition(before, asked)...) {
			w.t.Fatal(err)
		}
	}
	w.t.Fatalf("the decision does not come to rest: %+v", asked.Status)
}

// TestWhatIsDueHappensThen follows Again alone: a job that only time moves ends, and
// nothing is due that changes nothing for ever.
func TestWhatIsDueHappensThen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := walk{t: t, job: job(), now: start}
		w.spec()
		w.job.Spec.DependsOn, w.job.Spec.StartAfter = nil, nil
		seen := lifecycle.Observed{Worker: "w", Granted: true}
		stop := (*lifecycle.StopRequest)(nil)
		for range 40 {
			seen.Live, seen.Stop, seen.Outcome = w.job.Status.CurrentAttempt != nil, stop, nil
			if stop != nil {
				seen.Live, seen.Outcome = false, &action.Outcome{Verdict: action.Stopped, Repeatable: true}
				stop = nil
			}
			before := w.job.DeepCopy()
			d := next(w.job, seen, w.now)
			w.job.Status = d.Status
			w.legal(before)
			if d.Status.Phase.Terminal() {
				return
			}
			if d.Do == lifecycle.Stop {
				stop = &d.Stop
				continue
			}
			if next := d.Status.NextAttemptTime; next != nil && next.After(w.now) {
				w.now = next.Time
			} else if d.Do != lifecycle.Start || d.Again > 0 {
				w.now = w.now.Add(d.Again)
			}
			if d.Status.CurrentAttempt != nil && d.Again == 0 {
				s := &w.job.Spec
				if s.ActiveDeadlineSeconds != nil || s.AttemptTimeoutSeconds != nil || s.IdleTimeoutSeconds != nil {
					t.Fatalf("a running job has a time limit and is not looked at when it passes: %+v", d)
				}
				return // runs for as long as it likes
			}
		}
		if limit := w.job.Spec.FailurePolicy; limit == nil {
			t.Fatalf("the job does not end: %+v", w.job.Status)
		}
	})
}
