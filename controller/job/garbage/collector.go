package garbage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/store"
)

// maxWaiting is how many deletions are remembered: a workspace of ordinary size is deleted
// without a sweep, and what waits takes a few megabytes.
const maxWaiting = 10_000

// Store is the part of a store that a Collector uses.
type Store interface {
	Get(ctx context.Context, key store.Key) (store.Record, error)
}

// Collector removes what deleted jobs leave.
type Collector struct {
	store   Store
	keepers []action.Keeper
	log     logr.Logger
	queue   *controller.Queue[*item]
	sweep   *item
	ending  atomic.Bool

	mu      sync.Mutex
	waiting int
}

// item is one deleted job, or the sweep.
type item struct {
	job   action.JobRef
	sweep bool
	state controller.State
}

// QueueState implements controller.Item.
func (i *item) QueueState() *controller.State { return &i.state }

// New returns a collector that has nothing to do.
func New(jobs Store, log logr.Logger, keepers ...action.Keeper) *Collector {
	return &Collector{
		store: jobs, keepers: keepers, log: log,
		queue: controller.NewQueue[*item](nil), sweep: &item{sweep: true},
	}
}

// Controller returns the collector for a manager. One worker is enough: nobody waits.
func (c *Collector) Controller() *controller.Controller[*item] {
	return &controller.Controller[*item]{
		Name: "job-garbage", Reconciler: c, Queue: c.queue, Workers: 1,
		Drain: func() { c.ending.Store(true) }, // the next start sweeps
	}
}

// Deleted tells that a job may be gone, and that no attempt of it is at work. It does not
// block.
func (c *Collector) Deleted(job action.JobRef) {
	c.mu.Lock()
	full := c.waiting >= maxWaiting
	if !full {
		c.waiting++
	}
	c.mu.Unlock()
	if full {
		c.Missed()
		return
	}
	c.queue.Add(&item{job: job})
}

// Missed tells that deletions may have gone unnoticed.
func (c *Collector) Missed() { c.queue.Add(c.sweep) }

// Reconcile implements controller.Reconciler.
func (c *Collector) Reconcile(ctx context.Context, item *item) (controller.Result, error) {
	if item.sweep {
		return controller.Result{}, c.sweepAll(ctx)
	}
	_, err := c.collect(ctx, item.job)
	c.mu.Lock()
	c.waiting--
	c.mu.Unlock()
	if err != nil {
		c.log.Error(err, "a deleted job is left to a sweep")
		c.Missed()
	}
	return controller.Result{}, nil
}

var errEnding = errors.New("the server is ending")

// sweepAll asks of every job of which something is kept. One that fails keeps no other from
// being collected.
func (c *Collector) sweepAll(ctx context.Context) error {
	collected := 0
	var failed error // the first
	for _, keeper := range c.keepers {
		err := keeper.Kept(ctx, func(job action.JobRef) error {
			if c.ending.Load() {
				return errEnding
			}
			gone, err := c.collect(ctx, job)
			switch {
			case errors.Is(err, store.ErrClosed), errors.Is(err, store.ErrUnavailable):
				return err // as it will be of all others
			case err != nil && failed == nil:
				failed = err
			case gone:
				collected++
			}
			return nil
		})
		if errors.Is(err, errEnding) {
			return nil
		}
		if err != nil && failed == nil {
			failed = err
		}
	}
	if collected > 0 {
		c.log.Info("removed what deleted jobs had left", "jobs", collected)
	}
	return failed
}

// collect removes the data of a job that is not in the store, and reports whether it is
// not.
func (c *Collector) collect(ctx context.Context, job action.JobRef) (gone bool, err error) {
	key := store.Key{Kind: v1.KindJob, Namespace: job.Namespace, Name: job.Name}
	record, err := c.store.Get(ctx, key)
	switch {
	case err == nil && record.UID() == job.UID:
		return false, nil
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return false, fmt.Errorf("ask for %s: %w", key, err)
	}
	err = nil
	for _, keeper := range c.keepers {
		err = errors.Join(err, keeper.Forget(ctx, job))
	}
	if err != nil {
		return false, fmt.Errorf("remove what deleted %s has left: %w", key, err)
	}
	return true, nil
}
