package dispatch

import (
	"context"
	"fmt"
	"unique"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/store"
)

// jobSource is how the dispatcher follows what has not finished.
func (d *Dispatcher) jobSource(prepare func(context.Context) error) controller.Source {
	list := store.ListOptions{Kind: v1.KindJob, Phases: []v1.JobPhase{v1.JobQueued, v1.JobRunning, ""}, Order: store.OldestFirst}
	if !d.Store.Features().AtomicRerun {
		list.Phases = nil // some of the finished ones may be about to run again
	}
	first := func(ctx context.Context) error {
		if err := prepare(ctx); err != nil {
			return err
		}
		return d.recallRunning(ctx)
	}
	return controller.Source{List: list, Prepare: first, Handler: jobHandler{d}}
}

// jobHandler takes in what happens to jobs.
type jobHandler struct{ d *Dispatcher }

// Handle implements controller.Handler.
func (h jobHandler) Handle(changes []store.Event) {
	for _, change := range changes {
		h.d.intake(change)
	}
}

// Resumed implements controller.Resumer.
func (h jobHandler) Resumed() {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	for e := range h.d.jobs.All() {
		if e.atWork || h.d.queue.Failing(e) { // the worker may have failed too
			h.d.queue.Add(e)
		}
	}
}

// Listed implements controller.Handler. A job not shown at version has finished or was
// deleted meanwhile.
func (h jobHandler) Listed(version uint64, shown func(uuid.UUID) bool) {
	d := h.d
	d.mu.Lock()
	defer d.mu.Unlock()
	d.started = true
	if d.Garbage != nil {
		d.Garbage.Missed()
	}
	if shown == nil {
		return
	}
	var missing []*entry
	for e := range d.jobs.All() {
		if !shown(e.uid) && e.version < version {
			missing = append(missing, e)
		}
	}
	for _, e := range missing {
		if e.atWork {
			e.version = version
			d.queue.Add(e) // the worker reads what has become of it
		} else if !e.finished {
			d.forget(e)
		}
		d.wakeDependents(e.key())
	}
	for uid, written := range d.settled {
		if written <= version {
			delete(d.settled, uid)
		}
	}
}

// recallRunning takes in the running jobs before all others: their slots and keys are not
// free, whichever worker carries them out.
func (d *Dispatcher) recallRunning(ctx context.Context) error {
	opts := store.ListOptions{Kind: v1.KindJob, Phases: []v1.JobPhase{v1.JobRunning}, Order: store.OldestFirst, Limit: recalled}
	for {
		page, err := d.Store.List(ctx, opts)
		if err != nil {
			return fmt.Errorf("list running jobs: %w", err)
		}
		for _, record := range page.Items {
			d.intake(store.Event{Type: store.Modified, Record: record})
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			return nil
		}
	}
}

// intake takes in one change of a job, and queues the job for a reconcile.
func (d *Dispatcher) intake(event store.Event) {
	uid, version, key := event.Record.UUID(), event.Record.ResourceVersion(), event.Record.Key()
	d.mu.Lock()
	if d.isSettled(uid, version) {
		d.mu.Unlock()
		return
	}
	e := d.jobs.Get(uid)
	if event.Type == store.Deleted {
		if e != nil {
			d.onDeleted(e)
		}
		delete(d.settled, uid)
		d.wakeDependents(key)
		if e == nil || !e.atWork { // else when the worker gives it back
			d.leaves(key, uid)
		}
		d.mu.Unlock()
		return
	}
	if event.Type == store.Added {
		d.wakeDependents(key)
	}
	if e != nil && version <= e.version {
		d.mu.Unlock()
		return
	}
	ours := e != nil && (e.writing || e.atWork)
	d.mu.Unlock()
	if d.add(event, e != nil, ours) {
		d.Worker.Changed(uid, version)
	}
}

// isSettled reports whether our own write has ended the job at that version or later, so
// that the event is no news. The caller holds mu.
func (d *Dispatcher) isSettled(uid uuid.UUID, version uint64) bool {
	settled, ok := d.settled[uid]
	if ok && version == settled {
		delete(d.settled, uid)
	}
	return ok && version <= settled
}

// add takes in a new version of a job. Most jobs are decoded only when they are reconciled.
// Jobs that depend on others or have a concurrency policy are decoded and indexed at once, and
// so are running jobs of other workers, whose slots and keys count at once. add reports
// whether the worker has the job and has to be told.
func (d *Dispatcher) add(event store.Event, known, ours bool) (tell bool) {
	uid, version, key := event.Record.UUID(), event.Record.ResourceVersion(), event.Record.Key()
	finished, err := event.Record.Finished()
	var phase v1.JobPhase
	if err == nil {
		phase, err = event.Record.Phase()
	}
	if err != nil {
		d.Log.Error(err, "passing over a job that cannot be read", "job", key.String())
		return false
	}
	var job *v1.Job
	if related(event.Record) || phase == v1.JobRunning && !ours || event.Type == store.Added && d.Status.Events != nil {
		if job, err = event.Record.Job(); err != nil {
			d.Log.Error(err, "passing over a job that cannot be read", "job", key.String())
			return false
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if phase.Terminal() {
		d.wakeDependents(key)
		if !known && finished {
			return false
		}
	}
	e := d.jobs.Get(uid)
	if e == nil && d.isSettled(uid, version) {
		return false // it has ended since the event was looked at first
	}
	if e == nil {
		d.arrivals++
		e = &entry{uid: uid, workspace: unique.Make(key.Namespace), name: key.Name, arrival: d.arrivals}
		d.unread.Push(e)
		d.jobs.Put(e)
		if job != nil && event.Type == store.Added {
			d.Status.Emit(job)
		}
	}
	if version <= e.version {
		return false // written by this worker meanwhile
	}
	e.version = version
	d.setRecord(e, nil)
	if job != nil {
		d.index(e, job)
		d.occupy(e, job)
	}
	switch {
	case e.writing: // endWrite sees to it
	case e.atWork:
		return true
	default:
		d.queue.Add(e)
	}
	return false
}

// related reports whether the job may depend on others or have a concurrency policy. This
// runs for every job, so it searches the encoding for substrings whose first byte is rare
// (`O`, `y`) instead of decoding.
func related(r store.Record) bool {
	return r.Contains(`On":[`) || r.Contains(`y":"`) && r.Contains(`policy":"`)
}
