package pool

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"time"
)

// Session is a connection that serves one call at a time.
type Session interface {
	comparable
	// Alive reports whether the session was not seen to end.
	Alive() bool
	// Usable asks for a sign of life.
	Usable(ctx context.Context) bool
	// Wait waits until the session has ended.
	Wait()
	// Close ends the session, whose parts get grace to end by themselves. Nothing of the
	// session is left when Close returns, as far as that can be known.
	Close(grace time.Duration)
}

// closeTime is how long an idle session gets to end by itself.
const closeTime = 3 * time.Second

// Line is the calls that a session serves.
type Line struct {
	// Workspace is the workspace of the calls; empty: all workspaces.
	Workspace string
	// Name sets a session apart from the others of its workspace; empty: the call takes any
	// that has none.
	Name string
}

// Options configure a Pool.
type Options struct {
	// Calls is how many calls at once a line without a name has.
	Calls int
	// Idle is how long a session is kept that nobody uses.
	Idle time.Duration
	// Budgets are the budgets that the sessions of a line count towards; they are acquired in this order,
	// which is the same for all pools. A session with a name may count towards others than
	// one without.
	Budgets func(Line) []*Budget
	// Broke is told of each session that ended while it was idle or was not usable any more.
	Broke func()
}

// Pool keeps the sessions with one server. A timer runs only while a session is idle.
type Pool[S Session] struct {
	opts Options
	done chan struct{} // closed with the pool

	mu       sync.Mutex
	lines    map[Line]*line[S]
	open     map[S]*entry[S]
	starting map[*State[S]]struct{}
	closed   error          // why; nil: the pool is open
	ending   sync.WaitGroup // of sessions that were idle
}

// line is the calls and the idle sessions of a Line.
type line[S Session] struct {
	Line
	places chan struct{}
	calls  int         // that have a place or wait for one
	idle   []*entry[S] // the last one was used last
}

// entry is an open session.
type entry[S Session] struct {
	session S
	line    *line[S]
	began   time.Time
	calls   int
	idle    bool
	since   time.Time // when it became idle, or began its call
	expire  *time.Timer
	budgets []*Budget
	offers  []*list.Element // one in each budget
}

// New returns an empty Pool.
func New[S Session](opts Options) *Pool[S] {
	return &Pool[S]{opts: opts, done: make(chan struct{}), lines: map[Line]*line[S]{}, open: map[S]*entry[S]{}, starting: map[*State[S]]struct{}{}}
}

// Put gives a session back to be used again.
func (p *Pool[S]) Put(s S) {
	p.mu.Lock()
	e := p.open[s]
	kept := p.keep(e)
	p.mu.Unlock()
	if !kept {
		p.finish(e, closeTime)
	}
	p.leave(e.line)
}

// Drop closes a session that is not to be used again.
func (p *Pool[S]) Drop(s S, grace time.Duration) {
	p.mu.Lock()
	e := p.open[s]
	p.mu.Unlock()
	p.finish(e, grace)
	p.leave(e.line)
}

// keep makes a session idle, unless the pool is closed or the session has ended. The
// caller holds mu.
func (p *Pool[S]) keep(e *entry[S]) bool {
	if p.closed != nil || !e.session.Alive() {
		return false
	}
	e.idle, e.since = true, time.Now()
	e.expire = time.AfterFunc(p.opts.Idle, func() { p.retire(e, closeTime) })
	e.line.idle = append(e.line.idle, e)
	if e.line.Name == "" {
		for _, b := range e.budgets {
			e.offers = append(e.offers, b.offer(&offer{e.line.Workspace, func() { p.retire(e, closeTime) }}))
		}
	}
	return true
}

// claim takes an idle session out of its line; false: it is not idle. The caller holds mu.
func (p *Pool[S]) claim(e *entry[S]) bool {
	i := slices.Index(e.line.idle, e)
	if i < 0 {
		return false
	}
	e.line.idle = slices.Delete(e.line.idle, i, i+1)
	e.idle, e.since = false, time.Now()
	e.expire.Stop() // an expiry under way finds the session gone
	for j, o := range e.offers {
		e.budgets[j].withdraw(o)
	}
	e.offers = nil
	return true
}

// retire closes a session that is idle still; false: it is not.
func (p *Pool[S]) retire(e *entry[S], grace time.Duration) bool {
	p.mu.Lock()
	if !p.claim(e) {
		p.mu.Unlock()
		return false
	}
	p.ending.Add(1)
	p.mu.Unlock()
	defer p.ending.Done()
	p.finish(e, grace)
	p.tidy(e.line)
	return true
}

// finish closes a session and gives its budgets back.
func (p *Pool[S]) finish(e *entry[S], grace time.Duration) {
	e.session.Close(grace)
	p.mu.Lock()
	delete(p.open, e.session)
	p.mu.Unlock()
	release(e.budgets, e.line.Workspace)
}

func release(budgets []*Budget, workspace string) {
	for _, b := range slices.Backward(budgets) {
		b.release(workspace)
	}
}

// watch waits for the end of a session. A session that dies while it is idle is closed at
// once, so that nothing of its server is left; a session in use is its user's.
func (p *Pool[S]) watch(e *entry[S]) {
	e.session.Wait()
	if p.retire(e, 0) {
		p.opts.Broke()
	}
}

// Close closes the idle sessions; a session in use is closed when it is given back. Calls
// that wait for a session end with the reason.
func (p *Pool[S]) Close(why error) {
	p.mu.Lock()
	if p.closed != nil {
		p.mu.Unlock()
		return
	}
	p.closed = why
	close(p.done)
	var idle []*entry[S]
	for _, l := range p.lines {
		idle = append(idle, l.idle...)
	}
	p.mu.Unlock()
	var all sync.WaitGroup
	for _, e := range idle {
		all.Go(func() { p.retire(e, closeTime) })
	}
	all.Wait()
	p.ending.Wait()
}
