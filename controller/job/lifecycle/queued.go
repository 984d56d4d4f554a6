package lifecycle

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// QueuedSince is since when job waits for its next attempt, as far as its place in
// the queue goes: a retry keeps the place that the job had.
func QueuedSince(job *v1.Job) time.Time {
	if job.Status.QueuedTime != nil {
		return job.Status.QueuedTime.Time
	}
	return v1.SubmittedAt(job)
}

// NotBefore is the earliest time of the next attempt: startAfter, or the end of a
// retry's back-off; zero: at once.
func NotBefore(job *v1.Job) time.Time {
	var at time.Time
	if job.Spec.StartAfter != nil {
		at = job.Spec.StartAfter.Time
	}
	if next := job.Status.NextAttemptTime; next != nil && next.After(at) {
		at = next.Time
	}
	return at
}

// queued decides for a job that no attempt holds.
func (t *transition) queued() move {
	if t.job.Spec.Cancel {
		return t.finish(v1.JobCanceled, v1.ReasonCancelRequested, "Canceled before it started.")
	}
	if t.seen.ReplacedBy != "" {
		return t.finish(v1.JobCanceled, v1.ReasonReplaced, replacedMessage(t.job, t.seen.ReplacedBy))
	}
	waits, learned := t.depend()
	if waits.failed != "" {
		return t.finish(v1.JobCanceled, v1.ReasonDependencyFailed, waits.failed)
	}
	if t.job.Spec.Suspend {
		return t.suspend(learned)
	}
	resumed := t.resume() // first, since the time in which it was suspended does not count
	if m, passed := t.waitedTooLong(waits); passed {
		return m
	}
	if c := t.job.Spec.Concurrency; c != nil && (c.Policy == v1.ConcurrencyReplace || c.Policy == v1.ConcurrencySkip) {
		t.duePassed(NotBefore(t.job)) // what the policy does, it does then
	}
	if !waits.pending && len(t.seen.SkippedFor) > 0 && !t.now.Before(NotBefore(t.job)) {
		return t.finish(v1.JobCanceled, v1.ReasonSkipped, skippedMessage(t.job, t.seen.SkippedFor))
	}
	if !waits.pending && !t.seen.ShuttingDown && !t.seen.Busy {
		if t.job.Spec.IsRecord() {
			if due := NotBefore(t.job); t.now.Before(due) {
				t.due(due)
			} else {
				return t.record()
			}
		} else if t.seen.Granted && !t.now.Before(NotBefore(t.job)) {
			return t.start()
		}
	}
	if t.status.Phase != v1.JobQueued {
		t.status.Phase, t.status.Reason = v1.JobQueued, v1.ReasonQueued
		resumed = true
	}
	var m move
	switch {
	case resumed:
		m = t.changed(Nothing)
	case learned:
		m = move{changed: true, soft: true}
	}
	m.ready = !waits.pending && !t.seen.Busy && !t.job.Spec.IsRecord()
	return m
}

// waitedTooLong ends a job that has been queued beyond one of its limits.
func (t *transition) waitedTooLong(waits waiting) (move, bool) {
	since := t.waitsSince()
	limit, field := v1.DependencyWait, "the documented default"
	if s := t.job.Spec.StartDeadlineSeconds; s != nil {
		limit, field = time.Duration(*s)*time.Second, "spec.startDeadlineSeconds"
	}
	unset := t.job.Spec.StartDeadlineSeconds == nil
	if t.status.StartTime == nil && (!unset || waits.unknown != "") {
		switch passed := t.duePassed(since.Add(limit)); {
		case passed && waits.unknown != "":
			return t.finish(v1.JobCanceled, v1.ReasonDependencyFailed, fmt.Sprintf(
				"There is no job %q, which spec.dependsOn names; it was waited for for %s (%s). Create it, then run this job again with jobwright retry.",
				waits.unknown, limit, field)), true
		case passed:
			return t.finish(v1.JobFailed, v1.ReasonStartDeadlineExceeded, fmt.Sprintf(
				"Queued for %s without a start; spec.startDeadlineSeconds allows %d s. Raise it, raise spec.priority, or give the server more slots (--max-concurrent-jobs).",
				t.now.Sub(since).Round(100*time.Millisecond), *t.job.Spec.StartDeadlineSeconds)), true
		}
	}
	if t.deadlinePassed() {
		return t.finish(v1.JobFailed, v1.ReasonDeadlineExceeded, t.deadlineFailed(t.deadlineMessage())), true
	}
	return move{}, false
}

// suspend keeps a queued job from starting.
func (t *transition) suspend(learned bool) move {
	message := "Suspended; jobwright resume " + t.job.Name + " lets it run, as does spec.suspend: false."
	news := t.status.SetCondition(v1.ConditionSuspended, metav1.ConditionTrue, v1.ReasonSuspended, message, t.job.Generation, metav1.NewTime(t.now))
	if !news && t.status.Phase == v1.JobQueued {
		return move{changed: learned, soft: true}
	}
	t.status.Phase, t.status.Reason = v1.JobQueued, v1.ReasonSuspended
	t.status.Message = message
	t.status.StartTime = nil
	return t.changed(Nothing)
}

// resume takes a suspension back, and reports whether there was one.
func (t *transition) resume() bool {
	if !t.status.IsConditionTrue(v1.ConditionSuspended) {
		return false
	}
	t.status.SetCondition(v1.ConditionSuspended, metav1.ConditionFalse, v1.ReasonQueued, "No longer suspended.", t.job.Generation, metav1.NewTime(t.now))
	t.status.Reason, t.status.Message = v1.ReasonQueued, ""
	t.status.QueuedTime = t.micro()
	return true
}

func replacedMessage(job *v1.Job, by string) string {
	return fmt.Sprintf("Job %q has the same concurrency key (%s) and policy Replace.", by, concurrencyKey(job))
}

func skippedMessage(job *v1.Job, others []string) string {
	hold, have := "hold", "they have"
	if len(others) == 1 {
		hold, have = "holds", "it has"
	}
	return fmt.Sprintf("Skipped: %s %s the concurrency key %s already, and spec.concurrency.policy is Skip. Run it again with jobwright retry when %s ended.",
		strings.Join(others, ", "), hold, concurrencyKey(job), have)
}

func concurrencyKey(job *v1.Job) string {
	if job.Spec.Concurrency == nil {
		return "of its compose project"
	}
	return fmt.Sprintf("%q", job.Spec.Concurrency.Key)
}
