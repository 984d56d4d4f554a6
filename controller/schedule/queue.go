package schedule

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Options configure a Queue.
type Options struct {
	// Slots is how many jobs may be live at once.
	Slots int
	// Ageing is the waiting time that is worth one point of priority; 0: jobs do not
	// age, so a higher priority always wins.
	Ageing time.Duration
}

// Queue holds the queued jobs, and those that are live.
type Queue struct {
	Options
	now     time.Time // the latest that Next was told
	virtual float64   // the virtual time of the workspace that was served last
	tenants map[string]*tenant
	order   ranked[*tenant] // those that may run
	index   map[types.UID]*queued
	live    map[types.UID]*live
	taken   int // live ones that hold a slot here
	keys    map[string]*key
	rates   map[string]*window
	sweep   int
	wakes   ranked[*wake]
}

// New returns an empty queue.
func New(opts Options) *Queue {
	return &Queue{
		Options: opts, tenants: map[string]*tenant{}, index: map[types.UID]*queued{}, live: map[types.UID]*live{},
		keys: map[string]*key{}, rates: map[string]*window{}, sweep: sweepAt,
		order: ranked[*tenant]{before: (*tenant).behind, at: func(t *tenant) *int { return &t.at }},
		wakes: ranked[*wake]{before: (*wake).before, at: func(w *wake) *int { return &w.at }},
	}
}

// Len is how many jobs are queued.
func (q *Queue) Len() int { return len(q.index) }

// LiveCount is how many jobs hold a slot.
func (q *Queue) LiveCount() int { return q.taken }

// Queued reports whether the job is queued.
func (q *Queue) Queued(uid types.UID) bool { return q.index[uid] != nil }

// SetWorkspace says what a workspace is allowed from now on.
func (q *Queue) SetWorkspace(name string, w Workspace) {
	t := q.tenant(name)
	t.Workspace = w
	t.known = w.Weight > 1 || w.MaxRunning != nil || w.Suspended || len(w.SuspendedTypes) > 0
	for _, g := range t.groups {
		q.settle(g)
	}
	q.reorder(t)
}

// Upsert queues a job, or gives a queued one its new properties.
func (q *Queue) Upsert(item Item) {
	if old := q.index[item.UID]; old != nil {
		if old.Item == item {
			return
		}
		q.Remove(item.UID)
	}
	i := &queued{Item: item, rank: item.Since.Add(-time.Duration(item.Priority) * q.Ageing), at: -1}
	if q.Ageing == 0 {
		// A priority is worth a century: more than any job waits, and 2000 of them
		// fit between the years −100,000 and 100,000 that time.Time can tell apart.
		i.rank = item.Since.AddDate(-100*int(item.Priority), 0, 0)
	}
	q.index[item.UID] = i
	t := q.tenant(item.Workspace)
	t.queued++
	if item.NotBefore.After(q.now) && !(item.InOrder && item.HoldsPlace) {
		q.wakeAt(&i.wake, &wake{when: item.NotBefore, item: i, tie: i.UID})
		return
	}
	q.line(t, i)
}

// line puts an item whose time has come into its group.
func (q *Queue) line(t *tenant, i *queued) {
	i.group = q.gather(t, i.Item)
	i.group.items.put(i)
	q.settle(i.group)
}

// Remove takes a queued job out; it is no error when it is not queued.
func (q *Queue) Remove(uid types.UID) {
	i := q.index[uid]
	if i == nil {
		return
	}
	delete(q.index, uid)
	q.quiet(&i.wake)
	t := q.tenant(i.Workspace)
	t.queued--
	if i.group != nil {
		q.leave(i)
		return
	}
	q.forget(t)
}

// leave takes an item out of its group. The group must not be among those that are
// ordered by their heads while its head changes.
func (q *Queue) leave(i *queued) {
	g := i.group
	g.tenant.ready.drop(g)
	q.quiet(&g.wake)
	g.items.drop(i)
	q.settle(g)
}

// Next takes out the job that starts now, and counts it live; false: none may start.
func (q *Queue) Next(now time.Time) (Item, bool) {
	q.advance(now)
	if q.taken >= q.Slots {
		return Item{}, false
	}
	for {
		t, ok := q.order.first()
		if !ok {
			return Item{}, false
		}
		g, _ := t.ready.first()
		i, _ := g.items.first()
		if q.free(i.Rate).After(q.now) {
			q.settle(g) // the window has filled since the group was looked at
			continue
		}
		delete(q.index, i.UID)
		t.queued--
		q.Started(i.Rate, now)
		l := &live{Item: i.Item, started: now}
		q.charge(t, l)
		q.count(t, l)
		q.leave(i)
		q.settleKey(i.Key)
		return i.Item, true
	}
}

// advance lets in what has become due.
func (q *Queue) advance(now time.Time) {
	if now.After(q.now) {
		q.now = now
	}
	for {
		w, ok := q.wakes.first()
		if !ok || w.when.After(q.now) {
			return
		}
		if w.group != nil {
			q.settle(w.group)
			continue
		}
		q.quiet(&w.item.wake)
		q.line(q.tenant(w.item.Workspace), w.item)
	}
}

// Live counts a job as live that runs already, since started. It holds a slot.
func (q *Queue) Live(item Item, started time.Time) { q.found(item, started, false) }

// LiveElsewhere counts a job as live that another worker runs: towards its key and its
// workspace, but not towards the slots.
func (q *Queue) LiveElsewhere(item Item, started time.Time) { q.found(item, started, true) }

func (q *Queue) found(item Item, started time.Time, elsewhere bool) {
	if l := q.live[item.UID]; l != nil {
		if l.elsewhere == elsewhere {
			return
		}
		q.Release(item.UID, started)
	}
	q.Remove(item.UID)
	t := q.tenant(item.Workspace)
	q.count(t, &live{Item: item, started: started, elsewhere: elsewhere})
	q.reorder(t)
	q.settleKey(item.Key)
}

func (q *Queue) count(t *tenant, l *live) {
	q.live[l.UID] = l
	t.running++
	if !l.elsewhere {
		q.taken++
	}
	if l.Key != "" {
		q.key(l.Key).live++
	}
}

// Release says that a live job has ended; it is no error when it is not live.
func (q *Queue) Release(uid types.UID, now time.Time) {
	l := q.live[uid]
	if l == nil {
		return
	}
	delete(q.live, uid)
	t := q.tenant(l.Workspace)
	t.running--
	if !l.elsewhere {
		q.taken--
	}
	t.settleCharge(l, now)
	if l.Key != "" {
		q.keys[l.Key].live--
		q.settleKey(l.Key)
	}
	q.reorder(t)
}

// Due is the earliest moment at which a job may start by the passing of time alone;
// false: there is none.
func (q *Queue) Due() (time.Time, bool) {
	w, ok := q.wakes.first()
	if !ok {
		return time.Time{}, false
	}
	return w.when, true
}
