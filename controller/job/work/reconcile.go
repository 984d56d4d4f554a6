package work

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
)

// decided is one decision on its way to the store.
type decided struct {
	status.Write
	do     lifecycle.Do
	stop   lifecycle.StopRequest
	again  time.Duration
	ended  bool              // the attempt's outcome was seen; it is done with once the status is written
	report *lifecycle.Report // progress that is written with it
}

// Reconcile implements controller.Reconciler: it reads the job of one attempt, decides,
// writes its status at most once, and acts.
func (w *Worker) Reconcile(ctx context.Context, x *execution) (controller.Result, error) {
	if x.unconfirmed != nil {
		return w.confirm(ctx, x)
	}
	job, err := w.read(ctx, x)
	if job == nil || err != nil {
		return w.failed(x, err)
	}
	outcome, report := x.take()
	if !x.holds(job, w.Name) {
		return w.fenced(ctx, x, job, outcome)
	}
	if outcome == nil {
		own := *job // the running action has it too
		job = &own
	}
	now := time.Now()
	d := decided{Write: status.Write{Job: job, Now: now}, ended: outcome != nil, report: report}
	progressed := false
	if report != nil {
		job.Status, progressed = lifecycle.Progress(job.Status, *report, now)
	}
	d.Was = job.Status
	decision := lifecycle.Next(job, w.observe(x, job, outcome), now)
	d.do, d.stop, d.again = decision.Do, decision.Stop, decision.Again
	if !decision.Changed && !progressed {
		return w.act(x, &d, 0), nil
	}
	d.Soft = !decision.Changed || decision.Soft
	job.Status = decision.Status
	return w.write(ctx, x, &d)
}

// read returns the job; nil: there is nothing to decide, since it was deleted or given back.
func (w *Worker) read(ctx context.Context, x *execution) (*v1.Job, error) {
	over, told := w.isOver(x)
	if over {
		return nil, nil
	}
	if job := x.known(told); job != nil {
		return job, nil
	}
	record, err := w.Store.Get(ctx, x.key)
	if errors.Is(err, store.ErrNotFound) || err == nil && record.UUID() != x.uid {
		w.onDeleted(x)
		w.isOver(x)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	job, err := record.Job()
	if err != nil {
		return nil, controller.TerminalError(err) // until somebody mends it
	}
	x.job = job
	return job, nil
}

// isOver reports whether the job was given back or deleted, and the version that was told
// of. The attempt of a job that was deleted is done with when it has ended.
func (w *Worker) isOver(x *execution) (over bool, told uint64) {
	x.mu.Lock()
	deleted, ended, done := x.deleted, x.outcome != nil, x.done
	told = x.told
	x.mu.Unlock()
	if deleted && ended && !done {
		w.remove(x)
		w.forgetOutcome(x)
		w.dispatcher.Gone(x.uid)
	}
	return deleted || done, told
}

// observe is what the worker knows of an attempt that holds its job.
func (w *Worker) observe(x *execution, job *v1.Job, outcome *action.Outcome) lifecycle.Observed {
	seen := lifecycle.Observed{
		Worker: w.Name, Lease: w.Lease, Outcome: outcome, Live: outcome == nil, Stop: x.stop, Active: x.active(),
		ShuttingDown: w.stopping.Load(),
	}
	if job.Spec.Concurrency != nil { // without a key nothing is replaced
		seen.ReplacedBy = w.dispatcher.ReplacedBy(x.uid)
	}
	return seen
}

// fenced stops an attempt that does not hold its job any more: it was taken over, or the
// job was finished by force. What it has come to is recorded as late.
func (w *Worker) fenced(ctx context.Context, x *execution, job *v1.Job, outcome *action.Outcome) (controller.Result, error) {
	if outcome == nil {
		x.cancel(errFenced)
		return controller.Result{}, nil
	}
	now := time.Now()
	d := decided{Write: status.Write{Job: job, Was: job.Status, Now: now}, ended: true}
	late, news := lifecycle.WithLate(job, w.Name, lifecycle.Late{Attempt: x.id, Outcome: *outcome}, now)
	if !news {
		return w.act(x, &d, 0), nil
	}
	job.Status = late
	return w.write(ctx, x, &d)
}

// write writes the status that was decided on and does what follows from it.
func (w *Worker) write(ctx context.Context, x *execution, d *decided) (controller.Result, error) {
	told := x.beginWrite()
	version, err := w.Status.Do(ctx, &d.Write)
	if !d.ended || err != nil { // else nothing is to be learnt of the job any more
		if x.endWrite(max(told, version)) {
			w.queue.Add(x)
		}
	}
	if err != nil {
		if !d.Soft && status.Unconfirmed(err) {
			kept := *d
			x.unconfirmed = &kept
		} else {
			x.putBack(d.report)
		}
		return w.failed(x, err)
	}
	return w.written(x, d, version), nil
}

func (w *Worker) written(x *execution, d *decided, version uint64) controller.Result {
	x.job = d.Job
	if !d.ended {
		w.dispatcher.Written(x.uid, version, d.Job.Finished())
	}
	return w.act(x, d, version)
}

// act does what the decision asks for beside the write. version is what was written; 0:
// nothing was.
func (w *Worker) act(x *execution, d *decided, version uint64) controller.Result {
	if d.ended {
		w.giveBack(x, d.Job, version)
		return controller.Result{}
	}
	if d.do == lifecycle.Stop {
		if x.stop == nil {
			stop := d.stop // only it is kept, not all of d
			x.stop = &stop
		}
		cause := errStopped
		if w.stopping.Load() {
			cause = errShutdown
		}
		x.cancel(cause)
	}
	return controller.Result{After: d.again}
}

// giveBack gives the job of an attempt that is done with back to the dispatcher.
func (w *Worker) giveBack(x *execution, job *v1.Job, version uint64) {
	w.remove(x)
	w.forgetOutcome(x)
	if version == 0 {
		version, _ = strconv.ParseUint(job.ResourceVersion, 10, 64) // as the store has given it
	}
	w.dispatcher.Returned(x.uid, job, version, max(time.Since(x.started), 0)) // the clock may have been set back
}

// failed answers an error of the store: a conflict at once, anything else is tried again
// with back-off. What is observed stays observed.
func (w *Worker) failed(x *execution, err error) (controller.Result, error) {
	if err == nil {
		return controller.Result{}, nil
	}
	x.job = nil
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		w.queue.Add(x)
		return controller.Result{}, nil
	}
	w.keepOutcome(x)
	err = fmt.Errorf("%s: %w", x.key, err)
	if !w.stopping.Load() {
		return controller.Result{}, err
	}
	// Nothing more can be written. What was running is in the store as Running: the next
	// start tells what it came to, or recovers it as an interruption where that was not kept.
	if x.ended() == nil {
		x.cancel(errShutdown) // its end comes here again
	} else {
		w.remove(x)
		w.dispatcher.Gone(x.uid)
	}
	return controller.Result{}, controller.TerminalError(fmt.Errorf("giving up at shutdown (what it came to is kept for the next start: %t): %w", x.spooled, err))
}

// confirm finds out what became of an earlier write before anything else is decided.
func (w *Worker) confirm(ctx context.Context, x *execution) (controller.Result, error) {
	d := x.unconfirmed
	fate, version, err := w.Status.Confirm(ctx, &d.Write)
	if err != nil {
		return w.failed(x, err)
	}
	x.unconfirmed, x.job = nil, nil
	w.queue.Add(x) // it may have changed since
	switch fate {
	case status.Written:
		return w.written(x, d, version), nil
	case status.Gone:
		w.onDeleted(x)
	case status.Overtaken:
		x.putBack(d.report)
	}
	return controller.Result{}, nil
}
