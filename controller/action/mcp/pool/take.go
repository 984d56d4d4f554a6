package pool

import (
	"context"
	"time"
)

// Call is a call that wants a session.
type Call[S Session] struct {
	Line
	// Queue bounds how long the call waits for a place in its line and for its budgets.
	Queue context.Context
	// Fresh: a new session in any case.
	Fresh bool
	// Start starts a session.
	Start func(context.Context) (S, error)
	// Waits gets the subject of the wait, if the call has to wait.
	Waits func(what string)
}

// Take waits for a session: a warm one of the call's line, or a new one. The session goes
// back by Put or Drop. earlier is how many calls the session has served before. The error is
// that of Start, the cause of the end of a context, or the reason why the pool was closed.
func (p *Pool[S]) Take(ctx context.Context, c Call[S]) (s S, earlier int, err error) {
	l, err := p.enter(c)
	if err != nil {
		return s, 0, err
	}
	for !c.Fresh {
		e, err := p.warm(l)
		if err != nil {
			p.leave(l)
			return s, 0, err
		}
		if e == nil {
			break
		}
		if e.session.Usable(ctx) {
			return e.session, e.calls - 1, nil
		}
		p.opts.Broke()
		p.finish(e, 0)
	}
	if s, err = p.start(ctx, l, c); err != nil {
		p.leave(l)
	}
	return s, 0, err
}

// enter waits for a place in the call's line.
func (p *Pool[S]) enter(c Call[S]) (*line[S], error) {
	l, err := p.join(c.Line)
	if err != nil {
		return nil, err
	}
	select {
	case l.places <- struct{}{}:
		return l, nil
	default:
	}
	if c.Name != "" {
		c.Waits("for the job that uses session " + c.Name)
	} else {
		c.Waits("for another call to end")
	}
	select {
	case l.places <- struct{}{}:
		return l, nil
	case <-p.done:
		err = p.why()
	case <-c.Queue.Done():
		err = context.Cause(c.Queue)
	}
	p.mu.Lock()
	l.calls--
	p.mu.Unlock()
	p.tidy(l)
	return nil, err
}

// join is a line, which is made when it is missing, with one more call in it.
func (p *Pool[S]) join(at Line) (*line[S], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return nil, p.closed
	}
	l := p.lines[at]
	if l == nil {
		places := max(p.opts.Calls, 1)
		if at.Name != "" {
			places = 1
		}
		l = &line[S]{Line: at, places: make(chan struct{}, places)}
		p.lines[at] = l
	}
	l.calls++
	return l, nil
}

// leave gives a place back.
func (p *Pool[S]) leave(l *line[S]) {
	<-l.places
	p.mu.Lock()
	l.calls--
	p.mu.Unlock()
	p.tidy(l)
}

// tidy forgets a line that has neither a call nor a session.
func (p *Pool[S]) tidy(l *line[S]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.calls == 0 && len(l.idle) == 0 && p.lines[l.Line] == l {
		delete(p.lines, l.Line)
	}
}

// why is the reason why the pool was closed.
func (p *Pool[S]) why() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// warm is the idle session of a line that was used last, for one more call; nil: there is
// none.
func (p *Pool[S]) warm(l *line[S]) (*entry[S], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return nil, p.closed
	}
	if len(l.idle) == 0 {
		return nil, nil
	}
	e := l.idle[len(l.idle)-1]
	p.claim(e)
	e.calls++
	return e, nil
}

// start starts a session in the caller's place.
func (p *Pool[S]) start(ctx context.Context, l *line[S], c Call[S]) (s S, err error) {
	var held []*Budget
	defer func() {
		if err != nil {
			release(held, l.Workspace)
		}
	}()
	for _, b := range p.opts.Budgets(l.Line) {
		if err = b.acquire(c.Queue, l.Workspace, c.Waits); err != nil {
			return s, err
		}
		held = append(held, b)
	}
	beginning := &State[S]{Line: l.Line, Activity: Starting, Began: time.Now(), Since: time.Now()}
	p.mu.Lock()
	p.starting[beginning] = struct{}{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.starting, beginning)
	}()
	if s, err = c.Start(ctx); err != nil {
		return s, err
	}
	now := time.Now()
	e := &entry[S]{session: s, line: l, began: now, calls: 1, since: now, budgets: held}
	p.mu.Lock()
	p.open[s] = e
	p.mu.Unlock()
	go p.watch(e)
	return s, nil
}
