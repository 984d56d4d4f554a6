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

// patience paces the retries of a stream while the store is unavailable or its watches
// expire. The zero value
// has counted no failure.
type patience struct {
	failures int
	since    time.Time // the first of them

	expired int       // watches that have expired, one soon after the other
	last    time.Time // when the last of them did
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
	return pause(ctx, p.failures)
}

// afresh is again for a stream that lists before each watch: an expired watch is no reason
// to end. A store whose watches all expire at once is asked every two seconds. After a
// watch that has lasted, the count begins anew.
func (p *patience) afresh(ctx context.Context, err error) bool {
	if !errors.Is(err, store.ErrExpired) {
		return p.again(ctx, err)
	}
	now := time.Now()
	if now.Sub(p.last) > outage {
		p.expired = 0
	}
	p.expired, p.last = p.expired+1, now
	return pause(ctx, p.expired)
}

// pause waits after the nth failure in a row, from 50 ms to two seconds; false: ctx has
// ended.
func pause(ctx context.Context, n int) bool {
	wait := time.NewTimer(min(50*time.Millisecond<<min(n-1, 20), 2*time.Second))
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// answered resets the failures after a success.
func (p *patience) answered() { p.failures = 0 }
