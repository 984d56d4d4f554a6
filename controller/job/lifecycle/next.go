package lifecycle

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Do is the action that follows the write of the status.
type Do int

const (
	// Nothing: writing the status (if it changed) is all.
	Nothing Do = iota
	// Start runs the attempt in Decision.Status.CurrentAttempt, once the status is
	// on disk.
	Start
	// Stop asks the running attempt to end, for Decision.Stop. Its outcome is
	// observed later.
	Stop
	// Recover ends what a dead worker's attempt may have left, and finds out what
	// became of it; the outcome is observed later.
	Recover
)

// Cause is why an attempt was asked to stop.
type Cause int

// The causes.
const (
	CauseNone Cause = iota
	CauseCancel
	CauseForced
	CauseReplaced
	CauseSuspend
	CauseDeadline
	CauseAttemptTimeout
	CauseIdleTimeout
	CauseShutdown
)

// StopRequest is why an attempt is asked to stop, with the words for a person as they
// were when it was asked: afterwards, actual values have moved on.
type StopRequest struct {
	Cause   Cause
	Message string
}

// Dependency is the state of one job named in spec.dependsOn.
type Dependency struct {
	// UID is the job that bears the name; empty: there is none.
	UID   types.UID
	Phase v1.JobPhase
	// Cycle is the way from this job over the dependency back to it; nil: there is
	// none.
	Cycle []string
}

// Observed is what the asking side knows beside the object.
type Observed struct {
	// Worker is the identity of the worker that asks.
	Worker string
	// Lease is how long the worker owns an attempt without renewing it; 0: for good.
	Lease time.Duration
	// Granted: the schedule has given the job a slot.
	Granted bool
	// Live: the attempt in the status is running (or being recovered) in this
	// worker now.
	Live bool
	// Active is when the live attempt last gave output or progress.
	Active time.Time
	// Stop is why the live or ended attempt was asked to stop; nil: it was not.
	Stop *StopRequest
	// Outcome is what the attempt in the status came to; nil while it is unknown.
	Outcome *action.Outcome
	// Dependencies are those of spec.dependsOn, in its order. Nil: not known yet.
	Dependencies []Dependency
	// ReplacedBy is a newer job that replaces this one; empty: none does.
	ReplacedBy string
	// SkippedFor are the older jobs that fill the concurrency key of a job whose
	// policy is Skip; nil: there is room.
	SkippedFor []string
	// Busy: an earlier job has not been read yet that may decide about this one; nothing
	// new may begin.
	Busy bool
	// ShuttingDown: the worker gives up its attempts.
	ShuttingDown bool
}

// Decision is the result of NextQueued and NextHeld.
type Decision struct {
	// Status is the whole new status; it is to be written when Changed.
	Status  v1.JobStatus
	Changed bool
	// Soft: losing the write in a crash loses nothing that is not seen again.
	Soft bool
	Do   Do
	// Stop is the reason, with Do Stop.
	Stop StopRequest
	// Ready: no attempt holds the job and nothing but its turn, its time
	// (NotBefore) and limits keep it from starting.
	Ready bool
	// Again is how long from now something is due that no event will announce; 0:
	// nothing is.
	Again time.Duration
}

// NextQueued decides what happens now to a job on which no attempt of the asking worker is at
// work: it waits for its turn, or the attempt in its status is a dead worker's, or another
// one's. The dispatcher asks. It changes neither argument.
func NextQueued(job *v1.Job, seen Observed, now time.Time) Decision {
	return next(job, seen, now, false)
}

// NextHeld decides what happens now to a job whose attempt the asking worker carries out, or
// has just ended. The worker asks. It changes neither argument.
func NextHeld(job *v1.Job, seen Observed, now time.Time) Decision {
	return next(job, seen, now, true)
}

// next asks first what is asked of every job, held by the asking worker or not.
func next(job *v1.Job, seen Observed, now time.Time, held bool) Decision {
	again := job.Status.Phase.Terminal() && !job.Finished()
	if again {
		job = restarted(job, now)
	}
	t := transition{job: job, seen: seen, now: now, status: own(&job.Status)}
	setBack := t.setBack()
	var m move
	switch {
	case t.status.Phase.Terminal():
	case job.Spec.ForceFinish != nil:
		m = t.forced()
	case held:
		m = t.held()
	default:
		m = t.unheld()
	}
	switch {
	case again:
		if !m.changed {
			t.status.ObservedGeneration = job.Generation
		}
		m.changed, m.soft = true, false
	case setBack && !m.changed:
		m.changed, m.soft = true, true // lost, it is seen again
	}
	return Decision{Status: t.status, Changed: m.changed, Soft: m.soft, Do: m.do, Stop: m.stop, Ready: m.ready, Again: t.again()}
}

// move is a Decision without the status, which the transition has.
type move struct {
	changed, soft, ready bool
	do                   Do
	stop                 StopRequest
}

// restarted is a job that is to run again, where the store did not start it over in the
// write that asked for it.
func restarted(job *v1.Job, now time.Time) *v1.Job {
	again := *job
	again.Status = v1.Rerun(job.Status, job.Spec.Reruns, now)
	return &again
}

// own is a status of which a transition may change the conditions in place. The rest is
// shared with s; it is replaced and never changed.
func own(s *v1.JobStatus) v1.JobStatus {
	status := *s
	status.Conditions = slices.Clone(s.Conditions)
	return status
}

// unheld decides about a job on which the asking worker is not at work.
func (t *transition) unheld() move {
	if t.status.CurrentAttempt == nil {
		return t.queued()
	}
	return t.orphaned()
}

// held decides about a job on which the asking worker is at work.
func (t *transition) held() move {
	if t.seen.Outcome != nil {
		return t.ended(*t.seen.Outcome)
	}
	return t.running()
}

// forced ends the job as an operator decided, whoever holds it.
func (t *transition) forced() move {
	f := t.job.Spec.ForceFinish
	held := t.status.CurrentAttempt != nil && t.seen.Live
	if f.Phase == v1.JobSucceeded {
		t.status.Pct = 100
	}
	m := t.finish(f.Phase, v1.ReasonForceFinished, forcedMessage(f, t.status.CurrentAttempt))
	if held {
		m.do, m.stop = Stop, StopRequest{Cause: CauseForced}
	}
	return m
}
