package compose

import (
	"context"
	"sync"

	"jobwright.dev/controller/action"
)

// turns let one run of docker compose at a time change a project. The controller's
// concurrency key does the same earlier, without taking up a worker; but a job may have a
// key of its own (spec.concurrency), and what two runs make of one project is nobody's
// wish, nor would a revision kept between them be what either of them asked for.
type turns struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the turn ends
}

// take waits for the project's turn, and returns what ends it; false: ctx ended first.
func (t *turns) take(ctx context.Context, key string, out action.Sink) (end func(), ok bool) {
	if key == "" {
		return func() {}, true
	}
	said := false
	for {
		t.mu.Lock()
		before, taken := t.busy[key]
		if !taken {
			if t.busy == nil {
				t.busy = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			t.busy[key] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				delete(t.busy, key)
				close(mine)
			}, true
		}
		t.mu.Unlock()
		if !said {
			said = true
			out.Line(action.System, "waiting for another run of docker compose over the same project")
		}
		select {
		case <-before:
		case <-ctx.Done():
			return nil, false
		}
	}
}
