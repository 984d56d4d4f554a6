package mcp

import (
	"context"
	"sync"
	"time"

	"jobwright.dev/controller/action"
)

// yieldTime is how long a job waits for its session with its slot among the running jobs.
// A program that is there already starts within it; one that is fetched first does not.
const yieldTime = time.Second

// takeTurn is take for a job. While the session takes its time to come, because its server
// starts or others use it, the job's slot is for other jobs: a server that does not
// answer holds up nobody who does not need it.
func (r *Runner) takeTurn(ctx context.Context, name string, u user) (*pool, *session, error) {
	var mu sync.Mutex
	var resume func(context.Context) error
	came := false
	timer := time.AfterFunc(r.opts.yieldTime, func() {
		mu.Lock()
		defer mu.Unlock()
		if y, ok := u.sink.(action.Yielder); ok && !came {
			resume = y.Yield()
		}
	})
	pool, s, err := r.take(ctx, name, u)
	timer.Stop()
	mu.Lock()
	came = true
	mu.Unlock()
	if err != nil || resume == nil {
		return pool, s, err // an attempt that ends needs no slot
	}
	if err := resume(ctx); err != nil {
		pool.put(s)
		return nil, nil, err
	}
	return pool, s, nil
}
