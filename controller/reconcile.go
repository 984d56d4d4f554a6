package controller

import (
	"context"
	"errors"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/lifecycle"
	"jobwright.dev/store"
)

func (c *Controller) reconcileLoop(ctx context.Context) {
	for {
		uid, ok := c.queue.get()
		if !ok {
			return
		}
		start := time.Now()
		err := c.reconcile(ctx, uid)
		c.metrics.reconciled(err, time.Since(start))
		c.queue.done(uid)
	}
}

// reconcile reads one job, decides, writes its status at most once, and acts.
func (c *Controller) reconcile(ctx context.Context, uid types.UID) error {
	e, job, err := c.read(ctx, uid)
	if e == nil || err != nil {
		return c.retry(uid, e, err)
	}
	if job == nil {
		return nil
	}
	c.meet(uid, e, job)
	depends, err := c.dependencies(ctx, e, job)
	if err != nil {
		return c.retry(uid, e, err)
	}
	now := time.Now()
	seen := c.observe(uid, e, job)
	seen.Dependencies = depends
	progressed := false
	if p := seen.report; p != nil {
		job.Status, progressed = lifecycle.Progress(job.Status, *p, now)
	}
	decision := lifecycle.Next(job, seen.Observed, now)
	before := job.Status.Phase
	if decision.Changed || progressed {
		durability := store.Durable
		if !decision.Changed || decision.Soft {
			durability = store.Soft
		}
		was := job.Status
		job.Status = decision.Status
		record, err := c.Store.UpdateStatus(ctx, job, durability)
		if err != nil {
			return c.retry(uid, e, err)
		}
		job.ResourceVersion = strconv.FormatUint(record.ResourceVersion(), 10)
		c.wrote(uid, e, job, record.ResourceVersion())
		if decision.Do == lifecycle.Start {
			if gave, err := c.giveWay(ctx, uid, e, job, record.ResourceVersion()); gave || err != nil {
				return c.retry(uid, e, err)
			}
		}
		if durability == store.Durable {
			c.metrics.transition(job, before, now)
			c.announceTransition(job, was)
		}
	}
	c.act(ctx, uid, e, job, decision, seen, now)
	return nil
}

// meet takes in a job that was not decoded when its event came.
func (c *Controller) meet(uid types.UID, e *entry, job *v1.Job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.job != job && c.jobs[uid] == e {
		c.learn(uid, e, job)
	}
}

// read returns what is known of the job and the job itself: no entry when the job
// is not ours to drive, no job when it is gone.
func (c *Controller) read(ctx context.Context, uid types.UID) (*entry, *v1.Job, error) {
	c.mu.Lock()
	e := c.jobs[uid]
	if e == nil {
		c.mu.Unlock()
		return nil, nil, nil
	}
	if e.gone {
		if e.run == nil || e.run.outcome != nil {
			c.forget(uid, e)
		}
		c.mu.Unlock()
		return e, nil, nil
	}
	cached := e.job
	c.mu.Unlock()

	record, err := c.Store.Get(ctx, e.key())
	if errors.Is(err, store.ErrNotFound) || err == nil && record.UID() != uid {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.lost(uid, e)
		return e, nil, nil
	}
	if err != nil {
		return e, nil, err
	}
	if cached != nil && cached.ResourceVersion == strconv.FormatUint(record.ResourceVersion(), 10) {
		return e, cached, nil
	}
	job, err := record.Job()
	return e, job, err
}

// observation is what this worker knows of a job, for the decision and for itself.
type observation struct {
	lifecycle.Observed
	report *lifecycle.Report // progress that is yet to be written
	ended  *run              // the attempt whose outcome is looked at; it is done with once the status is written
}

// observe is what this worker knows of the job.
func (c *Controller) observe(uid types.UID, e *entry, job *v1.Job) observation {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := observation{Observed: lifecycle.Observed{
		Worker: c.Worker, Lease: c.Lease, Granted: e.slot, ReplacedBy: c.replacedBy(e),
		ShuttingDown: c.stopping || c.draining && e.run == nil,
	}}
	var sure bool
	seen.SkippedFor, sure = c.skippedFor(uid, e, job)
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
		seen.Outcome, seen.Stop, seen.Active = r.outcome, r.stop, r.active
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

// wrote notes our own write, whose event says nothing new.
func (c *Controller) wrote(uid types.UID, e *entry, job *v1.Job, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.written, e.tries = version, 0
	c.learn(uid, e, job)
	if job.Status.Phase.Terminal() {
		if e.seen < version {
			c.settled[uid] = version
		}
		c.wakeDependents(e.key())
	}
}

// act does what the decision asks for beside the write; the outcome that was seen is on
// disk now.
func (c *Controller) act(ctx context.Context, uid types.UID, e *entry, job *v1.Job, d lifecycle.Decision, seen observation, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jobs[uid] != e {
		return
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
		c.start(ctx, uid, e, job)
	case lifecycle.Recover:
		c.recover(ctx, uid, e, job)
	case lifecycle.Stop:
		if r := e.run; r != nil && r.outcome == nil {
			if r.stop == nil {
				r.stop = &d.Stop
			}
			r.cancel(errStopped)
		}
	case lifecycle.Nothing:
	}
	if job.Status.Phase.Terminal() {
		switch {
		case e.run != nil: // its attempt still has to end
		case e.newer(job):
			c.queue.add(uid) // run again meanwhile: the event came before this decision was done with
		default:
			c.forget(uid, e)
		}
		return
	}
	c.place(uid, e, job, d, seen.Granted, now)
	e.stopTimers()
	if d.Again > 0 {
		e.timer = time.AfterFunc(d.Again, func() { c.queue.add(uid) })
	}
}

// retry answers an error of the store: a conflict at once, anything else with
// back-off. What is observed stays observed.
func (c *Controller) retry(uid types.UID, e *entry, err error) error {
	if err == nil || e == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(e, nil)
	switch {
	case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound):
		c.queue.add(uid)
		return nil
	case c.stopping:
		// Nothing more can be written. What was running is in the store as Running
		// and is recovered as an interruption at the next start.
		c.Log.Error(err, "giving up on a job's status at shutdown", "job", e.key().String())
		if e.run == nil || e.run.outcome != nil {
			c.forget(uid, e)
		} else {
			e.gone = true
			e.run.cancel(errStopped)
		}
		return err
	}
	e.tries++
	wait := backoff(int(e.tries))
	c.Log.Error(err, "reconcile; trying again", "job", e.key().String(), "in", wait.String())
	e.stopTimers()
	e.timer = time.AfterFunc(wait, func() { c.queue.add(uid) })
	return err
}

// backoff doubles from 100 ms to 30 s: short enough that a passing error is hardly
// noticed, long enough that a store that is read-only until a restart is not asked
// all the time.
func backoff(tries int) time.Duration {
	return min(100*time.Millisecond<<min(tries-1, 20), 30*time.Second)
}
