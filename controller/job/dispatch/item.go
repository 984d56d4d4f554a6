package dispatch

import (
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/schedule"
)

func concurrencyLimit(job *v1.Job) int {
	if job.Spec.Concurrency == nil || job.Spec.Concurrency.Limit == nil {
		return 1
	}
	return int(*job.Spec.Concurrency.Limit)
}

// item is the job as the schedule sees it.
func (d *Dispatcher) item(uid uuid.UUID, job *v1.Job) schedule.Item {
	item := schedule.Item{
		UID: uid, Workspace: job.Namespace, Type: job.Spec.Type, Priority: job.Spec.Priority,
		Since: lifecycle.QueuedSince(job), NotBefore: lifecycle.NotBefore(job),
	}
	if job.Spec.Concurrency != nil {
		item.Key, item.Limit = qualified(job.Namespace, job.Spec.Concurrency.Key), concurrencyLimit(job)
	} else if key := d.keyOf(job); key.Name != "" {
		// In submit order also when one of them waits for a retry: the last deploy that was
		// submitted is the one that people mean to be running.
		item.Key, item.Limit, item.InOrder = key.Name, key.Limit, key.InOrder
		item.HoldsPlace = key.InOrder && job.Status.NextAttemptTime != nil
	}
	item.Rate = rate(job)
	return item
}

// keyOf is the concurrency key that a job has by its action; zero: it has none.
func (d *Dispatcher) keyOf(job *v1.Job) action.Key {
	if d.Key == nil {
		return action.Key{}
	}
	return d.Key(job)
}

// rate is the job's rate limit as the schedule sees it.
func rate(job *v1.Job) schedule.Rate {
	r := job.Spec.RateLimit
	if r == nil {
		return schedule.Rate{}
	}
	limit := 1
	if r.Limit != nil {
		limit = int(*r.Limit)
	}
	return schedule.Rate{Key: qualified(job.Namespace, r.Key), Limit: limit, Per: time.Duration(r.PerSeconds) * time.Second}
}
