// Package work carries attempts out, and writes the status of every job while an attempt of
// this worker holds it.
//
//	Begin, Recover ──► execution ──► action.Runner
//	                      │  ▲            │ output, progress, outcome
//	                      ▼  └────────────┘
//	                  Reconcile ──► status write ──► Returned to the dispatcher
//
// A job is the worker's from Begin or Recover until it is given back: after the attempt's
// outcome is on disk, or when the attempt has ended and the job is deleted or somebody
// else's. The worker renews the lease of what it holds, and stops what it no longer holds.
package work

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/spool"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store/logs"
)

// Dispatcher is who gives jobs out and takes them back. It is never called with a lock of
// the worker held.
type Dispatcher interface {
	// ReplacedBy is the job that replaces one at work; empty: none does.
	ReplacedBy(uid uuid.UUID) string
	// Written tells of a status that was written for a job at work.
	Written(uid uuid.UUID, version uint64, finished bool)
	// Returned gives a job back as it is in the store; ran is how long its attempt took.
	Returned(uid uuid.UUID, job *v1.Job, version uint64, ran time.Duration)
	// Gone gives back a job that is not in the store any more, or of which nothing can be
	// written any more.
	Gone(uid uuid.UUID)
	// Yield lends the slot of a job at work to others until resume has got one again.
	Yield(uid uuid.UUID) (resume func(context.Context) error)
}

// Options configure a Worker.
type Options struct {
	Store   status.Store
	Status  *status.Writer
	Actions action.Set
	Logs    logs.Store
	// Spool keeps outcomes that the store cannot take; nil: they are kept in memory only.
	Spool *spool.Spool
	// Name is this worker's identity.
	Name  string
	Lease time.Duration
	// CancelGrace is how long an action may take to stop before it is killed.
	CancelGrace time.Duration
	// ShutdownGrace is how long attempts may go on when the worker drains.
	ShutdownGrace time.Duration
	// ProgressInterval is the least time between two progress writes of one job.
	ProgressInterval time.Duration
	Log              logr.Logger
}

// Worker carries attempts out.
type Worker struct {
	Options
	dispatcher Dispatcher
	queue      *controller.Queue[*execution]

	mu       sync.Mutex
	live     map[uuid.UUID]*execution // attempts that run or whose outcome is yet to be written
	alarm    *time.Timer              // nil: nothing is due
	alarmAt  time.Time
	draining bool
	changed  chan struct{} // closed when one has gone, while draining

	stopping atomic.Bool // attempts are interrupted
}

// New returns a worker that has nothing to do.
func New(opts Options) *Worker {
	return &Worker{
		Options: opts, queue: controller.NewQueue[*execution](nil),
		live: map[uuid.UUID]*execution{}, changed: make(chan struct{}),
	}
}

// For says whose jobs the worker carries out. It is called once, before the first of them.
func (w *Worker) For(d Dispatcher) { w.dispatcher = d }

// Controller is the worker as a manager runs it.
func (w *Worker) Controller(workers int) *controller.Controller[*execution] {
	return &controller.Controller[*execution]{Name: "job-work", Reconciler: w, Queue: w.queue, Workers: workers, Drain: w.drain}
}

// Changed implements dispatch.Worker.
func (w *Worker) Changed(uid uuid.UUID, version uint64) {
	if x := w.get(uid); x != nil && x.tell(version) {
		w.queue.Add(x)
	}
}

// Deleted implements dispatch.Worker.
func (w *Worker) Deleted(uid uuid.UUID) {
	if x := w.get(uid); x != nil {
		w.onDeleted(x)
		w.queue.Add(x)
	}
}

func (w *Worker) onDeleted(x *execution) {
	x.mu.Lock()
	x.deleted = true
	x.mu.Unlock()
	x.cancel(errDeleted)
}

func (w *Worker) get(uid uuid.UUID) *execution {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live[uid]
}

// remove takes an attempt out that is done with, before its job is given back: the next one
// of the same job may begin at once.
func (w *Worker) remove(x *execution) {
	w.queue.Forget(x)
	x.mu.Lock()
	x.done = true
	x.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.live[x.uid] == x {
		delete(w.live, x.uid)
	}
	if w.draining {
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// drain gives running attempts ShutdownGrace, interrupts the rest, and returns when none is
// left and every outcome is written, or kept for the next start.
func (w *Worker) drain() {
	defer w.stopAlarm()
	w.mu.Lock()
	w.draining = true
	live := len(w.live)
	w.mu.Unlock()
	if live > 0 {
		w.Log.Info("waiting for running jobs", "running", live, "grace", w.ShutdownGrace.String())
	}
	grace := time.NewTimer(w.ShutdownGrace)
	defer grace.Stop()
	if w.waitIdle(grace.C) {
		return
	}
	w.mu.Lock()
	w.stopping.Store(true)
	w.Log.Info("interrupting running jobs; those that may be repeated run again at the next start, the others fail", "running", len(w.live))
	for _, x := range w.live {
		w.queue.Add(x)
	}
	w.mu.Unlock()
	w.waitIdle(nil)
}

// waitIdle waits until no attempt is live; false: until ended first.
func (w *Worker) waitIdle(until <-chan time.Time) bool {
	for {
		w.mu.Lock()
		live, changed := len(w.live), w.changed
		w.mu.Unlock()
		if live == 0 {
			return true
		}
		select {
		case <-changed:
		case <-until:
			return false
		}
	}
}
