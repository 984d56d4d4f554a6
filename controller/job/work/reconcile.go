package work

import (
	"context"
	"errors"
	"strconv"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
)

// Reconcile implements controller.Reconciler: it reads the job of one attempt, decides,
// writes its status at most once, and acts.
func (w *Worker) Reconcile(ctx context.Context, x *execution) (controller.Result, error) {
	result, err := w.reconcile(ctx, x)
	return result, w.failed(x, err)
}

func (w *Worker) reconcile(ctx context.Context, x *execution) (result controller.Result, err error) {
	var d decided
	if x.unconfirmed != nil {
		d = *x.unconfirmed // nothing is decided before it is known what became of it
	} else {
		job, err := w.read(ctx, x)
		if job == nil || err != nil {
			return result, err
		}
		d = w.decide(x, job, time.Now())
	}
	if d.changed {
		if err := w.write(ctx, x, &d); err != nil || d.version == 0 {
			return result, err
		}
	}
	return w.act(x, &d), nil
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

// isOver reports whether the job was given back or deleted, and the last version told. A
// deleted job is given back when its attempt has ended.
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

// decided is one decision, and then what was written of it.
type decided struct {
	status.Write
	changed bool // the decision was to write
	do      lifecycle.Do
	stop    lifecycle.StopRequest
	again   time.Duration
	ended   bool              // the attempt's outcome was seen; it is done with once the status is written
	report  *lifecycle.Report // progress that is written with it

	unconfirmed bool   // it was written before, and the answer was lost
	version     uint64 // what was written; 0: nothing was
}

// decide leaves the job with the status that is to be written.
func (w *Worker) decide(x *execution, job *v1.Job, now time.Time) decided {
	outcome, report := x.take()
	if outcome == nil {
		own := *job // the running action has it too
		job = &own
	}
	d := decided{Write: status.Write{Job: job, Was: job.Status, Now: now}, ended: outcome != nil, report: report}
	if !x.holds(job, w.Name) {
		w.fence(x, &d, outcome)
		return d
	}
	progressed := false
	if report != nil {
		job.Status, progressed = lifecycle.Progress(job.Status, *report, now)
		d.Was = job.Status
	}
	decision := lifecycle.NextHeld(job, w.observe(x, job, outcome), now)
	d.do, d.stop, d.again = decision.Do, decision.Stop, decision.Again
	d.changed, d.Soft = decision.Changed || progressed, !decision.Changed || decision.Soft
	if d.changed {
		job.Status = decision.Status
	}
	return d
}

// observe gathers the observations for an attempt that holds its job.
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

// fence stops an attempt that no longer holds its job: another worker took over, or the job
// was finished by force. Its outcome is recorded as a late result.
func (w *Worker) fence(x *execution, d *decided, outcome *action.Outcome) {
	if outcome == nil {
		x.cancel(errFenced)
		return
	}
	late := lifecycle.Late{Attempt: x.id, Outcome: *outcome}
	d.Job.Status, d.changed = lifecycle.WithLate(d.Job, w.Name, late, d.Now)
}

// act carries out the rest of the decision, after the write.
func (w *Worker) act(x *execution, d *decided) controller.Result {
	if d.ended {
		w.giveBack(x, d)
		return controller.Result{}
	}
	if d.do == lifecycle.Stop {
		if x.stop == nil {
			stop := d.stop // only it is kept, not all of d
			x.stop = &stop
			if x.sink != nil && stop.Message != "" {
				x.sink.log(time.Now(), action.System, stop.Message) // which limit it was, or which other job
			}
		}
		cause := errStopped
		if w.stopping.Load() {
			cause = errShutdown
		}
		x.cancel(cause)
	}
	return controller.Result{After: d.again}
}

// giveBack returns the job to the dispatcher after its attempt.
func (w *Worker) giveBack(x *execution, d *decided) {
	w.remove(x)
	w.forgetOutcome(x)
	version := d.version
	if version == 0 {
		version, _ = strconv.ParseUint(d.Job.ResourceVersion, 10, 64) // as the store has given it
	}
	w.dispatcher.Returned(x.uid, d.Job, version, max(time.Since(x.started), 0)) // the clock may have been set back
}
