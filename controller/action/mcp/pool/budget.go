package pool

import (
	"container/list"
	"context"
	"fmt"
	"sync"
)

// Budget limits how many sessions are open at once, of any number of pools. A Budget is safe
// for concurrent use.
type Budget struct {
	// Name says what is limited and by which setting, e.g. "processes of MCP servers
	// (--mcp-max-processes)".
	Name string
	// Total is how many there may be of all workspaces together, Each how many of one. 0: no
	// limit.
	Total, Each int

	mu      sync.Mutex
	held    int
	by      map[string]int // workspaces that hold some
	waiting []*claim       // in the order of their arrival
	idle    list.List      // of *offer, the one that is idle for longest first
}

// claim is a call that waits for its part of a budget.
type claim struct {
	workspace string
	granted   chan struct{}
	closing   bool // an idle session is being closed for it
}

// offer is an idle session that may be closed for others.
type offer struct {
	workspace string
	close     func() // nothing happens when the session is in use again
}

// acquire waits for a part of the budget. waits is called once if it is not there at once.
func (b *Budget) acquire(ctx context.Context, workspace string, waits func(string)) error {
	b.mu.Lock()
	c := &claim{workspace: workspace, granted: make(chan struct{})}
	b.waiting = append(b.waiting, c)
	b.settle()
	b.mu.Unlock()
	select {
	case <-c.granted:
		return nil
	default:
		waits(fmt.Sprintf("for one of %d %s", b.limit(), b.Name))
	}
	select {
	case <-c.granted:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-c.granted: // at the same moment
		b.give(workspace)
	default:
		b.drop(c)
	}
	return fmt.Errorf("all %d %s are in use: %w", b.limit(), b.Name, context.Cause(ctx))
}

func (b *Budget) limit() int {
	if b.Each > 0 && (b.Total <= 0 || b.Each < b.Total) {
		return b.Each
	}
	return b.Total
}

// release gives a part back.
func (b *Budget) release(workspace string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.give(workspace)
}

// give is release. The caller holds mu.
func (b *Budget) give(workspace string) {
	b.held--
	if b.by[workspace]--; b.by[workspace] == 0 {
		delete(b.by, workspace)
	}
	b.settle()
}

func (b *Budget) drop(c *claim) {
	for i, other := range b.waiting {
		if other == c {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			return
		}
	}
}

// settle grants what is there, and has idle sessions closed for those that still wait.
// The caller holds mu.
func (b *Budget) settle() {
	for {
		c := b.next()
		if c == nil {
			break
		}
		b.drop(c)
		if b.by == nil {
			b.by = map[string]int{}
		}
		b.held++
		b.by[c.workspace]++
		close(c.granted)
	}
	for _, c := range b.waiting {
		if !c.closing {
			b.closeFor(c)
		}
	}
}

// next is the claim that is granted next; nil: none can be.
func (b *Budget) next() *claim {
	var best *claim
	if b.Total > 0 && b.held >= b.Total {
		return nil
	}
	for _, c := range b.waiting {
		if b.Each > 0 && b.by[c.workspace] >= b.Each {
			continue
		}
		if best == nil || b.by[c.workspace] < b.by[best.workspace] {
			best = c
		}
	}
	return best
}

// closeFor closes the session that is idle for longest among those whose end helps a claim.
// The caller holds mu.
func (b *Budget) closeFor(c *claim) {
	own := b.Each > 0 && b.by[c.workspace] >= b.Each // only one of its workspace helps
	for e := b.idle.Front(); e != nil; e = e.Next() {
		o := e.Value.(*offer)
		if own && o.workspace != c.workspace {
			continue
		}
		b.idle.Remove(e)
		c.closing = true
		go func() {
			o.close()
			b.mu.Lock()
			defer b.mu.Unlock()
			c.closing = false
			b.settle()
		}()
		return
	}
}

// offer says that a session is idle; the element takes the offer back.
func (b *Budget) offer(o *offer) *list.Element {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.idle.PushBack(o)
	b.settle()
	return e
}

func (b *Budget) withdraw(e *list.Element) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idle.Remove(e) // nothing happens when the offer was taken
}
