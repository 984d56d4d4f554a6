package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
)

// Reconcile implements controller.Reconciler: it reads one job, decides, writes its status
// at most once, and acts.
func (d *Dispatcher) Reconcile(ctx context.Context, e *entry) (controller.Result, error) {
	known := d.look(e)
	switch {
	case known.forgotten:
		return controller.Result{}, nil
	case known.atWork:
		d.passOn(e, known)
		return controller.Result{}, nil
	case known.unconfirmed != nil:
		return d.confirm(ctx, e, known.unconfirmed)
	}
	job, err := d.read(ctx, e, known.job)
	if job == nil || err != nil {
		return d.failed(e, err)
	}
	seen, err := d.observe(ctx, e, job)
	if err != nil {
		return d.failed(e, err)
	}
	now := time.Now()
	decision := lifecycle.Next(job, seen, now)
	w := decided{
		Write:   status.Write{Job: job, Was: job.Status, Soft: decision.Soft, Now: now},
		changed: decision.Changed, do: decision.Do, ready: decision.Ready, again: decision.Again, granted: seen.Granted,
	}
	if !decision.Changed {
		return d.act(ctx, e, &w, 0), nil
	}
	job.Status = decision.Status
	return d.write(ctx, e, &w)
}

// known is what the dispatcher knows of a job before it reads it.
type known struct {
	forgotten, atWork, gone bool
	version                 uint64
	unconfirmed             *decided // nothing is decided before it is known what became of it
	job                     *v1.Job  // kept decoded, and no event has told of a later version; nil: to be read
}

func (d *Dispatcher) look(e *entry) known {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := known{forgotten: e.forgotten, atWork: e.atWork, gone: e.gone, version: e.version, unconfirmed: e.some().unconfirmed}
	if e.job != nil && !e.newer(e.job) {
		k.job = e.job
	}
	return k
}

// passOn tells the worker of what has changed about a job at work.
func (d *Dispatcher) passOn(e *entry, k known) {
	if k.gone {
		d.Worker.Deleted(e.uid)
	} else {
		d.Worker.Changed(e.uid, k.version)
	}
}

// read returns the job; nil: it is gone. One that is kept decoded, and of which no event
// has told since, is taken as it is: if the store has a later version all the same,
// whatever is decided here cannot be written, and the event of that version is on its way.
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

// observe is what is known of the job, which is indexed first if it was not decoded before.
func (d *Dispatcher) observe(ctx context.Context, e *entry, job *v1.Job) (lifecycle.Observed, error) {
	var known []lifecycle.Dependency
	if waitsForOthers(job) {
		d.mu.Lock()
		d.onRead(e, job)
		d.mu.Unlock()
		var err error
		if known, err = d.readDependencies(ctx, e, job); err != nil {
			return lifecycle.Observed{}, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onRead(e, job)
	skippedFor, complete := d.skippedFor(e, job)
	return lifecycle.Observed{
		Worker: d.Name, Lease: d.Lease, Granted: e.scheduled == granted, Dependencies: known, ReplacedBy: d.replacedBy(e),
		SkippedFor: skippedFor, Busy: !complete, ShuttingDown: d.draining,
	}, nil
}

// onRead indexes a job that was not decoded when its event came. The caller holds mu.
func (d *Dispatcher) onRead(e *entry, job *v1.Job) {
	if e.job != job && !e.forgotten {
		d.index(e, job)
	}
}

// write writes the status that was decided on and does what follows from it.
func (d *Dispatcher) write(ctx context.Context, e *entry, w *decided) (controller.Result, error) {
	told, may := d.beginWrite(e, w.do)
	if !may {
		return controller.Result{}, nil // it stays queued
	}
	version, err := d.Status.Do(ctx, &w.Write)
	defer func() { d.endWrite(e, w.do, max(told, version)) }()
	if err != nil {
		if !w.Soft && status.Unconfirmed(err) {
			kept := *w
			d.setUnconfirmed(e, &kept)
		}
		return d.failed(e, err)
	}
	return d.act(ctx, e, w, version), nil
}

// act does what the decision asks for beside the write. version is what was written; 0:
// nothing was.
func (d *Dispatcher) act(ctx context.Context, e *entry, w *decided, version uint64) controller.Result {
	switch do := d.settle(e, w, version); do {
	case lifecycle.Start:
		d.Worker.Begin(ctx, e.uid, w.Job, w.again)
	case lifecycle.Recover:
		d.Worker.Recover(ctx, e.uid, w.Job)
	case lifecycle.Nothing, lifecycle.Stop:
		return controller.Result{After: w.again}
	}
	return controller.Result{} // what is due of a job at work is the worker's
}

// settle gives the job its place: with the worker, in the schedule, or none any more. It
// returns what the worker is to do.
func (d *Dispatcher) settle(e *entry, w *decided, version uint64) lifecycle.Do {
	d.mu.Lock()
	defer d.mu.Unlock()
	if version > 0 {
		d.onWritten(e, w.Job, version)
	}
	if !e.read {
		e.read = true
		d.wakeIncomplete()
	}
	switch {
	case e.forgotten:
	case w.Job.Status.Phase.Terminal() && e.newer(w.Job):
		d.queue.Add(e) // run again meanwhile: the event came before this decision was done with
	case w.Job.Status.Phase.Terminal():
		d.forget(e)
	case w.do == lifecycle.Recover && d.draining: // it is recovered at the next start
	case w.do == lifecycle.Start, w.do == lifecycle.Recover:
		d.hand(e, w.Job)
		return w.do
	default:
		d.enqueue(e, w)
	}
	return lifecycle.Nothing
}

// onWritten notes our own write, whose event says nothing new. The caller holds mu.
func (d *Dispatcher) onWritten(e *entry, job *v1.Job, version uint64) {
	if e.forgotten {
		return // deleted since
	}
	unseen := e.version < version
	e.version = max(e.version, version)
	d.index(e, job)
	if job.Finished() {
		if unseen {
			d.settled[e.uid] = version
		}
		d.wakeDependents(e.key())
	}
}

// hand makes a job the worker's. The caller holds mu.
func (d *Dispatcher) hand(e *entry, job *v1.Job) {
	d.setRecord(e, nil)
	if e.scheduled == queued {
		d.schedule.Remove(e.uid)
	}
	if e.scheduled != granted { // found running, or taken over
		e.scheduled = granted
		d.schedule.Live(d.item(e.uid, job), job.Status.CurrentAttempt.StartTime.Time)
	}
	e.atWork = true
}

// failed answers an error of the store: a conflict at once, anything else is tried again
// with back-off.
func (d *Dispatcher) failed(e *entry, err error) (controller.Result, error) {
	if err == nil {
		return controller.Result{}, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setRecord(e, nil)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		d.queue.Add(e)
		return controller.Result{}, nil
	}
	return controller.Result{}, fmt.Errorf("%s: %w", e.key(), err)
}

// setUnconfirmed keeps a write whose answer was lost; nil: there is none.
func (d *Dispatcher) setUnconfirmed(e *entry, w *decided) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.mutableExtra().unconfirmed = w
	e.dropExtra()
}

// confirm finds out what became of an earlier write.
func (d *Dispatcher) confirm(ctx context.Context, e *entry, w *decided) (controller.Result, error) {
	told, may := d.beginWrite(e, w.do)
	if !may {
		return controller.Result{}, nil // what is in the store is recovered at the next start
	}
	fate, version, err := d.Status.Confirm(ctx, &w.Write)
	defer func() { d.endWrite(e, w.do, max(told, version)) }()
	if err != nil {
		return d.failed(e, err)
	}
	d.setUnconfirmed(e, nil)
	d.queue.Add(e) // it may have changed since
	switch fate {
	case status.Gone:
		d.mu.Lock()
		d.onDeleted(e)
		d.mu.Unlock()
	case status.Written:
		return d.act(ctx, e, w, version), nil
	case status.Overtaken:
	}
	return controller.Result{}, nil
}
