package job

import (
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/lifecycle"
)

// place gives the job its place in the schedule, or takes it out. granted: the decision
// knew that the job has a slot. The caller holds mu.
func (c *Controller) place(e *entry, job *v1.Job, d *lifecycle.Decision, granted bool, now time.Time) {
	if attempt := job.Status.CurrentAttempt; attempt != nil {
		if e.queued {
			e.queued = false
			c.schedule.Remove(e.uid)
		}
		switch {
		case e.run != nil && !e.slot: // found running, or taken over
			e.slot, e.elsewhere = true, false
			c.schedule.Live(c.item(e.uid, job), attempt.StartTime.Time)
		case e.run == nil && (e.slot || !e.elsewhere): // another worker's
			c.release(e)
			e.elsewhere = true
			c.schedule.LiveElsewhere(c.item(e.uid, job), attempt.StartTime.Time)
			c.grant()
		}
		return
	}
	if !d.Ready {
		c.unschedule(e)
		c.grant()
		if d.Changed && !d.Soft {
			c.queue.Add(e) // whether it is ready is decided from what is on disk now
		}
		return
	}
	if e.slot && e.run == nil && !granted {
		return // granted since it was observed; its reconcile is queued
	}
	c.release(e)
	e.queued = true
	c.schedule.Upsert(c.item(e.uid, job))
	c.replaces(e, job, now)
	c.grant()
}

// unschedule takes a job out of the schedule and gives back its slot. The caller
// holds mu.
func (c *Controller) unschedule(e *entry) {
	if e.queued {
		e.queued = false
		c.schedule.Remove(e.uid)
	}
	c.release(e)
}

func (c *Controller) release(e *entry) {
	if e.slot || e.elsewhere {
		e.slot, e.elsewhere = false, false
		c.schedule.Release(e.uid, c.now())
	}
}

// grant gives free slots to the jobs that are next, and sees to it that it is asked
// again when one may start by the passing of time alone. The caller holds mu.
func (c *Controller) grant() {
	c.grantResumptions()
	if c.draining {
		return
	}
	now := c.now()
	for {
		next, ok := c.schedule.Next(now)
		if !ok {
			break
		}
		e := c.jobs.Get(next.UID)
		e.queued, e.slot = false, true
		c.queue.AddFirst(e)
	}
	due, ok := c.schedule.Due()
	if ok == c.wake.set && due.Equal(c.wake.at) {
		return
	}
	if c.wake.timer != nil {
		c.wake.timer.Stop()
	}
	c.wake.set, c.wake.at = ok, due
	if ok {
		c.wake.timer = time.AfterFunc(min(max(due.Sub(now), 0), maxNap), c.wakeUp)
	}
}

// wake is the timer of the schedule.
type wake struct {
	timer *time.Timer
	set   bool
	at    time.Time
}

func (c *Controller) wakeUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wake = wake{}
	c.grant()
}

// ran takes in how an attempt went: whether the other side asked to wait, and for the
// estimates how long it took. The caller holds mu.
func (c *Controller) ran(job *v1.Job, r *run, now time.Time) {
	if until := job.Status.RetryAfterTime; until != nil && job.Spec.RateLimit != nil {
		c.schedule.Hold(rate(job).Key, until.Time)
	}
	if job.Status.Phase != v1.JobSucceeded && job.Status.Phase != v1.JobFailed {
		return
	}
	took := max(now.Sub(r.started), 0) // the clock may have been set back
	mean, known := c.runTimes[job.Spec.Type]
	if known {
		// An exponentially weighted mean: the last ten runs count for most of it.
		took = mean + (took-mean)/10
	}
	c.runTimes[job.Spec.Type] = took
}
