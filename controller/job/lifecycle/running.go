package lifecycle

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// running decides for a job whose attempt runs in this worker.
func (t *transition) running() move {
	renewed := t.renew()
	stop := t.stopRequest()
	if stop.Cause == CauseNone {
		return move{changed: renewed, soft: true}
	}
	m := move{changed: renewed, soft: true, do: Stop, stop: stop}
	if stop.Cause == CauseCancel || stop.Cause == CauseReplaced {
		if t.canceling(stop) {
			m = t.changed(Stop)
			m.stop = stop
		}
	}
	return m
}

// stopRequest is why the running attempt has to end; CauseNone: it may go on.
func (t *transition) stopRequest() StopRequest {
	switch {
	case t.job.Spec.Cancel:
		return StopRequest{Cause: CauseCancel}
	case t.seen.ReplacedBy != "":
		return StopRequest{CauseReplaced, replacedMessage(t.job, t.seen.ReplacedBy)}
	case t.seen.Stop != nil:
		return *t.seen.Stop // as it was asked; a resume does not take it back
	case t.job.Spec.Suspend:
		return StopRequest{Cause: CauseSuspend}
	case t.deadlinePassed():
		return StopRequest{CauseDeadline, t.deadlineMessage()}
	}
	attempt, spec := t.status.CurrentAttempt, &t.job.Spec
	if limit := spec.AttemptTimeoutSeconds; limit != nil && t.duePassed(attempt.StartTime.Add(seconds(*limit))) {
		return StopRequest{CauseAttemptTimeout, fmt.Sprintf("Attempt %d ran for %s; spec.attemptTimeoutSeconds allows %d s. Raise it, or find out in the log what took so long.",
			t.status.Attempts, t.since(attempt.StartTime.Time), *limit)}
	}
	active := t.seen.Active
	if active.Before(attempt.StartTime.Time) {
		active = attempt.StartTime.Time
	}
	if limit, limited := t.job.IdleTimeout(); limited && t.duePassed(active.Add(seconds(limit))) {
		allows := "spec.idleTimeoutSeconds allows"
		if spec.IdleTimeoutSeconds == nil {
			allows = "spec.idleTimeoutSeconds is unset, which allows"
		}
		return StopRequest{CauseIdleTimeout, fmt.Sprintf("Attempt %d gave neither output nor progress for %s; %s %d s. Raise it, or find out in the log where it stands still.",
			t.status.Attempts, t.since(active), allows, limit)}
	}
	if t.seen.ShuttingDown {
		return StopRequest{Cause: CauseShutdown}
	}
	return StopRequest{}
}

// renew moves the lease's end when a third of it has passed, and reports whether it
// did: two renewals may fail before another worker takes over. A lease that ends later
// than one from now was given before the clock was set back; it is renewed too, so that
// the attempt of a worker that dies is not held for as long as the clock jumped.
func (t *transition) renew() bool {
	attempt := t.status.CurrentAttempt
	if t.seen.Lease <= 0 {
		return false
	}
	if expires := attempt.LeaseExpires; expires != nil && !expires.After(t.now.Add(t.seen.Lease)) && !t.duePassed(expires.Add(-t.seen.Lease*2/3)) {
		return false
	}
	t.lease()
	return true
}

// lease gives the attempt to this worker until a lease from now.
func (t *transition) lease() {
	attempt := *t.status.CurrentAttempt
	t.grantLease(&attempt)
	t.status.CurrentAttempt = &attempt
}

// grantLease makes an attempt that nobody else has yet this worker's.
func (t *transition) grantLease(attempt *v1.Attempt) {
	attempt.Worker, attempt.LeaseExpires = t.seen.Worker, nil
	if t.seen.Lease > 0 {
		expires := metav1.NewMicroTime(t.now.Add(t.seen.Lease))
		attempt.LeaseExpires = &expires
		t.due(expires.Add(-t.seen.Lease * 2 / 3))
	}
}

// orphaned decides for an attempt that does not run in this worker. Its own, left by
// the process before, is recovered at once; that of another worker when its lease has
// expired: missed heartbeats, never age. Taking it over is written down first, which
// fences the other worker: what it writes afterwards conflicts.
func (t *transition) orphaned() move {
	attempt := t.status.CurrentAttempt
	if t.seen.Busy {
		return move{}
	}
	if attempt.Worker == t.seen.Worker {
		return move{do: Recover}
	}
	if t.seen.ShuttingDown || attempt.LeaseExpires != nil && !t.duePassed(attempt.LeaseExpires.Time) {
		return move{}
	}
	t.lease()
	return t.changed(Recover)
}

// canceling marks a running job as asked to stop, and reports whether that is new.
func (t *transition) canceling(stop StopRequest) bool {
	reason := v1.ReasonCancelRequested
	if stop.Cause == CauseReplaced {
		reason = v1.ReasonReplaced
	}
	return t.status.SetCondition(v1.ConditionCanceling, metav1.ConditionTrue, reason,
		"Asked to stop; waiting for the action to end.", t.job.Generation, metav1.NewTime(t.now))
}

// ended decides for a job whose attempt has come to an outcome.
func (t *transition) ended(o action.Outcome) move {
	t.status.Artifacts = o.Artifacts
	if o.Result != nil {
		t.status.Result = o.Result // else what was reported last stands
	}
	var stop StopRequest
	if t.seen.Stop != nil {
		stop = *t.seen.Stop
	}
	if o.RetryAfter > 0 {
		until := metav1.NewMicroTime(t.now.Add(min(o.RetryAfter, maxRetryAfter)))
		t.status.RetryAfterTime = &until
	}
	switch {
	case t.job.Spec.Cancel:
		return t.finish(v1.JobCanceled, v1.ReasonCancelRequested, canceledMessage(o))
	case o.Verdict == action.Succeeded:
		t.status.Pct = 100
		return t.finish(v1.JobSucceeded, v1.ReasonCompleted, o.Message)
	case stop.Cause == CauseReplaced, t.seen.ReplacedBy != "":
		message := stop.Message
		if message == "" {
			message = replacedMessage(t.job, t.seen.ReplacedBy)
		}
		return t.finish(v1.JobCanceled, v1.ReasonReplaced, message)
	case stop.Cause == CauseSuspend && o.Verdict != action.Failed:
		return t.suspended()
	case o.Verdict == action.Stopped && stop.Cause == CauseDeadline: // also when it was raised meanwhile
		return t.finish(v1.JobFailed, v1.ReasonDeadlineExceeded, t.deadlineFailed(stop.Message)+whatWasLeft(o))
	case t.deadlinePassed() && o.Verdict == action.Failed:
		return t.finish(v1.JobFailed, v1.ReasonDeadlineExceeded, t.deadlineMessage()+lastFailure(o))
	case t.deadlinePassed():
		return t.finish(v1.JobFailed, v1.ReasonDeadlineExceeded, t.deadlineFailed(t.deadlineMessage()))
	case o.Verdict == action.Stopped && stop.Cause == CauseAttemptTimeout:
		return t.failed(action.Fail(v1.ReasonAttemptTimeout, stop.Message+whatWasLeft(o)))
	case o.Verdict == action.Stopped && stop.Cause == CauseIdleTimeout:
		return t.failed(action.Fail(v1.ReasonIdleTimeout, stop.Message+whatWasLeft(o)))
	case o.Verdict == action.Failed:
		return t.failed(o)
	default:
		return t.interrupted(o)
	}
}

// whatWasLeft is what a stopped action says of the state it has left, e.g. that a deploy
// was rolled back.
func whatWasLeft(o action.Outcome) string {
	if o.Message == "" {
		return ""
	}
	return " " + o.Message
}

// suspended gives the attempt up without counting it. Where the suspension was taken
// back meanwhile, the job is suspended and resumed all the same: what becomes of its
// time limits must not hang on how fast the action stops.
func (t *transition) suspended() move {
	t.status.CurrentAttempt, t.status.Step = nil, ""
	return t.suspend(false)
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func (t *transition) since(at time.Time) time.Duration {
	return t.now.Sub(at).Round(100 * time.Millisecond)
}
