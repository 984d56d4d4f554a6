package mcp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"jobwright.dev/controller/action"
)

// errClosed is what a pool says after Close.
var errClosed = errors.New("the server is shutting down")

// pool keeps the sessions of one server: at most cap(slots) calling, and as many as
// have called at once idle. A timer runs only while a session is idle.
type pool struct {
	runner *Runner
	name   string
	server Server
	slots  chan struct{}

	mu     sync.Mutex
	idle   []*idleSession // the last one was used last
	closed bool
}

type idleSession struct {
	session *session
	expire  *time.Timer
}

func newPool(r *Runner, name string, server Server) *pool {
	return &pool{runner: r, name: name, server: server, slots: make(chan struct{}, r.opts.MaxSessions)}
}

// take waits for a slot and returns a session: a warm one, or a new one.
// What a server says while it starts goes to sink.
func (p *pool) take(ctx context.Context, sink action.Sink) (*session, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		s, err := p.warm()
		if err == nil && s != nil {
			if s.usable(ctx) {
				return s, nil
			}
			s.close(0)
			continue
		}
		if err == nil {
			if s, err = p.runner.connect(ctx, p.name, p.server, sink); err == nil {
				go p.watch(s)
			}
		}
		if err != nil {
			<-p.slots
		}
		return s, err
	}
}

// warm removes the session used last from the idle ones; nil: there is none.
func (p *pool) warm() (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
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
	if !s.alive() {
		s.close(0)
		return
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		s.close(closeTime)
		return
	}
	defer p.mu.Unlock()
	idle := &idleSession{session: s}
	idle.expire = time.AfterFunc(p.runner.opts.IdleTime, func() { p.expire(idle) })
	p.idle = append(p.idle, idle)
}

// drop closes a session that is not to be used again.
func (p *pool) drop(s *session, grace time.Duration) {
	s.close(grace)
	<-p.slots
}

// watch waits for the end of a session. One that dies while it is idle is closed at
// once, so that nothing of its server is left; one that is in use is its user's.
func (p *pool) watch(s *session) {
	var died <-chan struct{}
	if s.proc != nil {
		died = s.proc.Done()
	}
	select {
	case <-s.lost:
	case <-died:
	}
	p.mu.Lock()
	i := slices.IndexFunc(p.idle, func(i *idleSession) bool { return i.session == s })
	if i >= 0 {
		p.idle[i].expire.Stop()
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		s.close(0)
	}
}

// expire closes an idle session whose time is up, unless it was taken since.
func (p *pool) expire(expired *idleSession) {
	p.mu.Lock()
	i := slices.Index(p.idle, expired)
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		expired.session.close(closeTime)
	}
}

// close closes what is idle; what is in use is closed when it is given back.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, i := range idle {
		i.expire.Stop()
		i.session.close(closeTime)
	}
}
