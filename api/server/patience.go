package server

import (
	"context"
	"errors"
	"time"

	"jobwright.dev/store"
)

// outage is how long a stream waits for an unavailable store: longer than a database takes
// to fail over. After that the stream ends with an error, and its client may ask another
// server.
const outage = 30 * time.Second

// patience paces the retries of a stream while the store is unavailable. The zero value
// has counted no failure.
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

// answered resets the failures after a success.
func (p *patience) answered() { *p = patience{} }
