package servers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/session"
)

// yieldTime is how long a job waits for its session with its slot among the running jobs.
// A program that is installed starts within that time; one that is fetched first does not.
const yieldTime = time.Second

// busyTime is how long a plan waits for a session while all sessions of a server are calling:
// a person waits for the plan.
const busyTime = 15 * time.Second

// TakeTurn is Take for a job. While the job waits for its session, because the server starts
// or other calls use it, other jobs have the job's slot: a server that does not answer holds
// up only the jobs that need it.
func (set *Set) TakeTurn(ctx context.Context, name string, u User) (*Server, *session.Session, error) {
	var mu sync.Mutex
	var resume func(context.Context) error
	came := false
	timer := time.AfterFunc(set.opts.YieldTime, func() {
		mu.Lock()
		defer mu.Unlock()
		if y, ok := u.Sink.(action.Yielder); ok && !came {
			resume = y.Yield()
		}
	})
	srv, s, err := set.Take(ctx, name, u)
	timer.Stop()
	mu.Lock()
	came = true
	mu.Unlock()
	if err != nil || resume == nil {
		return srv, s, err // an attempt that ends needs no slot
	}
	if err := resume(ctx); err != nil {
		srv.Put(s)
		return nil, nil, err
	}
	return srv, s, nil
}

// Take returns a session, and the server that gets it back by Put or Drop.
func (set *Set) Take(ctx context.Context, name string, u User) (*Server, *session.Session, error) {
	return set.takeWithin(ctx, ctx, name, u)
}

// takeWithin is Take that waits for its turn as long as queue lasts.
func (set *Set) takeWithin(queue, ctx context.Context, name string, u User) (*Server, *session.Session, error) {
	for {
		srv := set.Get(name)
		if srv == nil {
			return nil, nil, errors.New("it was removed from the --mcp-config file")
		}
		if why := srv.def.Unusable(); why != "" {
			return nil, nil, errors.New(why)
		}
		s, err := srv.take(queue, ctx, u)
		if !errors.Is(err, errReplaced) {
			return srv, s, err
		}
	}
}

// Ask takes a session for a question that somebody of a workspace waits for.
func (set *Set) Ask(ctx context.Context, name, workspace string) (*Server, *session.Session, error) {
	busy := fmt.Errorf("all its sessions are calling, and none was free within %s; ask again later", busyTime)
	queue, cancel := context.WithTimeoutCause(ctx, busyTime, busy)
	defer cancel()
	srv, s, err := set.takeWithin(queue, ctx, name, User{Workspace: workspace})
	if err != nil {
		return nil, nil, fmt.Errorf("MCP server %q is not available: %w", name, err)
	}
	return srv, s, nil
}
