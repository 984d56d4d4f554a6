package pool

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Activity is the state of an open session.
type Activity int

// The activities.
const (
	Starting Activity = iota
	Calling
	Idle
)

// State is an open session.
type State[S Session] struct {
	Line
	Session  S // not while it starts
	Activity Activity
	// Began is when it was started, Since when it became idle or began its call.
	Began, Since time.Time
	// Calls is how many calls it has served, the one under way included.
	Calls int
}

// States are the open sessions by workspace, name and age.
func (p *Pool[S]) States() []State[S] {
	p.mu.Lock()
	defer p.mu.Unlock()
	states := make([]State[S], 0, len(p.open))
	for _, e := range p.open {
		activity := Calling
		if e.idle {
			activity = Idle
		}
		states = append(states, State[S]{e.line.Line, e.session, activity, e.began, e.since, e.calls})
	}
	for s := range p.starting {
		states = append(states, *s)
	}
	slices.SortFunc(states, func(a, b State[S]) int {
		return cmp.Or(strings.Compare(a.Workspace, b.Workspace), strings.Compare(a.Name, b.Name), a.Began.Compare(b.Began))
	})
	return states
}

// Count is how many sessions start, call and idle.
func (p *Pool[S]) Count() (starting, calling, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.open {
		if e.idle {
			idle++
		}
	}
	return len(p.starting), len(p.open) - idle, idle
}
