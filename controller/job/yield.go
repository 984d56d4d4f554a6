package job

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

// Yield implements action.Yielder. With one slot nothing is yielded: who allows one job at
// a time wants them one after another. No more attempts than there are slots have yielded
// at once, so that the number of live ones is bounded too.
func (s *sink) Yield() func(context.Context) error {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	r := s.run
	if c.MaxConcurrent == 1 || c.yielded >= c.MaxConcurrent || r.yielded || r.outcome != nil || !s.e.slot {
		return func(context.Context) error { return nil }
	}
	r.yielded = true
	c.yielded++
	c.schedule.Yield(s.e.uid)
	c.grant()
	return func(ctx context.Context) error { return c.resume(ctx, s.e.uid, r) }
}

// resume waits for a slot for an attempt that has yielded. Those that resume go before
// those that start.
func (c *Controller) resume(ctx context.Context, uid uuid.UUID, r *run) error {
	c.mu.Lock()
	wanted := &resumption{uid, make(chan struct{})}
	c.resuming = append(c.resuming, wanted)
	c.grantResumptions()
	c.mu.Unlock()
	var err error
	select {
	case <-wanted.granted:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resuming = slices.DeleteFunc(c.resuming, func(other *resumption) bool { return other == wanted })
	c.yieldEnds(r)
	return err
}

// yieldEnds counts an attempt no longer among those that have yielded. The caller holds mu.
func (c *Controller) yieldEnds(r *run) {
	if r.yielded {
		r.yielded = false
		c.yielded--
	}
}

// grantResumptions gives free slots to attempts that resume. The caller holds mu.
func (c *Controller) grantResumptions() {
	for len(c.resuming) > 0 && c.schedule.Resume(c.resuming[0].uid) {
		close(c.resuming[0].granted)
		c.resuming = c.resuming[1:]
	}
}
