package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/spool"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
)

// keepOutcome spools the outcome of an attempt that has ended and that the store could not
// take: the process may end before the store is back.
func (w *Worker) keepOutcome(x *execution) {
	outcome := x.ended()
	if w.Spool == nil || outcome == nil {
		return
	}
	o := spool.Outcome{Namespace: x.key.Namespace, Job: x.key.Name, UID: types.UID(x.uid.String()), Attempt: x.id, Outcome: *outcome}
	if u := x.unconfirmed; u != nil && u.ended {
		o.Status = &u.Job.Status
	}
	if x.spooled && (x.spooledStatus || o.Status == nil) {
		return // nothing new
	}
	if err := w.Spool.Keep(o); err != nil {
		w.Log.Error(err, "what an attempt came to is kept in memory only", "job", x.key.String(), "attempt", o.Attempt)
		return
	}
	x.spooled, x.spooledStatus = true, o.Status != nil
}

// forgetOutcome removes a spooled outcome: the store has it, or the job is gone.
func (w *Worker) forgetOutcome(x *execution) {
	if x.spooled {
		w.dropOutcome(x.id)
	}
}

func (w *Worker) dropOutcome(attempt string) {
	if err := w.Spool.Remove(attempt); err != nil {
		w.Log.Error(err, "an outcome that the store has stays on disk", "attempt", attempt)
	}
}

// keptOutcome returns the outcome that an earlier process has spooled.
func (w *Worker) keptOutcome(attempt string) (action.Outcome, bool) {
	if w.Spool == nil {
		return action.Outcome{}, false
	}
	o, ok := w.Spool.Get(attempt)
	return o.Outcome, ok
}

// RecallOutcomes writes the outcomes that the process before could not write. The outcome of
// a job that the store shows as Running is left to its recovery.
func (w *Worker) RecallOutcomes(ctx context.Context) error {
	if w.Spool == nil {
		return nil
	}
	for _, o := range w.Spool.All() {
		if err := w.recallOutcome(ctx, o); err != nil {
			return fmt.Errorf("tell what attempt %s came to: %w", o.Attempt, err)
		}
	}
	return nil
}

func (w *Worker) recallOutcome(ctx context.Context, o spool.Outcome) error {
	key := store.Key{Kind: v1.KindJob, Namespace: o.Namespace, Name: o.Job}
	record, err := w.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) || err == nil && record.UID() != o.UID {
		w.dropOutcome(o.Attempt)
		return nil
	}
	if err != nil {
		return err
	}
	job, err := record.Job()
	if err != nil {
		w.Log.Error(err, "what an attempt came to stays on disk", "job", key.String(), "attempt", o.Attempt)
		return nil
	}
	if held := job.Status.CurrentAttempt; held != nil && held.ID == o.Attempt && held.Worker == w.Name {
		return nil
	}
	if o.Status == nil || !status.Reflects(&job.Status, o.Status) {
		now := time.Now()
		late, news := lifecycle.WithLate(job, w.Name, lifecycle.Late{Attempt: o.Attempt, Outcome: o.Outcome}, now)
		if news {
			write := status.Write{Job: job, Was: job.Status, Now: now}
			job.Status = late
			if _, err := w.Status.Do(ctx, &write); err != nil {
				return err
			}
		}
	}
	w.dropOutcome(o.Attempt)
	return nil
}
