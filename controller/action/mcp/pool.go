package mcp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jobwright.dev/controller/action"
)

// Why a pool is closed.
var (
	errClosed   = errors.New("the server is shutting down")
	errReplaced = errors.New("the server's definition has changed")
)

// Why a session was given up, as the metrics tell it.
const (
	failedStart = "start" // the server did not start, or did not introduce itself
	failedIdle  = "idle"  // it ended while it was idle, or gave no sign of life
	failedCall  = "call"  // it ended, or broke the protocol, in a call
)

// pool keeps the sessions of one server: at most cap(slots) calling, and as many as
// have called at once idle. A timer runs only while a session is idle.
type pool struct {
	runner *Runner
	name   string
	server Server
	slots  chan struct{}
	done   chan struct{} // closed with the pool
	legacy atomic.Bool   // the server wants to be spoken to as before 2026-07-28

	mu       sync.Mutex
	idle     []*idleSession // the last one was used last
	ending   sync.WaitGroup // of sessions that were idle
	starting int
	closed   error // why; nil: it is open
	about    introduction
}

type idleSession struct {
	session *session
	expire  *time.Timer
}

func newPool(r *Runner, name string, server Server) *pool {
	r.metrics.expect(name)
	return &pool{runner: r, name: name, server: server, slots: make(chan struct{}, r.opts.MaxSessions), done: make(chan struct{})}
}

// take waits for a slot and returns a session: a warm one, or a new one. What a server
// says while it starts goes to sink. With a task that was left, it is the session that
// the task was begun in, if the server has it still, and never a warm one.
func (p *pool) take(ctx context.Context, sink action.Sink, left *remembered) (*session, error) {
	return p.takeWithin(ctx, ctx, sink, left)
}

// takeWithin is take that waits for a slot as long as queue lasts.
func (p *pool) takeWithin(queue, ctx context.Context, sink action.Sink, left *remembered) (*session, error) {
	select {
	case p.slots <- struct{}{}:
	case <-p.done:
		return nil, p.why()
	case <-queue.Done():
		return nil, context.Cause(queue)
	}
	if left != nil {
		return p.adopt(ctx, sink, left)
	}
	for {
		s, err := p.warm()
		if err != nil {
			<-p.slots
			return nil, err
		}
		if s == nil {
			return p.start(ctx, sink)
		}
		if s.usable(ctx, &p.runner.opts) {
			return s, nil
		}
		p.runner.metrics.failed(p.name, failedIdle)
		s.close(0)
	}
}

// why is what the pool was closed for.
func (p *pool) why() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// adopt goes on with the session of a task, or begins another where the server has it no
// more: some keep tasks for all sessions.
func (p *pool) adopt(ctx context.Context, sink action.Sink, left *remembered) (*session, error) {
	if s, err := p.runner.connect(ctx, p, sink, left); err == nil {
		go p.watch(s)
		return s, nil
	}
	return p.start(ctx, sink)
}

// start starts a new session in the caller's slot.
func (p *pool) start(ctx context.Context, sink action.Sink) (*session, error) {
	p.count(1)
	defer p.count(-1)
	s, err := p.runner.connect(ctx, p, sink, nil)
	if err == nil || ctx.Err() == nil {
		p.learn(s, err)
	}
	p.runner.metrics.started(p.name)
	if err != nil {
		if ctx.Err() == nil {
			p.runner.metrics.failed(p.name, failedStart)
		}
		<-p.slots
		return nil, err
	}
	go p.watch(s)
	return s, nil
}

func (p *pool) count(starting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starting += starting
}

// states is how many sessions start, call and idle.
func (p *pool) states() (starting, calling, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starting, max(len(p.slots)-p.starting, 0), len(p.idle)
}

// warm removes the session used last from the idle ones; nil: there is none.
func (p *pool) warm() (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return nil, p.closed
	}
	if len(p.idle) == 0 {
		return nil, nil
	}
	last := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	last.expire.Stop() // an expiry under way finds the session gone
	return last.session, nil
}

// put gives a session back to be used again.
func (p *pool) put(s *session) {
	defer func() { <-p.slots }()
	s.end()
	s.since = time.Now()
	if !p.keep(s) {
		s.close(closeTime)
	}
}

// keep makes a session idle, unless the pool is closed or the session has ended.
func (p *pool) keep(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil || !s.alive() {
		return false
	}
	idle := &idleSession{session: s}
	idle.expire = time.AfterFunc(p.runner.opts.IdleTime, func() { p.expire(idle) })
	p.idle = append(p.idle, idle)
	return true
}

// drop closes a session that is not to be used again; its last words still go to its user.
func (p *pool) drop(s *session, grace time.Duration) {
	s.close(grace)
	s.end()
	<-p.slots
}

// watch waits for the end of a session. One that dies while it is idle is closed at
// once, so that nothing of its server is left; one that is in use is its user's.
func (p *pool) watch(s *session) {
	s.wait()
	if p.remove(func(i *idleSession) bool { return i.session == s }) {
		defer p.ending.Done()
		s.close(0)
		p.runner.metrics.failed(p.name, failedIdle)
	}
}

// expire closes an idle session whose time is up, unless it was taken since.
func (p *pool) expire(expired *idleSession) {
	if p.remove(func(i *idleSession) bool { return i == expired }) {
		defer p.ending.Done()
		expired.session.close(closeTime)
	}
}

// remove takes a session from the idle ones, to be closed by the caller; false: it is not
// among them.
func (p *pool) remove(match func(*idleSession) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.idle, match)
	if i < 0 {
		return false
	}
	p.idle[i].expire.Stop()
	p.idle = slices.Delete(p.idle, i, i+1)
	p.ending.Add(1)
	return true
}

// close closes what is idle; what is in use is closed when it is given back. Who waits
// for a slot is told why.
func (p *pool) close(why error) {
	p.mu.Lock()
	if p.closed != nil {
		p.mu.Unlock()
		return
	}
	idle := p.idle
	p.idle, p.closed = nil, why
	close(p.done)
	p.mu.Unlock()
	for _, i := range idle {
		i.expire.Stop()
		p.ending.Go(func() { i.session.close(closeTime) })
	}
	p.ending.Wait()
}
