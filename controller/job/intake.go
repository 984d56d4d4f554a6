package job

import (
	"context"
	"errors"
	"fmt"
	"unique"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// pageSize is how many jobs are listed at once at the start: enough that the pages cost
// nothing beside the jobs, few enough that a page takes a megabyte.
const pageSize = 1000

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
	known := map[uuid.UUID]bool{}
	c.mu.Lock()
	first := c.jobs.Len() == 0 // there is nothing to be forgotten
	c.mu.Unlock()
	// What changes while the pages are read comes with the watch, which begins at the
	// first page's version; it says again what later pages have shown.
	list := store.ListOptions{
		Kind: v1.KindJob, Phases: []v1.JobPhase{v1.JobQueued, v1.JobRunning, ""}, Order: store.OldestFirst, Limit: pageSize,
	}
	var from uint64
	for {
		page, err := c.Store.List(ctx, list)
		if err != nil {
			return fmt.Errorf("list jobs: %w", err)
		}
		if list.Continue == "" {
			from = page.ResourceVersion
		}
		for _, record := range page.Items {
			if !first {
				known[record.UUID()] = true
			}
			c.intake(store.Event{Type: store.Modified, Record: record})
		}
		if list.Continue = page.Continue; list.Continue == "" {
			break
		}
	}
	if !first {
		c.forgetAllBut(known, from)
	}
	c.starts.reached(from)
	watch, err := c.Store.Watch(ctx, store.WatchOptions{Kind: v1.KindJob, Since: from})
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
func (c *Controller) forgetAllBut(known map[uuid.UUID]bool, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lost []*entry
	for e := range c.jobs.All() {
		if !known[e.uid] && e.version < version && !e.finished {
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
	c.seeStart(event)
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
	phase, err := event.Record.Phase()
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
		if !known {
			return
		}
	}
	e := c.jobs.Get(uid)
	if e == nil {
		c.arrivals++
		e = &entry{uid: uid, workspace: unique.Make(key.Namespace), name: key.Name, arrived: c.arrivals}
		c.fresh.push(e)
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
	c.queue.add(e)
}

// related reports whether the job may depend on others or have a concurrency policy. Every
// job is looked through, so it looks first for ends of which the first byte is rare in a
// job.
func related(r store.Record) bool {
	return r.Contains(`On":[`) || r.Contains(`y":"`) && r.Contains(`policy":"`)
}
