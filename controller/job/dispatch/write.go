package dispatch

import (
	"context"
	"errors"
	"fmt"

	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/store"
)

// beginWrite reports whether a status may be written now: no attempt begins while the
// dispatcher drains, and drain waits for an attempt that is beginning. Until endWrite, an
// event of the job only notes its version, since it may be the event of this very write.
func (d *Dispatcher) beginWrite(e *entry, w *decided) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w.do == lifecycle.Start {
		if d.draining {
			return false // what is in the store is recovered at the next start
		}
		d.starting++
	}
	e.writing, w.told = true, e.version
	return true
}

// write writes the status that was decided on. A write whose answer was lost before is
// looked for first; w.version stays 0 where somebody else's write came before it.
func (d *Dispatcher) write(ctx context.Context, e *entry, w *decided) (err error) {
	if !w.unconfirmed {
		w.version, err = d.Status.Do(ctx, &w.Write)
		if err != nil && !w.Soft && status.Unconfirmed(err) {
			kept := *w
			kept.unconfirmed = true
			d.setUnconfirmed(e, &kept)
		}
		return err
	}
	fate, version, err := d.Status.Confirm(ctx, &w.Write)
	if err != nil {
		return err
	}
	w.version = version
	d.setUnconfirmed(e, nil)
	d.queue.Add(e) // it may have changed since
	if fate == status.Gone {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.onDeleted(e)
	}
	return nil
}

// setUnconfirmed keeps a write whose answer was lost; nil: there is none.
func (d *Dispatcher) setUnconfirmed(e *entry, w *decided) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.mutableExtra().unconfirmed = w
	e.dropExtra()
}

// endWrite is called after the decision was carried out, or could not be written. A version
// later than the write's comes from somebody else, or from the worker, which has begun.
func (d *Dispatcher) endWrite(e *entry, w *decided) {
	d.mu.Lock()
	e.writing = false
	version, later := e.version, e.version > max(w.told, w.version) && !e.forgotten
	tell := later && e.atWork
	if later && !tell {
		d.queue.Add(e)
	}
	if w.do == lifecycle.Start {
		d.starting--
		d.drained.Broadcast()
	}
	d.mu.Unlock()
	if tell {
		d.Worker.Changed(e.uid, version)
	}
}

// failed handles an error of the store: the job is read again at once after a conflict, and
// with back-off after anything else.
func (d *Dispatcher) failed(e *entry, err error) error {
	if err == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setRecord(e, nil)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		d.queue.Add(e)
		return nil
	}
	return fmt.Errorf("%s: %w", e.key(), err)
}
