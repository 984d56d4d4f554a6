package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/store"
)

// Reconcile implements controller.Reconciler: it looks at one job, decides, writes its
// status at most once, and acts.
func (c *Controller) Reconcile(ctx context.Context, e *entry) (controller.Result, error) {
	job, seen, err := c.look(ctx, e)
	switch {
	case err != nil:
		return c.retry(e, err)
	case seen.unconfirmed != nil:
		return c.confirm(ctx, e, seen.unconfirmed)
	case job == nil:
		return controller.Result{}, nil
	}
	w := write{job: job, seen: seen, now: time.Now()}
	progressed := false
	if p := seen.report; p != nil {
		job.Status, progressed = lifecycle.Progress(job.Status, *p, w.now)
	}
	w.was = job.Status
	w.decision = lifecycle.Next(job, seen.Observed, w.now)
	if w.decision.Changed || progressed {
		job.Status = w.decision.Status
		return c.writeAndAct(ctx, e, &w)
	}
	own := attemptsOwn(job, w.decision.Do)
	c.mu.Lock()
	result := c.act(ctx, e, job, own, &w.decision, &w.seen, w.now)
	c.mu.Unlock()
	c.told(seen.ended)
	return result, nil
}

// writeAndAct writes the status that was decided on and does what follows from it.
func (c *Controller) writeAndAct(ctx context.Context, e *entry, w *write) (controller.Result, error) {
	if w.decision.Do == lifecycle.Start {
		if !c.mayStart() {
			return controller.Result{}, nil // it stays queued
		}
		defer c.hasStarted()
	}
	record, err := c.Store.UpdateStatus(ctx, w.job, w.durability())
	if err != nil {
		c.notWritten(e, w, err)
		return c.retry(e, err)
	}
	return c.written(ctx, e, w, record.ResourceVersion()), nil
}

// attemptsOwn is a copy of the job for the attempt that is begun with it, if one is; it is
// made before the lock is taken.
func attemptsOwn(job *v1.Job, do lifecycle.Do) *v1.Job {
	if do == lifecycle.Start || do == lifecycle.Recover {
		return job.DeepCopy()
	}
	return nil
}

// look returns the job and what this worker knows of it; no job when it is gone, or not
// ours to drive any more.
//
// A job that is kept decoded, and of which no event has told since, is taken as it is: if
// the store has a later version all the same, whatever is decided here cannot be written,
// and the event of that version is on its way.
func (c *Controller) look(ctx context.Context, e *entry) (*v1.Job, observation, error) {
	c.mu.Lock()
	job := e.job
	switch {
	case e.forgotten:
		c.mu.Unlock()
		return nil, observation{}, nil
	case e.gone:
		if e.run == nil || e.run.outcome != nil {
			c.forget(e)
		}
		c.mu.Unlock()
		return nil, observation{}, nil
	case e.some().unconfirmed != nil:
		w := e.rare.unconfirmed
		c.mu.Unlock()
		return nil, observation{unconfirmed: w}, nil
	case job == nil || e.newer(job):
		c.mu.Unlock()
		var err error
		if job, err = c.read(ctx, e); job == nil || err != nil {
			return nil, observation{}, err
		}
		c.mu.Lock()
	}
	if !waitsForOthers(job) {
		defer c.mu.Unlock()
		return job, c.observe(e, job), nil
	}
	c.meet(e, job)
	c.mu.Unlock()
	depends, err := c.dependencies(ctx, e, job)
	if err != nil {
		return nil, observation{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.observe(e, job)
	seen.Dependencies = depends
	return job, seen, nil
}

// read reads the job from the store; nil: it is gone.
func (c *Controller) read(ctx context.Context, e *entry) (*v1.Job, error) {
	record, err := c.Store.Get(ctx, e.key())
	if errors.Is(err, store.ErrNotFound) || err == nil && record.UUID() != e.uid {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.lost(e)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	job, err := record.Job()
	if err != nil {
		return nil, controller.TerminalError(err) // until somebody mends it
	}
	return job, nil
}

// observation is what this worker knows of a job, for the decision and for itself.
type observation struct {
	lifecycle.Observed
	report *lifecycle.Report // progress that is to be written with it
	ended  *run              // the attempt whose outcome is looked at; it is done with once the status is written
	// unconfirmed is an earlier write of which nobody knows whether it happened; nothing
	// is decided before that is known.
	unconfirmed *write
}

// observe is what this worker knows of the job, which it takes in first if it was not
// decoded before. The caller holds mu.
func (c *Controller) observe(e *entry, job *v1.Job) observation {
	c.meet(e, job)
	seen := observation{Observed: lifecycle.Observed{
		Worker: c.Worker, Lease: c.Lease, Granted: e.slot, ReplacedBy: c.replacedBy(e),
		ShuttingDown: c.stopping || c.draining && e.run == nil,
	}}
	var sure bool
	seen.SkippedFor, sure = c.skippedFor(e, job)
	seen.Busy = !sure
	r := e.run
	if r == nil {
		return seen
	}
	if r.outcome != nil {
		seen.ended = r
	}
	attempt := job.Status.CurrentAttempt
	switch {
	case attempt != nil && r.id == attempt.ID && attempt.Worker == c.Worker:
		seen.Outcome, seen.Stop, seen.Active = r.outcome, r.stop, r.active()
		seen.Live = r.outcome == nil
		seen.report = r.take()
	case r.outcome != nil:
		// Taken over, or finished by force, while it ran: its outcome is late.
		seen.Late = &lifecycle.Late{Attempt: r.id, Outcome: *r.outcome}
	default:
		seen.Busy = true
		r.cancel(errFenced)
	}
	return seen
}

// meet takes in a job that was not decoded when its event came. The caller holds mu.
func (c *Controller) meet(e *entry, job *v1.Job) {
	if e.job != job && !e.forgotten {
		c.learn(e, job)
	}
}

// wrote notes our own write, whose event says nothing new. The caller holds mu.
func (c *Controller) wrote(e *entry, job *v1.Job, version uint64) {
	if e.forgotten {
		return // deleted since
	}
	unseen := e.version < version
	e.version = max(e.version, version)
	c.learn(e, job)
	if job.Status.Phase.Terminal() {
		if unseen {
			c.settled[e.uid] = version
		}
		c.wakeDependents(e.key())
	}
}

// act does what the decision asks for beside the write; the outcome that was seen is on
// disk now. own is for the attempt that begins, if one does. The caller holds mu.
func (c *Controller) act(ctx context.Context, e *entry, job, own *v1.Job, d *lifecycle.Decision, seen *observation, now time.Time) controller.Result {
	if e.forgotten {
		return controller.Result{}
	}
	if !e.looked {
		e.looked = true
		c.wakeUnsure()
	}
	if ended := seen.ended; ended != nil && e.run == ended {
		c.ran(job, e.run, now)
		e.run = nil
		c.announce()
	}
	switch d.Do {
	case lifecycle.Start:
		if c.draining && c.starting == 0 {
			break // found to be written after all; it is recovered at the next start
		}
		c.start(ctx, e, own)
		if c.stopping {
			c.queue.Add(e) // all others were asked to stop before it began
		}
	case lifecycle.Recover:
		if !c.draining { // else it is recovered at the next start
			c.recover(ctx, e, own)
		}
	case lifecycle.Stop:
		if r := e.run; r != nil && r.outcome == nil {
			if r.stop == nil {
				stop := d.Stop // only it is kept, not all of d
				r.stop = &stop
			}
			cause := errStopped
			if c.stopping {
				cause = errShutdown
			}
			r.cancel(cause)
		}
	case lifecycle.Nothing:
	}
	if job.Status.Phase.Terminal() {
		switch {
		case e.run != nil: // its attempt still has to end
		case e.newer(job):
			c.queue.Add(e) // run again meanwhile: the event came before this decision was done with
		default:
			c.forget(e)
		}
		return controller.Result{}
	}
	c.place(e, job, d, seen.Granted, now)
	return controller.Result{After: d.Again}
}

// retry answers an error of the store: a conflict at once, anything else is tried again
// with back-off. What is observed stays observed.
func (c *Controller) retry(e *entry, err error) (controller.Result, error) {
	c.keepOutcome(e, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(e, nil)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		c.queue.Add(e)
		return controller.Result{}, nil
	}
	err = fmt.Errorf("%s: %w", e.key(), err)
	if !c.stopping {
		return controller.Result{}, err
	}
	// Nothing more can be written. What was running is in the store as Running: the next
	// start tells what it came to, or recovers it as an interruption where that was not kept.
	err = fmt.Errorf("giving up at shutdown (what it came to is kept for the next start: %t): %w", e.run != nil && e.run.spooled, err)
	if e.run == nil || e.run.outcome != nil {
		c.forget(e)
	} else {
		e.run.cancel(errShutdown) // its end comes here again
	}
	return controller.Result{}, controller.TerminalError(err)
}
