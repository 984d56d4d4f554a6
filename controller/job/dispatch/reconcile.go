package dispatch

import (
	"context"
	"errors"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
)

// Reconcile implements controller.Reconciler: it reads one job, decides, writes its status
// at most once, and gives the job its place: in the schedule, with the worker, or none.
func (d *Dispatcher) Reconcile(ctx context.Context, e *entry) (controller.Result, error) {
	result, err := d.reconcile(ctx, e)
	return result, d.failed(e, err)
}

func (d *Dispatcher) reconcile(ctx context.Context, e *entry) (result controller.Result, err error) {
	known := d.snapshot(e)
	if known.forgotten || known.atWork {
		d.passOn(e, known)
		return result, nil
	}
	var w decided
	if known.unconfirmed != nil {
		w = *known.unconfirmed
	} else {
		job, err := d.read(ctx, e, known.job)
		if job == nil || err != nil {
			return result, err
		}
		seen, err := d.observe(ctx, e, job)
		if err != nil {
			return result, err
		}
		w = decide(job, seen, time.Now())
	}
	if w.changed {
		if !d.beginWrite(e, &w) {
			return result, nil
		}
		defer d.endWrite(e, &w)
		if err := d.write(ctx, e, &w); err != nil || w.version == 0 {
			return result, err
		}
	}
	return d.act(ctx, e, &w), nil
}

// known is the dispatcher's knowledge of a job before it is read.
type known struct {
	forgotten, atWork, gone bool
	version                 uint64
	unconfirmed             *decided // a write whose fate has to be known before anything is decided; nil: none
	job                     *v1.Job  // kept decoded, and no event has told of a later version; nil: to be read
}

// snapshot returns the dispatcher's knowledge of e at one moment.
func (d *Dispatcher) snapshot(e *entry) known {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := known{forgotten: e.forgotten, atWork: e.atWork, gone: e.gone, version: e.version, unconfirmed: e.readExtra().unconfirmed}
	if e.job != nil && !e.newer(e.job) {
		k.job = e.job
	}
	return k
}

// passOn passes a change of a job at work on to the worker.
func (d *Dispatcher) passOn(e *entry, k known) {
	switch {
	case !k.atWork:
	case k.gone:
		d.Worker.Deleted(e.uid)
	default:
		d.Worker.Changed(e.uid, k.version)
	}
}

// read returns the job; nil: it is gone. A decoded job is used as it is unless an event has
// shown a later version. If the store has a later version all the same, the decision cannot
// be written, and the event of that version is on its way.
func (d *Dispatcher) read(ctx context.Context, e *entry, known *v1.Job) (*v1.Job, error) {
	if known != nil {
		return known, nil
	}
	record, err := d.Store.Get(ctx, e.key())
	if errors.Is(err, store.ErrNotFound) || err == nil && record.UUID() != e.uid {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.onDeleted(e)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	job, err := record.Job()
	if err != nil {
		return nil, controller.TerminalError(err) // until somebody mends it
	}
	return job, nil
}

// observe gathers the observations for a decision. A job that was not decoded before is
// indexed first.
func (d *Dispatcher) observe(ctx context.Context, e *entry, job *v1.Job) (lifecycle.Observed, error) {
	seen := lifecycle.Observed{Worker: d.Name, Lease: d.Lease}
	if waitsForOthers(job) {
		d.mu.Lock()
		d.onRead(e, job)
		d.mu.Unlock()
		var err error
		if seen.Dependencies, err = d.readDependencies(ctx, e, job); err != nil {
			return seen, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onRead(e, job)
	seen.Granted, seen.ShuttingDown = e.scheduled == granted, d.draining
	seen.ReplacedBy = d.replacedBy(e)
	skippedFor, complete := d.skippedFor(e, job)
	seen.SkippedFor, seen.Busy = skippedFor, !complete
	return seen, nil
}

// onRead indexes a job that was not decoded when its event came. The caller holds mu.
func (d *Dispatcher) onRead(e *entry, job *v1.Job) {
	if e.job != job && !e.forgotten {
		d.index(e, job)
	}
}

// decided is one decision, and then what was written of it.
type decided struct {
	status.Write
	changed bool // the decision was to write
	do      lifecycle.Do
	ready   bool
	again   time.Duration
	granted bool // the decision knew that the job has a slot

	unconfirmed bool   // it was written before, and the answer was lost
	told        uint64 // the last version that an event had told of before the write
	version     uint64 // what was written; 0: nothing was
}

// decide leaves the job with the status that is to be written.
func decide(job *v1.Job, seen lifecycle.Observed, now time.Time) decided {
	decision := lifecycle.NextQueued(job, seen, now)
	w := decided{
		Write:   status.Write{Job: job, Was: job.Status, Soft: decision.Soft, Now: now},
		changed: decision.Changed, do: decision.Do, ready: decision.Ready, again: decision.Again, granted: seen.Granted,
	}
	if w.changed {
		job.Status = decision.Status
	}
	return w
}

// act carries out the rest of the decision, after the write.
func (d *Dispatcher) act(ctx context.Context, e *entry, w *decided) controller.Result {
	switch d.settle(e, w) {
	case lifecycle.Start:
		d.Worker.Begin(ctx, e.uid, w.Job, w.again)
	case lifecycle.Recover:
		d.Worker.Recover(ctx, e.uid, w.Job)
	case lifecycle.Nothing, lifecycle.Stop:
		return controller.Result{After: w.again}
	}
	return controller.Result{} // what is due of a job at work is the worker's
}
