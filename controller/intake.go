package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// maxCached is how many jobs are kept decoded between their event and their
// reconcile; beyond it they are decoded again. 4,096 of 2 KiB cover any burst that
// the reconcilers work off at once and cost 8 MiB at most.
const maxCached = 4096

// entry is what the controller knows of a job that is not terminal.
type entry struct {
	key      store.Key
	jobType  v1.JobType
	priority int32
	created  time.Time
	job      *v1.Job // decoded; nil: not kept
	written  uint64  // resourceVersion of our last write
	queued   bool    // waits in the schedule
	slot     bool    // holds one of the slots
	gone     bool    // deleted while its attempt runs
	run      *run
	timer    *time.Timer // something is due that no event announces
	tries    int         // writes that failed in a row
}

func (e *entry) stopTimers() {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

// follow lists what is not terminal and then follows every change until ctx ends.
func (c *Controller) follow(ctx context.Context) error {
	for {
		err := c.listAndWatch(ctx)
		if !errors.Is(err, store.ErrExpired) {
			return err
		}
		c.Log.Info("the watch fell behind; listing anew")
	}
}

func (c *Controller) listAndWatch(ctx context.Context) error {
	page, err := c.Store.List(ctx, store.ListOptions{
		Kind: v1.KindJob, Phases: []v1.JobPhase{v1.JobQueued, v1.JobRunning, ""}, Order: store.OldestFirst,
	})
	if err != nil {
		return fmt.Errorf("list jobs: %w", err)
	}
	known := make(map[types.UID]bool, len(page.Items))
	for _, record := range page.Items {
		known[record.UID()] = true
		c.intake(store.Event{Type: store.Added, Record: record})
	}
	c.forgetAllBut(known, page.ResourceVersion)
	watch, err := c.Store.Watch(ctx, store.WatchOptions{Kind: v1.KindJob, Since: page.ResourceVersion})
	if err != nil {
		return fmt.Errorf("watch jobs: %w", err)
	}
	defer watch.Close()
	for {
		events, err := watch.Next(ctx)
		if err != nil {
			return fmt.Errorf("watch jobs: %w", err)
		}
		for _, event := range events {
			c.intake(event)
		}
	}
}

// forgetAllBut takes it that whatever is not in known at version has ended or was
// deleted meanwhile.
func (c *Controller) forgetAllBut(known map[types.UID]bool, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for uid, e := range c.jobs {
		if !known[uid] && e.written < version {
			c.lost(uid, e)
		}
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
	uid, version := event.Record.UID(), event.Record.ResourceVersion()
	c.mu.Lock()
	if settled, ok := c.settled[uid]; ok && version <= settled {
		if version == settled {
			delete(c.settled, uid)
		}
		c.mu.Unlock()
		return
	}
	e, known := c.jobs[uid]
	if event.Type == store.Deleted {
		if known {
			c.lost(uid, e)
		}
		delete(c.settled, uid)
		c.mu.Unlock()
		return
	}
	if known && version <= e.written {
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()

	job, err := event.Record.Job()
	if err != nil {
		c.Log.Error(err, "passing over a job that cannot be read", "job", event.Record.Key().String())
		return
	}
	if job.Status.Phase.Terminal() && !known {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.jobs[uid]; e == nil {
		e = &entry{key: event.Record.Key(), jobType: job.Spec.Type, created: job.CreationTimestamp.Time}
		c.jobs[uid] = e
	}
	e.priority = job.Spec.Priority
	c.keep(e, job)
	if e.queued {
		c.schedule.Upsert(item(uid, e))
	}
	c.queue.add(uid)
}

// lost forgets a job that is no longer there, once its attempt has ended.
func (c *Controller) lost(uid types.UID, e *entry) {
	if e.run != nil {
		e.gone = true
		e.run.cancel(errDeleted)
		return
	}
	c.forget(uid, e)
}

// forget takes a job out of everything. The caller holds mu.
func (c *Controller) forget(uid types.UID, e *entry) {
	e.stopTimers()
	c.keep(e, nil)
	c.unschedule(uid, e)
	e.run = nil
	delete(c.jobs, uid)
	c.announce()
	c.grant()
}

// keep remembers the decoded job, while there is room.
func (c *Controller) keep(e *entry, job *v1.Job) {
	if e.job != nil {
		e.job = nil
		c.cached--
	}
	if job != nil && c.cached < maxCached {
		e.job = job
		c.cached++
	}
}
