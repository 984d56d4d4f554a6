package server

import (
	"context"
	"errors"
	"time"

	"jobwright.dev/store"
)

// outage is how long a stream outlives a store that cannot be reached: longer than a
// database takes to fail over. Then the client is told, which may ask another server.
const outage = 30 * time.Second

// patience waits between the tries of a stream that the store has let down. The zero value
// has seen no failure yet.
type patience struct {
	failures int
	since    time.Time // the first of them
}

// again waits before the next try; false: err is final, or ctx has ended.
func (p *patience) again(ctx context.Context, err error) bool {
	now := time.Now()
	if p.failures == 0 {
		p.since = now
	}
	p.failures++
	if !errors.Is(err, store.ErrUnavailable) || now.Sub(p.since) > outage {
		return false
	}
	wait := time.NewTimer(min(50*time.Millisecond<<min(p.failures-1, 20), 2*time.Second))
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// answered forgets the failures: the store is there again.
func (p *patience) answered() { *p = patience{} }
