// Package dispatch decides which job runs next, and writes the status of every job that no
// attempt of this process's worker holds.
//
//	store ──watch──► intake ──► entries ──► Reconcile ──► schedule ──grant──► Reconcile
//	                                                                             │ start is written
//	                          Worker.Begin, Recover, Changed, Deleted ◄──────────┘
//	                          Returned, Written, Gone ◄── the worker
//
// A job has one writer at a time: the dispatcher until an attempt of this worker is in its
// status, the worker from Begin or Recover until Returned or Gone. Changes of a job at
// work are passed on to the worker.
//
// The dispatcher holds a slot from the grant until the worker gives the job back, which is
// after the attempt's outcome is on disk.
package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/schedule"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
	"jobwright.dev/store/table"
)

// Worker carries attempts out. The dispatcher only tells it of jobs and asks nothing, so that
// a worker may run in another process one day.
type Worker interface {
	// Begin runs the attempt in job's status, which has just been written. The job is the
	// worker's from then on; it is reconciled after again, unless again is 0. ctx does not
	// end with the call, nor when the manager stops.
	Begin(ctx context.Context, uid uuid.UUID, job *v1.Job, again time.Duration)
	// Recover finds out the outcome of the attempt in job's status, which a dead worker has
	// left.
	Recover(ctx context.Context, uid uuid.UUID, job *v1.Job)
	// Changed tells that a job at work has that version, or has to be reconciled.
	Changed(uid uuid.UUID, version uint64)
	// Deleted tells that a job at work was deleted.
	Deleted(uid uuid.UUID)
}

// Garbage removes data that deleted jobs leave outside the store.
type Garbage interface {
	// Deleted tells that the job may be gone and that no attempt of it is at work. It does
	// not block.
	Deleted(job action.JobRef)
	// Missed tells that deletions may have gone unnoticed.
	Missed()
}

// Options configure a Dispatcher.
type Options struct {
	Store  controller.Store
	Status *status.Writer
	Worker Worker
	// Garbage is told of deleted jobs; nil: nobody is.
	Garbage Garbage
	// Name is the worker's identity.
	Name string
	// Key is the concurrency key that a job has by its action; zero: none.
	Key func(*v1.Job) action.Key
	// Slots is how many attempts run at once.
	Slots  int
	Lease  time.Duration
	Ageing time.Duration
	// Rested is called after a burst; nil: nothing is called.
	Rested func()
	Log    logr.Logger
}

// Dispatcher decides which job runs next.
type Dispatcher struct {
	Options
	queue *controller.Queue[*entry]

	mu         sync.Mutex
	jobs       *table.Table[uuid.UUID, entry]    // every job that has not finished, as far as known
	waiting    map[store.Key]*entry              // those that depend on others, by name
	dependents map[store.Key]map[*entry]struct{} // who waits for the job with that key
	keys       map[string]*keyGroup              // by qualified concurrency key
	settled    map[uuid.UUID]uint64              // terminal writes whose own events are yet to come
	workspaces map[string]uuid.UUID              // those that the schedule knows
	runTimes   map[v1.JobType]time.Duration      // mean run time, for estimates
	schedule   *schedule.Queue
	alarm      alarm
	yielded    map[uuid.UUID]struct{} // jobs whose attempt has yielded its slot
	resuming   []*resumption          // those of them that want one again, in order
	clock      wallClock
	arrivals   uint64
	unread     controller.FIFO[*entry] // jobs as they came, those that were read at its head left out
	incomplete map[*entry]struct{}     // jobs with policy Skip that wait until those before them were read
	turn       uint64                  // counts changes of dependencies and searches for cycles
	cached     int                     // entries that hold a decoded job
	started    bool                    // every job that was stored at the start is known
	starting   int                     // attempts that are being written down
	draining   bool                    // no new attempts
	drained    sync.Cond               // starting has fallen
}

// New returns a dispatcher that knows no job.
func New(opts Options) *Dispatcher {
	d := &Dispatcher{
		Options: opts,
		jobs:    table.New(table.HashUID[uuid.UUID], (*entry).id), waiting: map[store.Key]*entry{}, settled: map[uuid.UUID]uint64{},
		dependents: map[store.Key]map[*entry]struct{}{}, keys: map[string]*keyGroup{}, yielded: map[uuid.UUID]struct{}{},
		workspaces: map[string]uuid.UUID{}, incomplete: map[*entry]struct{}{}, runTimes: map[v1.JobType]time.Duration{},
		schedule: schedule.New(schedule.Options{Slots: opts.Slots, Ageing: opts.Ageing}),
	}
	d.drained.L = &d.mu
	d.queue = controller.NewQueue[*entry](d.rested)
	return d
}

// Controller returns the dispatcher for a manager. prepare runs before the first list.
func (d *Dispatcher) Controller(workers int, prepare func(context.Context) error) *controller.Controller[*entry] {
	return &controller.Controller[*entry]{
		Name: "job-dispatch", Reconciler: d, Queue: d.queue, Workers: workers, Drain: d.drain,
		// Workspaces come first, so that no job is granted a slot before the limits are known.
		Sources: []controller.Source{d.workspaceSource(), d.jobSource(prepare)},
	}
}

// rested frees the memory of a burst.
func (d *Dispatcher) rested() {
	d.mu.Lock()
	d.readUpTo() // drops what was read
	d.unread.Shrink()
	d.mu.Unlock()
	if d.Rested != nil {
		d.Rested()
	}
}

// drain stops new attempts, and waits for those whose start is being written.
func (d *Dispatcher) drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draining = true
	for d.starting > 0 {
		d.drained.Wait()
	}
	if d.alarm.timer != nil {
		d.alarm.timer.Stop()
	}
}

// Written tells that the worker has written the status of a job at work, so that the event
// of that version is no news. finished: the job has finished, though its attempt has not.
func (d *Dispatcher) Written(uid uuid.UUID, version uint64, finished bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.jobs.Get(uid); e != nil {
		e.version = max(e.version, version)
		if e.finished = finished; finished {
			d.wakeDependents(e.key())
		}
	}
}

// Returned takes back a job that was at work, as it is in the store. ran is how long its
// attempt took.
func (d *Dispatcher) Returned(uid uuid.UUID, job *v1.Job, version uint64, ran time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.yielded, uid)
	e := d.jobs.Get(uid)
	if e == nil {
		return
	}
	e.atWork = false
	if e.gone {
		d.forget(e)
		d.leaves(e.key(), e.uid)
		return
	}
	unseen := e.version < version
	e.version = max(e.version, version)
	d.observeRun(job, ran)
	if job.Finished() {
		d.finished(e, version, unseen)
		if !e.newer(job) { // else it is run again meanwhile
			d.forget(e)
			return
		}
	}
	d.index(e, job)
	d.unschedule(e)
	d.grant()
	d.queue.Add(e)
}

// finished notes the write that ended a job. unseen: the write's event is yet to come. The
// caller holds mu.
func (d *Dispatcher) finished(e *entry, version uint64, unseen bool) {
	if unseen {
		d.settled[e.uid] = version
	}
	d.wakeDependents(e.key())
}

// Gone takes back a job at work that is no longer in the store, or whose status can no
// longer be written.
func (d *Dispatcher) Gone(uid uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.yielded, uid)
	if e := d.jobs.Get(uid); e != nil {
		d.wakeDependents(e.key())
		d.forget(e)
		d.leaves(e.key(), e.uid)
	}
}

// leaves reports a job that is gone to Garbage.
func (d *Dispatcher) leaves(key store.Key, uid uuid.UUID) {
	if d.Garbage != nil {
		d.Garbage.Deleted(action.JobRef{Namespace: key.Namespace, Name: key.Name, UID: types.UID(uid.String())})
	}
}

// ReplacedBy is the job that replaces one at work; empty: none does.
func (d *Dispatcher) ReplacedBy(uid uuid.UUID) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.jobs.Get(uid); e != nil {
		return d.replacedBy(e)
	}
	return ""
}

// observeRun notes a Retry-After of the other side, and the run time, for estimates. The
// caller holds mu.
func (d *Dispatcher) observeRun(job *v1.Job, took time.Duration) {
	if until := job.Status.RetryAfterTime; until != nil && job.Spec.RateLimit != nil {
		d.schedule.Hold(rate(job).Key, until.Time)
	}
	if job.Status.Phase != v1.JobSucceeded && job.Status.Phase != v1.JobFailed {
		return
	}
	mean, known := d.runTimes[job.Spec.Type]
	if known {
		// An exponentially weighted mean: the last ten runs count for most of it.
		took = mean + (took-mean)/10
	}
	d.runTimes[job.Spec.Type] = took
}
