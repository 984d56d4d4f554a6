package dispatch

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// resumption is an attempt that has yielded and wants a slot again.
type resumption struct {
	uid     uuid.UUID
	granted chan struct{}
}

// Yield lends the slot of a job at work to others until the returned function has got one
// again. With one slot nothing is yielded: who allows one job at a time wants them one
// after another. No more attempts than there are slots have yielded at once, so that the
// number of live ones is bounded too.
func (d *Dispatcher) Yield(uid uuid.UUID) (resume func(context.Context) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.jobs.Get(uid)
	_, already := d.yielded[uid]
	if d.Slots == 1 || len(d.yielded) >= d.Slots || already || e == nil || !e.atWork || e.scheduled != granted {
		return func(context.Context) error { return nil }
	}
	d.yielded[uid] = struct{}{}
	d.schedule.Yield(uid)
	d.grant()
	return func(ctx context.Context) error { return d.resume(ctx, uid) }
}

// resume waits for a slot for an attempt that has yielded. Those that resume go before
// those that start.
func (d *Dispatcher) resume(ctx context.Context, uid uuid.UUID) error {
	d.mu.Lock()
	wanted := &resumption{uid, make(chan struct{})}
	d.resuming = append(d.resuming, wanted)
	d.grantResumptions()
	d.mu.Unlock()
	var err error
	select {
	case <-wanted.granted:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.resuming = slices.DeleteFunc(d.resuming, func(other *resumption) bool { return other == wanted })
	delete(d.yielded, uid)
	return err
}

// grantResumptions gives free slots to attempts that resume. The caller holds mu.
func (d *Dispatcher) grantResumptions() {
	for len(d.resuming) > 0 && d.schedule.Resume(d.resuming[0].uid) {
		close(d.resuming[0].granted)
		d.resuming = d.resuming[1:]
	}
}
