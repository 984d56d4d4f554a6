package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Check looks for a contradiction between what the queue has noted and what follows
// from the queued and live jobs.
func (q *Queue) Check() error {
	running, keyed, queued := map[string]int{}, map[string]int{}, map[string]int{}
	taken := 0
	for uid, l := range q.live {
		if l.UID != uid || l.at < 0 {
			return fmt.Errorf("live %s: uid %s, place %d", uid, l.UID, l.at)
		}
		running[l.Workspace]++
		taken += l.slots()
		if l.Key != "" {
			keyed[l.Key]++
		}
	}
	if taken != q.taken {
		return fmt.Errorf("%d slots taken, not %d", q.taken, taken)
	}
	for i := range q.index.All() {
		uid := i.UID
		queued[i.Workspace]++
		k := q.keys[i.Key]
		inLine := i.lineAt >= 0
		switch {
		case i.group == nil && i.wake == nil && (!inLine || k.head == i):
			return fmt.Errorf("%s is nowhere", uid)
		case i.group != nil && (i.wake != nil || i.groupAt < 0):
			return fmt.Errorf("%s is in a group and on the clock", uid)
		case inLine && k.head != i && (i.group != nil || i.wake != nil):
			return fmt.Errorf("%s is not the first of its line, but elsewhere too", uid)
		case inLine && i.tenant.stopped(i.Type):
			return fmt.Errorf("%s is stopped, but stands in its line", uid)
		}
	}
	items := 0
	for id, s := range q.traits {
		if items += s.items; s.items <= 0 || s.traitsID != id || q.tenants[s.Workspace] != s.tenant {
			return fmt.Errorf("traits %v: %d items", id, s.items)
		}
	}
	if items != q.index.Len() {
		return fmt.Errorf("%d items have traits, and %d are queued", items, q.index.Len())
	}
	for name, k := range q.keys {
		if k.live != keyed[name] {
			return fmt.Errorf("key %s: %d live, not %d", name, k.live, keyed[name])
		}
		if first, _ := k.line.first(); first != k.head {
			return fmt.Errorf("key %s: the head is not the first", name)
		}
		if k.live == 0 && len(k.groups) == 0 && k.line.Len() == 0 {
			return fmt.Errorf("key %s is of no use", name)
		}
	}
	for name, t := range q.tenants {
		if t.running != running[name] || t.queued != queued[name] || t.live.Len() != t.running {
			return fmt.Errorf("workspace %s: %d running, %d queued; not %d, %d", name, t.running, t.queued, running[name], queued[name])
		}
		if (t.at >= 0) != t.ready() {
			return fmt.Errorf("workspace %s: ready %v, place %d", name, t.ready(), t.at)
		}
		if err := q.checkLanes(t); err != nil {
			return fmt.Errorf("workspace %s: %w", name, err)
		}
	}
	for at, t := range q.order.list {
		if at > 0 && t.behind(q.order.list[(at-1)/2]) {
			return fmt.Errorf("workspace %s stands in the wrong place", t.name)
		}
	}
	return nil
}

func (q *Queue) checkLanes(t *tenant) error {
	for id, l := range t.lanes {
		open := l.open.Len() > 0 && !t.suspends(id.jobType) && !l.window.free(id.rate).After(q.now)
		if late := l.wake != nil && !l.wake.when.After(q.now); (l.at >= 0) != open && !late {
			return fmt.Errorf("lane %v: open %v, place %d", id, open, l.at)
		}
		if len(l.groups) == 0 {
			return fmt.Errorf("lane %v is empty", id)
		}
		for id, g := range l.groups {
			if g.items.Len() == 0 {
				return fmt.Errorf("group %v is empty", id)
			}
			if open := id.key == "" || q.keys[id.key].live < id.limit; (g.at >= 0) != open {
				return fmt.Errorf("group %v: open %v, place %d", id, open, g.at)
			}
			for at, i := range g.items.list {
				if at > 0 && i.before(g.items.list[(at-1)/2]) {
					return fmt.Errorf("group %v: %s stands in the wrong place", id, i.UID)
				}
			}
			if at := g.at; at > 0 && g.first().before(l.open.list[(at-1)/2].first()) {
				return fmt.Errorf("group %v stands in the wrong place", id)
			}
		}
		if at := l.at; at > 0 && l.first().before(t.open.list[(at-1)/2].first()) {
			return fmt.Errorf("lane %v stands in the wrong place", id)
		}
	}
	return nil
}

// Kept is how many workspaces, rate windows and keys the queue remembers.
func (q *Queue) Kept() (workspaces, windows, keys int) {
	return len(q.tenants), len(q.windows), len(q.keys)
}

// Len is how many jobs are queued.
func (q *Queue) Len() int { return q.index.Len() }

// LiveCount is how many jobs are live, those elsewhere included.
func (q *Queue) LiveCount() int { return len(q.live) }

// Queued reports whether the job is queued.
func (q *Queue) Queued(uid uuid.UUID) bool { return q.index.Get(uid) != nil }

// Stats are the figures of one workspace.
type Stats struct {
	Workspace       string
	Queued, Running int
	// SlotTime is how long its jobs that have ended held slots, all in all: what the
	// shares are of. It never falls while the workspace is known.
	SlotTime time.Duration
}

// Stats are those of every workspace that has jobs or has had some lately, by name.
func (q *Queue) Stats() []Stats {
	all := make([]Stats, 0, len(q.tenants))
	for _, t := range q.tenants {
		all = append(all, Stats{Workspace: t.name, Queued: t.queued, Running: t.running, SlotTime: t.used})
	}
	slices.SortFunc(all, func(a, b Stats) int { return strings.Compare(a.Workspace, b.Workspace) })
	return all
}
