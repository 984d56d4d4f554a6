package controller

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

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
	known := map[types.UID]bool{}
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
			known[record.UID()] = true
			c.intake(store.Event{Type: store.Modified, Record: record})
		}
		if list.Continue = page.Continue; list.Continue == "" {
			break
		}
	}
	c.forgetAllBut(known, from)
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
func (c *Controller) forgetAllBut(known map[types.UID]bool, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for uid, e := range c.jobs {
		if !known[uid] && e.written < version && !e.finished {
			c.lost(uid, e)
			c.wakeDependents(e.key())
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
	c.seeStart(event)
	uid, version, key := event.Record.UID(), event.Record.ResourceVersion(), event.Record.Key()
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
		c.wakeDependents(key)
		c.mu.Unlock()
		return
	}
	if event.Type == store.Added {
		c.wakeDependents(key)
	}
	if known && version <= e.written {
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.learnOf(event, known)
}

// learnOf takes in what is new about a job. Most jobs are decoded only when they are
// reconciled; those that wait for others, or decide about others of their key, have to be
// known before.
func (c *Controller) learnOf(event store.Event, known bool) {
	uid, key := event.Record.UID(), event.Record.Key()
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
	e := c.jobs[uid]
	if e == nil {
		c.arrivals++
		e = &entry{uid: uid, workspace: key.Namespace, name: key.Name, arrived: c.arrivals}
		c.fresh.push(uid)
		c.jobs[uid] = e
		if job != nil && event.Type == store.Added {
			c.record(job)
		}
	}
	e.seen = event.Record.ResourceVersion()
	c.keep(e, nil)
	if job != nil {
		c.learn(uid, e, job)
	}
	c.queue.add(uid)
}

// related reports whether the job may depend on others or have a concurrency policy.
func related(r store.Record) bool { return r.Contains(`"dependsOn"`) || r.Contains(`"policy":"`) }
