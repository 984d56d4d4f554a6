package job

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/store"
)

// write is one status write: what was decided, and from what.
type write struct {
	job      *v1.Job // with the status that is to be written, and the version that was read
	was      v1.JobStatus
	decision lifecycle.Decision
	seen     observation
	now      time.Time
}

func (w *write) durability() store.Durability {
	if !w.decision.Changed || w.decision.Soft {
		return store.Soft
	}
	return store.Durable
}

// refused reports whether err says for certain that nothing was written.
func refused(err error) bool {
	for _, certain := range []error{
		store.ErrConflict, store.ErrNotFound, store.ErrUnavailable, store.ErrInvalid, store.ErrReadOnly, store.ErrFull, store.ErrClosed,
	} {
		if errors.Is(err, certain) {
			return true
		}
	}
	return false
}

// confirm finds out whether a write happened of which the answer was lost. Taken for one
// that did not, an outcome that is on disk would be told a second time, as a late one, and
// an attempt that never began would be recovered. What did not happen is written again as
// it was decided; so there is one status to compare with, however often the answer is lost.
func (c *Controller) confirm(ctx context.Context, e *entry, w *write) (controller.Result, error) {
	record, err := c.Store.Get(ctx, e.key())
	if errors.Is(err, store.ErrNotFound) || err == nil && record.UUID() != e.uid {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.setUnconfirmed(e, nil)
		c.lost(e)
		return controller.Result{}, nil
	}
	if err != nil {
		return c.retry(e, err)
	}
	job, err := record.Job()
	if err != nil {
		return c.retry(e, controller.TerminalError(err))
	}
	switch {
	case reflects(&job.Status, &w.job.Status):
		w.job = job
		result := c.written(ctx, e, w, record.ResourceVersion())
		c.queue.Add(e) // the job may have changed since that write
		return result, nil
	case job.ResourceVersion == w.job.ResourceVersion:
		result, err := c.writeAndAct(ctx, e, w)
		if err == nil {
			c.queue.Add(e) // what has been observed since was not looked at
		}
		return result, err
	}
	c.mu.Lock()
	c.setUnconfirmed(e, nil)
	c.mu.Unlock()
	c.queue.Add(e) // somebody else wrote first: decide anew
	return controller.Result{}, nil
}

// reflects reports whether the stored status came of writing wanted: it is what it says,
// or the job has been run again since.
func reflects(stored, wanted *v1.JobStatus) bool {
	if n := len(stored.History); n > 0 && wanted.CompletionTime != nil {
		if last := stored.History[n-1]; last.Reruns == wanted.Reruns && last.Phase == wanted.Phase &&
			last.CompletionTime.UnixMicro() == wanted.CompletionTime.UnixMicro() {
			return true
		}
	}
	a, err := json.Marshal(stored)
	if err != nil {
		return false
	}
	b, err := json.Marshal(wanted)
	return err == nil && bytes.Equal(a, b)
}

// setUnconfirmed remembers a write of which the answer was lost; nil: there is none. The
// caller holds mu.
func (c *Controller) setUnconfirmed(e *entry, w *write) {
	if e.some().unconfirmed == w {
		return
	}
	e.own().unconfirmed = w
	e.tidy()
}

// notWritten keeps what a write that failed has in hand: the progress that was to be
// written, and a durable write itself where it may have happened. What a soft one says is
// seen again, and may be written twice.
func (c *Controller) notWritten(e *entry, w *write, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, store.ErrConflict) && e.some().unconfirmed == w {
		return // perhaps with the first try, which came later than it was looked for
	}
	if w.durability() == store.Durable && !refused(err) {
		kept := *w
		c.setUnconfirmed(e, &kept)
		return
	}
	c.setUnconfirmed(e, nil)
	if r := e.run; r != nil && w.seen.report != nil && r.id == w.seen.report.Attempt {
		r.putBack(w.seen.report)
	}
}

// written notes that a status is in the store, and does what follows from it.
func (c *Controller) written(ctx context.Context, e *entry, w *write, version uint64) controller.Result {
	w.job.ResourceVersion = strconv.FormatUint(version, 10)
	own := attemptsOwn(w.job, w.decision.Do)
	c.mu.Lock()
	c.setUnconfirmed(e, nil)
	c.wrote(e, w.job, version)
	result := c.act(ctx, e, w.job, own, &w.decision, &w.seen, w.now)
	c.mu.Unlock()
	c.told(w.seen.ended)
	if w.durability() == store.Durable {
		c.metrics.transition(w.job, w.was.Phase, w.now)
		c.announceTransition(w.job, w.was)
	}
	return result
}
