package work

import (
	"context"
	"errors"
	"fmt"

	"jobwright.dev/controller"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
)

// write writes the status that was decided on. A write whose answer was lost before is
// looked for first; d.version stays 0 where somebody else's write came before it.
func (w *Worker) write(ctx context.Context, x *execution, d *decided) (err error) {
	told := x.beginWrite()
	if d.unconfirmed {
		err = w.confirm(ctx, x, d)
	} else if d.version, err = w.Status.Do(ctx, &d.Write); err != nil {
		x.unwritten(d, err)
	}
	written := d.version > 0
	if written && d.ended {
		return nil // nothing more is to be learnt of the job
	}
	if x.endWrite(max(told, d.version)) {
		w.queue.Add(x)
	}
	if written {
		x.job = d.Job
		w.dispatcher.Written(x.uid, d.version, d.Job.Finished())
	}
	return err
}

// unwritten keeps a write whose fate is unknown, and the progress of one that failed.
func (x *execution) unwritten(d *decided, err error) {
	if d.Soft || !status.Unconfirmed(err) {
		x.putBack(d.report)
		return
	}
	kept := *d
	kept.unconfirmed = true
	x.unconfirmed = &kept
}

// confirm finds out what became of an earlier write before anything else is decided.
func (w *Worker) confirm(ctx context.Context, x *execution, d *decided) error {
	fate, version, err := w.Status.Confirm(ctx, &d.Write)
	if err != nil {
		return err
	}
	d.version = version
	x.unconfirmed, x.job = nil, nil
	w.queue.Add(x) // it may have changed since
	switch fate {
	case status.Gone:
		w.onDeleted(x)
	case status.Overtaken:
		x.putBack(d.report)
	case status.Written:
	}
	return nil
}

// failed handles an error of the store: the job is read again at once after a conflict, and
// with back-off after anything else. Outcome and progress are kept.
func (w *Worker) failed(x *execution, err error) error {
	if err == nil {
		return nil
	}
	x.job = nil
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		w.queue.Add(x)
		return nil
	}
	w.keepOutcome(x)
	err = fmt.Errorf("%s: %w", x.key, err)
	if !w.stopping.Load() {
		return err
	}
	// Nothing more can be written. What was running is in the store as Running: the next
	// start tells what it came to, or recovers it as an interruption where that was not kept.
	if x.ended() == nil {
		x.cancel(errShutdown) // its end comes here again
	} else {
		w.remove(x)
		w.dispatcher.Gone(x.uid)
	}
	return controller.TerminalError(fmt.Errorf("giving up at shutdown (what it came to is kept for the next start: %t): %w", x.spooled, err))
}
