package controller

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is how long to wait before the next try: Min after the first failure, doubled
// with each further one up to Max.
type Backoff struct{ Min, Max time.Duration }

// After is the wait after that many failures in a row; at least 1.
func (b Backoff) After(failures int) time.Duration {
	return min(b.Min<<min(max(failures, 1)-1, 20), b.Max)
}

// Jittered is After, shortened by up to a half at random, so that whoever failed at the
// same moment does not come back at the same moment.
func (b Backoff) Jittered(failures int) time.Duration {
	wait := b.After(failures)
	return wait - rand.N(wait/2+1)
}

// sleep waits for d or until ctx ends; false: ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
