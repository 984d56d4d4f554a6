package schedule

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Explanation is why a queued job does not run.
type Explanation struct {
	// Position is how many queued jobs are expected to start before it: those of its
	// own workspace that may start and come first, those before it in its line and, of
	// every other workspace of which jobs may start, as many as its weight gives it
	// meanwhile. It is an estimate: what is blocked now does not count, what is free
	// now counts as if it stayed so, and of the run times nothing is known. It is 0
	// only for a job that is next, or would be if nothing blocked it.
	Position int
	// Blocks is empty when the job is the one that Next hands out.
	Blocks []Block
}

// Explain says why a queued job does not run; false: it is not queued. It costs
// O(jobs before it + workspaces + live jobs).
func (q *Queue) Explain(uid uuid.UUID, now time.Time) (Explanation, bool) {
	i := q.index.Get(uid)
	if i == nil {
		return Explanation{}, false
	}
	q.advance(now)
	q.foremost() // brings the bills up to date
	e := Explanation{Position: q.position(i)}
	e.Blocks = append(e.Blocks, q.suspends(i)...)
	if i.NotBefore().After(q.now) {
		e.Blocks = append(e.Blocks, Block{Cause: Time, Until: i.NotBefore()})
	}
	e.Blocks = append(e.Blocks, q.blocksKey(i)...)
	e.Blocks = append(e.Blocks, q.blocksRate(i)...)
	if t := i.tenant; t.full() {
		e.Blocks = append(e.Blocks, q.held(Block{Cause: MaxRunning, Have: t.running, Limit: t.maximum},
			func(l *live) bool { return l.Workspace == t.name }))
	}
	switch {
	case e.Position > 0:
		e.Blocks = append(e.Blocks, Block{Cause: Others, Have: e.Position})
	case q.taken >= q.slots:
		e.Blocks = append(e.Blocks, q.blocksSlots(i.tenant))
	}
	for n := range e.Blocks {
		e.Blocks[n].Kind = e.Blocks[n].Cause.Kind()
	}
	return e, true
}

func (q *Queue) suspends(i *queued) []Block {
	var blocks []Block
	if i.tenant.policy.Suspended {
		blocks = append(blocks, Block{Cause: WorkspaceSuspended})
	}
	if i.tenant.suspends(i.Type) {
		blocks = append(blocks, Block{Cause: TypeSuspended})
	}
	return blocks
}

// blocksKey returns how the concurrency key blocks the job.
func (q *Queue) blocksKey(i *queued) []Block {
	k := q.keys[i.Key]
	if k == nil {
		return nil
	}
	var blocks []Block
	if k.live >= i.Limit {
		blocks = append(blocks, q.held(Block{Cause: Concurrency, Key: i.Key, Have: k.live, Limit: i.Limit},
			func(l *live) bool { return l.Key == i.Key }))
	}
	if head := k.head; i.lineAt >= 0 && head != i && head.NotBefore().After(q.now) {
		blocks = append(blocks, Block{Cause: InOrder, Key: i.Key, Until: head.NotBefore(), Holders: []uuid.UUID{head.UID}})
	}
	return blocks
}

func (q *Queue) blocksRate(i *queued) []Block {
	w := q.windows[i.Rate.Key]
	free := w.free(i.Rate)
	if !free.After(q.now) {
		return nil
	}
	if w.hold.Equal(free) {
		return []Block{{Cause: RateHold, Key: i.Rate.Key, Until: free}}
	}
	have := 0
	for _, start := range w.starts {
		if start.Add(i.Rate.Per).After(q.now) {
			have++
		}
	}
	return []Block{{Cause: RateWindow, Key: i.Rate.Key, Until: free, Have: have, Limit: i.Rate.Limit}}
}

// blocksSlots names the workspace's own jobs first: those are the ones its people know.
func (q *Queue) blocksSlots(t *tenant) Block {
	b := q.held(Block{Cause: Slots, Have: q.taken, Limit: q.slots}, func(l *live) bool { return !l.elsewhere && l.Workspace == t.name })
	others := q.held(Block{}, func(l *live) bool { return !l.elsewhere && l.Workspace != t.name })
	b.Holders = append(b.Holders, others.Holders...)
	b.Holders = b.Holders[:min(len(b.Holders), maxHolders)]
	if b.Since.IsZero() || !others.Since.IsZero() && others.Since.Before(b.Since) {
		b.Since = others.Since
	}
	return b
}

// held completes a block with the live jobs that match, the oldest first.
func (q *Queue) held(b Block, match func(*live) bool) Block {
	var holders []*live
	for _, l := range q.live {
		if match(l) {
			holders = append(holders, l)
		}
	}
	slices.SortFunc(holders, (*live).startedBefore)
	for _, l := range holders[:min(len(holders), maxHolders)] {
		b.Holders = append(b.Holders, l.UID)
	}
	if len(holders) > 0 {
		b.Since = holders[0].started
	}
	return b
}

// position is how many jobs are expected to start before i.
func (q *Queue) position(i *queued) int {
	t := i.tenant
	ahead := 0
	for _, l := range t.lanes {
		for _, g := range l.groups {
			if g != i.group && (g.at < 0 || l.at < 0) {
				continue
			}
			ahead += g.items.count(func(other *queued) bool { return other.before(i) })
		}
	}
	if i.lineAt >= 0 {
		ahead += q.keys[i.Key].line.count(func(other *queued) bool { return other.submittedBefore(i) })
		// The first of the line is in a group, and may have been counted there.
		head := q.keys[i.Key].head
		if g := head.group; head != i && g != nil && head.tenant == t && g.at >= 0 && g.lane.at >= 0 && head.before(i) {
			ahead--
		}
	}
	others := 0
	for _, o := range q.order.list {
		if o == t {
			continue
		}
		share := float64(ahead) * o.weight() / t.weight()
		if o.behind(t) {
			share++
		}
		others += o.waiting(int(share))
	}
	return ahead + others
}

// waiting is how many jobs of the workspace may start, as far as they are not more than
// most.
func (t *tenant) waiting(most int) int {
	n := 0
	for _, l := range t.open.list {
		for _, g := range l.open.list {
			if n += g.items.Len(); n >= most {
				return most
			}
		}
	}
	return n
}
