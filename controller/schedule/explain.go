package schedule

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
)

// What keeps a job from starting.
type What int

// The things that keep a job from starting.
const (
	Slots What = iota
	Others
	MaxRunning
	Concurrency
	InOrder
	RateWindow
	RateHold
	WorkspaceSuspended
	TypeSuspended
	Time
)

// Kind is what a user calls it.
func (w What) Kind() v1.BlockerKind {
	switch w {
	case Slots:
		return v1.BlockedByCapacity
	case Others:
		return v1.BlockedByPosition
	case WorkspaceSuspended, TypeSuspended:
		return v1.BlockedBySuspend
	case Time:
		return v1.BlockedBySchedule
	case MaxRunning, Concurrency, InOrder, RateWindow, RateHold:
	}
	return v1.BlockedByLimit
}

// maxHolders bounds how many live jobs a Block names.
const maxHolders = 10

// Block is one thing that keeps a job from starting.
type Block struct {
	What What
	// Until is when it ends by itself; zero: not known.
	Until time.Time
	// Holders are the jobs that hold what is waited for, ten at most, oldest first.
	Holders []types.UID
	// Have and Limit are the numbers of a limit.
	Have, Limit int
}

// Explanation is why a queued job does not run.
type Explanation struct {
	// Position is how many queued jobs are expected to start before it: those of its
	// own workspace that come first and, of every other workspace that has jobs ready,
	// as many as its weight gives it meanwhile. Jobs that are set aside do not count.
	Position int
	// Blocks is empty when the job starts at once.
	Blocks []Block
}

// Explain says why a queued job does not run; false: it is not queued. It costs O(n).
func (q *Queue) Explain(uid types.UID, now time.Time) (Explanation, bool) {
	i := q.index[uid]
	if i == nil {
		return Explanation{}, false
	}
	t := q.tenant(i.Workspace)
	var e Explanation
	block := func(b Block) { e.Blocks = append(e.Blocks, b) }
	if t.Suspended {
		block(Block{What: WorkspaceSuspended})
	}
	if slices.Contains(t.SuspendedTypes, i.Type) {
		block(Block{What: TypeSuspended})
	}
	if i.NotBefore.After(now) {
		block(Block{What: Time, Until: i.NotBefore})
	}
	q.explainKey(i, now, block)
	if free := q.free(i.Rate); free.After(now) {
		w := q.rates[i.Rate.Key]
		if w.hold.After(now) && !w.hold.Before(free) {
			block(Block{What: RateHold, Until: w.hold})
		} else {
			block(Block{What: RateWindow, Until: free, Limit: i.Rate.Limit})
		}
	}
	if t.MaxRunning != nil && t.running >= *t.MaxRunning {
		block(Block{What: MaxRunning, Have: t.running, Limit: *t.MaxRunning, Holders: q.holders(func(l *live) bool { return l.Workspace == t.name })})
	}
	if e.Position = q.position(t, i); e.Position > 0 {
		block(Block{What: Others})
	}
	if q.taken >= q.Slots {
		block(Block{What: Slots, Have: q.taken, Limit: q.Slots, Holders: q.holders(func(l *live) bool { return l.Workspace == t.name && !l.elsewhere })})
	}
	return e, true
}

// explainKey says what of the concurrency key is in the way.
func (q *Queue) explainKey(i *queued, now time.Time, block func(Block)) {
	if i.Key == "" {
		return
	}
	if k := q.keys[i.Key]; k != nil && k.live >= i.Limit {
		block(Block{What: Concurrency, Have: k.live, Limit: i.Limit, Holders: q.holders(func(l *live) bool { return l.Key == i.Key })})
	}
	if i.group == nil {
		return
	}
	if head, _ := i.group.items.first(); head != i && head.InOrder && head.NotBefore.After(now) {
		block(Block{What: InOrder, Until: head.NotBefore, Holders: []types.UID{head.UID}})
	}
}

// holders are the live jobs that match, oldest first.
func (q *Queue) holders(match func(*live) bool) []types.UID {
	var uids []types.UID
	for uid, l := range q.live {
		if match(l) {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids[:min(len(uids), maxHolders)]
}

// position is how many jobs are expected to start before i.
func (q *Queue) position(t *tenant, i *queued) int {
	ahead := 0
	for _, g := range t.groups {
		if g != i.group && g.at < 0 {
			continue
		}
		for _, other := range g.items.list {
			if other != i && other.before(i) {
				ahead++
			}
		}
	}
	others := 0
	for _, o := range q.tenants {
		if o == t || !o.may() {
			continue
		}
		ready := 0
		for _, g := range o.groups {
			if g.at >= 0 {
				ready += g.items.Len()
			}
		}
		share := float64(ahead) * o.weight() / t.weight()
		if o.behind(t) {
			share++
		}
		others += min(ready, int(share))
	}
	return ahead + others
}
