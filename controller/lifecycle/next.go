package lifecycle

import (
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Do is what the worker does beside writing the status.
type Do int

const (
	// Nothing: writing the status (if it changed) is all.
	Nothing Do = iota
	// Start runs the attempt in Decision.Status.CurrentAttempt, once the status is
	// on disk.
	Start
	// Stop asks the running attempt to end. Its outcome is observed later.
	Stop
	// Recover ends what a dead worker's attempt may have left, and finds out what
	// became of it; the outcome is observed later.
	Recover
)

// Observed is what the worker knows beside the object.
type Observed struct {
	// Worker is the identity of the worker that asks.
	Worker string
	// Granted: the schedule has given the job a slot.
	Granted bool
	// Live: the attempt in the status is running (or being recovered) in this
	// worker now.
	Live bool
	// Outcome is what the attempt in the status came to; nil while it is unknown.
	Outcome *action.Outcome
	// ShuttingDown: the worker gives up its attempts.
	ShuttingDown bool
}

// Decision is what follows from a job and what is observed of it.
type Decision struct {
	// Status is the whole new status; it is to be written when Changed.
	Status  v1.JobStatus
	Changed bool
	Do      Do
	// Again is how long from now something is due that no event will announce; 0:
	// nothing is.
	Again time.Duration
}

// Next decides what happens to job now. It changes neither argument.
func Next(job *v1.Job, seen Observed, now time.Time) Decision {
	next := transition{job: job, seen: seen, now: now, status: *job.Status.DeepCopy()}
	switch {
	case job.Status.Phase.Terminal():
		return Decision{Status: next.status}
	case job.Status.CurrentAttempt == nil:
		return next.queued()
	case seen.Outcome != nil:
		return next.ended(*seen.Outcome)
	case !seen.Live:
		return Decision{Status: next.status, Do: Recover}
	default:
		return next.running()
	}
}

// queued decides for a job that no attempt holds.
func (t *transition) queued() Decision {
	if t.job.Spec.Cancel {
		return t.finish(v1.JobCanceled, v1.ReasonCancelRequested, "Canceled before it started.")
	}
	if t.deadlinePassed() {
		return t.finish(v1.JobFailed, v1.ReasonDeadlineExceeded, t.deadlineMessage())
	}
	if IsRecord(t.job) {
		return t.record()
	}
	if t.seen.Granted && !t.seen.ShuttingDown {
		return t.start()
	}
	if t.status.Phase != v1.JobQueued {
		t.status.Phase, t.status.Reason = v1.JobQueued, v1.ReasonQueued
		return t.changed(Nothing)
	}
	return Decision{Status: t.status, Again: t.untilDeadline()}
}

// running decides for a job whose attempt runs in this worker.
func (t *transition) running() Decision {
	switch {
	case t.job.Spec.Cancel:
		if t.canceling() {
			return t.changed(Stop)
		}
		return Decision{Status: t.status, Do: Stop}
	case t.deadlinePassed(), t.seen.ShuttingDown:
		return Decision{Status: t.status, Do: Stop}
	default:
		return Decision{Status: t.status, Again: t.untilDeadline()}
	}
}

// ended decides for a job whose attempt has come to an outcome.
func (t *transition) ended(o action.Outcome) Decision {
	t.status.Result, t.status.Artifacts = o.Result, o.Artifacts
	switch {
	case t.job.Spec.Cancel:
		return t.finish(v1.JobCanceled, v1.ReasonCancelRequested, canceledMessage(o))
	case o.Verdict == action.Succeeded:
		t.status.Pct = 100
		return t.finish(v1.JobSucceeded, v1.ReasonCompleted, o.Message)
	case t.deadlinePassed():
		return t.finish(v1.JobFailed, v1.ReasonDeadlineExceeded, t.deadlineMessage())
	case o.Verdict == action.Failed:
		t.status.Failures++
		return t.finish(v1.JobFailed, o.Reason, o.Message)
	default:
		return t.interrupted(o)
	}
}

// IsRecord reports whether job is a tracking record: an api_call without a URL,
// which has no side effect.
func IsRecord(job *v1.Job) bool {
	return job.Spec.Type == v1.JobTypeAPICall && (job.Spec.APICall == nil || job.Spec.APICall.URL == "")
}
