package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/spool"
	"jobwright.dev/store"
)

// keepOutcome writes down on this machine what an attempt came to, if one has ended, when
// err kept the store from taking it: the process may end before the store is back.
func (c *Controller) keepOutcome(e *entry, err error) {
	if c.Spool == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		return
	}
	o := spool.Outcome{Namespace: e.workspace.Value(), Job: e.name, UID: types.UID(e.uid.String())}
	c.mu.Lock()
	r, w := e.run, e.some().unconfirmed
	if r == nil || r.outcome == nil {
		c.mu.Unlock()
		return
	}
	o.Attempt, o.Outcome = r.id, *r.outcome
	if w != nil && w.seen.ended == r {
		o.Status = &w.job.Status
	}
	known := r.spooled && (r.spooledStatus || o.Status == nil)
	c.mu.Unlock()
	if known {
		return
	}
	if err := c.Spool.Keep(o); err != nil {
		c.Log.Error(err, "what an attempt came to is kept in memory only", "job", e.key().String(), "attempt", o.Attempt)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.spooled, r.spooledStatus = true, o.Status != nil
}

// told forgets what is kept of an attempt whose outcome is in the store; nil: of none.
func (c *Controller) told(ended *run) {
	if ended != nil && ended.spooled {
		c.dropOutcome(ended.id)
	}
}

// dropOutcome forgets what is kept of an attempt: the store has it.
func (c *Controller) dropOutcome(attempt string) {
	if err := c.Spool.Remove(attempt); err != nil {
		c.Log.Error(err, "an outcome that the store has stays on disk", "attempt", attempt)
	}
}

// recallOutcomes tells the store what attempts of the process before came to that it could
// not write. What the store says Running is left to be recovered, which asks for it.
func (c *Controller) recallOutcomes(ctx context.Context) error {
	if c.Spool == nil {
		return nil
	}
	for _, o := range c.Spool.All() {
		if err := c.recallOutcome(ctx, o); err != nil {
			return fmt.Errorf("tell what attempt %s came to: %w", o.Attempt, err)
		}
	}
	return nil
}

func (c *Controller) recallOutcome(ctx context.Context, o spool.Outcome) error {
	key := jobKey(o.Namespace, o.Job)
	record, err := c.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) || err == nil && record.UID() != o.UID {
		c.dropOutcome(o.Attempt)
		return nil
	}
	if err != nil {
		return err
	}
	job, err := record.Job()
	if err != nil {
		c.Log.Error(err, "what an attempt came to stays on disk", "job", key.String(), "attempt", o.Attempt)
		return nil
	}
	if held := job.Status.CurrentAttempt; held != nil && held.ID == o.Attempt && held.Worker == c.Worker {
		return nil
	}
	if o.Status != nil && reflects(&job.Status, o.Status) {
		c.dropOutcome(o.Attempt)
		return nil
	}
	if status, news := lifecycle.WithLate(job, c.Worker, lifecycle.Late{Attempt: o.Attempt, Outcome: o.Outcome}, time.Now()); news {
		was := job.Status
		job.Status = status
		if _, err := c.Store.UpdateStatus(ctx, job, store.Durable); err != nil {
			return err
		}
		c.announceTransition(job, was)
	}
	c.dropOutcome(o.Attempt)
	return nil
}

// keptOutcome is what is kept of an attempt that a process before has ended.
func (c *Controller) keptOutcome(attempt string) (action.Outcome, bool) {
	if c.Spool == nil {
		return action.Outcome{}, false
	}
	o, ok := c.Spool.Get(attempt)
	return o.Outcome, ok
}
