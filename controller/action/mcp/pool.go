package mcp

import (
	"context"
	"time"
)

// pool keeps the sessions of one server: at most cap(slots), each either calling or
// idle.
type pool struct {
	runner *Runner
	name   string
	server Server
	slots  chan struct{}
	idle   chan *idleSession // as many as there are slots
}

type idleSession struct {
	session *session
	expire  *time.Timer
}

func newPool(r *Runner, name string, server Server) *pool {
	n := r.opts.MaxSessions
	return &pool{runner: r, name: name, server: server, slots: make(chan struct{}, n), idle: make(chan *idleSession, n)}
}

// take waits for a slot and returns a session: a warm one, or a new one.
func (p *pool) take(ctx context.Context) (*session, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		select {
		case idle := <-p.idle:
			if !idle.expire.Stop() {
				continue // it is being closed
			}
			if idle.session.alive() {
				return idle.session, nil
			}
			idle.session.close(0)
		default:
			s, err := p.runner.connect(ctx, p.name, p.server)
			if err != nil {
				<-p.slots
			}
			return s, err
		}
	}
}

// put gives a session back to be used again.
func (p *pool) put(s *session) {
	idle := &idleSession{session: s}
	idle.expire = time.AfterFunc(p.runner.opts.IdleTime, func() { p.expire(idle) })
	p.idle <- idle // there is room: the session held a slot
	<-p.slots
}

// drop closes a session that is not to be used again.
func (p *pool) drop(s *session, grace time.Duration) {
	s.close(grace)
	<-p.slots
}

// expire closes an idle session whose time is up. Others that it meets on the way go
// back to where they were.
func (p *pool) expire(expired *idleSession) {
	expired.session.close(closeTime)
	for range cap(p.idle) {
		select {
		case idle := <-p.idle:
			if idle == expired {
				return
			}
			p.idle <- idle
		default:
			return
		}
	}
}

// close closes what is idle.
func (p *pool) close() {
	for {
		select {
		case idle := <-p.idle:
			if idle.expire.Stop() {
				idle.session.close(closeTime)
			}
		default:
			return
		}
	}
}
