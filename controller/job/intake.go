package job

import (
	"context"
	"unique"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/store"
)

// jobSource is how the controller follows what has not finished.
func (c *Controller) jobSource() controller.Source {
	list := store.ListOptions{Kind: v1.KindJob, Phases: []v1.JobPhase{v1.JobQueued, v1.JobRunning, ""}, Order: store.OldestFirst}
	if !c.Store.Features().AtomicRerun {
		list.Phases = nil // some of the finished ones may be about to run again
	}
	return controller.Source{
		List:    list,
		Prepare: c.recall,
		Handler: jobHandler{c},
	}
}

// recall takes in what the process before has left.
func (c *Controller) recall(ctx context.Context) error {
	if err := c.recallOutcomes(ctx); err != nil {
		return err
	}
	return c.recallRates(ctx)
}

// jobHandler takes in what happens to jobs.
type jobHandler struct{ c *Controller }

// Handle implements controller.Handler.
func (h jobHandler) Handle(changes []store.Event) {
	for _, change := range changes {
		h.c.intake(change)
	}
}

// Resumed implements controller.Resumer.
func (h jobHandler) Resumed() {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	for e := range h.c.jobs.All() {
		if h.c.queue.Failing(e) {
			h.c.queue.Add(e)
		}
	}
}

// Listed implements controller.Handler.
func (h jobHandler) Listed(version uint64, shown func(uuid.UUID) bool) {
	h.c.mu.Lock()
	h.c.started = true
	h.c.mu.Unlock()
	if shown != nil {
		h.c.forgetAllBut(shown, version)
	}
}

// forgetAllBut takes it that whatever is not shown at version has ended or was deleted
// meanwhile.
func (c *Controller) forgetAllBut(shown func(uuid.UUID) bool, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lost []*entry
	for e := range c.jobs.All() {
		if !shown(e.uid) && e.version < version && !e.finished {
			lost = append(lost, e)
		}
	}
	for _, e := range lost {
		c.lost(e)
		c.wakeDependents(e.key())
	}
	for uid, written := range c.settled {
		if written <= version {
			delete(c.settled, uid)
		}
	}
}

// intake takes in one change: what is known of the job, and that it wants a
// reconcile.
func (c *Controller) intake(event store.Event) {
	uid, version, key := event.Record.UUID(), event.Record.ResourceVersion(), event.Record.Key()
	c.mu.Lock()
	if settled, ok := c.settled[uid]; ok && version <= settled {
		if version == settled {
			delete(c.settled, uid)
		}
		c.mu.Unlock()
		return
	}
	e := c.jobs.Get(uid)
	if event.Type == store.Deleted {
		if e != nil {
			c.lost(e)
		}
		delete(c.settled, uid)
		c.wakeDependents(key)
		c.mu.Unlock()
		return
	}
	if event.Type == store.Added {
		c.wakeDependents(key)
	}
	if e != nil && version <= e.version {
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.learnOf(event, e != nil)
}

// learnOf takes in what is new about a job. Most jobs are decoded only when they are
// reconciled; those that wait for others, or decide about others of their key, have to be
// known before.
func (c *Controller) learnOf(event store.Event, known bool) {
	uid, version, key := event.Record.UUID(), event.Record.ResourceVersion(), event.Record.Key()
	finished, err := event.Record.Finished()
	var phase v1.JobPhase
	if err == nil {
		phase, err = event.Record.Phase()
	}
	if err != nil {
		c.Log.Error(err, "passing over a job that cannot be read", "job", key.String())
		return
	}
	var job *v1.Job
	if related(event.Record) || event.Type == store.Added && c.Events != nil {
		if job, err = event.Record.Job(); err != nil {
			c.Log.Error(err, "passing over a job that cannot be read", "job", key.String())
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if phase.Terminal() {
		c.wakeDependents(key)
		if !known && finished {
			return
		}
	}
	e := c.jobs.Get(uid)
	if e == nil {
		c.arrivals++
		e = &entry{uid: uid, workspace: unique.Make(key.Namespace), name: key.Name, arrived: c.arrivals}
		c.fresh.Push(e)
		c.jobs.Put(e)
		if job != nil && event.Type == store.Added {
			c.record(job)
		}
	}
	if version <= e.version {
		return // written by this worker meanwhile
	}
	e.version = version
	c.keep(e, nil)
	if job != nil {
		c.learn(e, job)
	}
	c.queue.Add(e)
}

// related reports whether the job may depend on others or have a concurrency policy. Every
// job is looked through, so it looks first for ends of which the first byte is rare in a
// job.
func related(r store.Record) bool {
	return r.Contains(`On":[`) || r.Contains(`y":"`) && r.Contains(`policy":"`)
}
