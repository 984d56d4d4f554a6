package schedule

import (
	"time"

	"github.com/google/uuid"

	"jobwright.dev/store/table"
)

const (
	// DefaultAgeing lets a job of priority 0 go before one of priority 10 that comes
	// ten minutes later.
	DefaultAgeing = time.Minute
	// maxAgeing keeps priority·Ageing (±1000 of it) within a time.Duration, 292 years.
	maxAgeing = 30 * 24 * time.Hour
)

// Options configure a Queue.
type Options struct {
	// Slots is how many jobs may be live at once, those elsewhere not counted.
	Slots int
	// Ageing is the waiting time that is worth one point of priority. 0 or less:
	// DefaultAgeing; more than 30 days: 30 days.
	Ageing time.Duration
}

// Queue holds the queued jobs, and those that are live.
type Queue struct {
	slots  int
	ageing time.Duration
	now    time.Time // the latest moment it was told of
	epoch  time.Time // the first one

	index   *table.Table[uuid.UUID, queued]
	traits  map[traitsID]*traits
	live    map[uuid.UUID]*live
	taken   int // slots
	tenants map[string]*tenant
	keys    map[string]*key
	windows map[string]*window
	sweepAt sweepAt

	order   ranked[*tenant] // those of which a job may start
	virtual float64         // the greatest virtual time at which a workspace was served
	starts  int             // how many jobs Next has handed out
	wakes   ranked[*wake]
}

// New returns an empty queue.
func New(opts Options) *Queue {
	q := &Queue{
		slots: opts.Slots, ageing: min(opts.Ageing, maxAgeing),
		index: table.New(table.HashUID[uuid.UUID], (*queued).uid), traits: map[traitsID]*traits{}, live: map[uuid.UUID]*live{}, tenants: map[string]*tenant{},
		keys: map[string]*key{}, windows: map[string]*window{}, sweepAt: sweepAt{keep, keep},
		order: ranked[*tenant]{before: (*tenant).behind, at: func(t *tenant) *int32 { return &t.at }},
		wakes: ranked[*wake]{before: (*wake).before, at: func(w *wake) *int32 { return &w.at }},
	}
	if q.ageing <= 0 {
		q.ageing = DefaultAgeing
	}
	return q
}

// SetWorkspace sets the share and the limits of a workspace. Live jobs go on in any case. It costs O(lanes of the workspace), and O(queued jobs) when a suspension
// begins or ends.
func (q *Queue) SetWorkspace(name string, w Workspace) {
	t := q.tenant(name)
	moved := q.linesOf(t, w)
	for _, i := range moved {
		q.detach(i)
	}
	t.set(w)
	for _, i := range moved {
		q.attach(i)
	}
	for _, l := range t.lanes {
		q.settleLane(l)
	}
	q.settleTenant(t)
}

// Upsert queues a job, or gives a queued one its new properties. A live job stays what
// it is: Release comes first.
func (q *Queue) Upsert(item Item) {
	if q.live[item.UID] != nil {
		return
	}
	item = q.normalized(item)
	if old := q.index.Get(item.UID); old != nil {
		if old.item() == item {
			return
		}
		q.Remove(item.UID)
	}
	since := nanoseconds(item.Since)
	i := &queued{
		traits: q.share(item), UID: item.UID, priority: item.Priority,
		since: since, rank: since - int64(item.Priority)*int64(q.ageing), groupAt: -1, lineAt: -1,
	}
	if !item.NotBefore.IsZero() {
		i.notBefore = item.NotBefore.UnixNano()
	}
	q.index.Put(i)
	i.tenant.queued++
	q.attach(i)
}

// share returns what the item has in common with others, and counts it among them.
func (q *Queue) share(item Item) *traits {
	id := traitsID{item.Workspace, item.Type, item.Key, item.Limit, item.InOrder, item.HoldsPlace, item.Rate}
	s := q.traits[id]
	if s == nil {
		s = &traits{traitsID: id, tenant: q.tenant(item.Workspace)}
		q.traits[id] = s
	}
	s.items++
	return s
}

// normalized returns the item as the rest of the package requires it: limits of at
// least 1, equal items for equal meanings, and times without a monotonic reading, which
// would order the times of this process differently from those that were on disk.
func (q *Queue) normalized(item Item) Item {
	if item.Key == "" {
		item.Limit, item.InOrder = 0, false
	} else {
		item.Limit = max(item.Limit, 1)
	}
	item.HoldsPlace = item.HoldsPlace && item.InOrder
	item.Rate = item.Rate.normalized()
	item.Since = time.Unix(0, nanoseconds(item.Since))
	if !item.NotBefore.IsZero() {
		item.NotBefore = time.Unix(0, nanoseconds(item.NotBefore))
	}
	return item
}

// Remove takes a queued job out; it is no error when it is not queued.
func (q *Queue) Remove(uid uuid.UUID) {
	if i := q.index.Get(uid); i != nil {
		q.forget(i)
	}
}

func (q *Queue) forget(i *queued) {
	q.index.Remove(i.UID)
	i.tenant.queued--
	q.detach(i)
	if i.items--; i.items == 0 {
		delete(q.traits, i.traitsID)
	}
}

// Next takes out the job that starts now, and counts it live and its start against its
// rate; false: none may start. A now that lies before an earlier one counts as that.
func (q *Queue) Next(now time.Time) (Item, bool) {
	q.advance(now)
	if q.taken >= q.slots {
		return Item{}, false
	}
	i := q.first()
	if i == nil {
		return Item{}, false
	}
	q.starts++
	q.virtual = max(q.virtual, i.tenant.virtual)
	// First the counts, then the heaps: each heap is put right once.
	own, item := i.group, i.item()
	q.count(&live{Item: item, tenant: i.tenant, key: own.key, started: q.now})
	w := own.lane.window
	if w != nil && i.Rate.Limit > 0 {
		w.add(q.now, q.now)
	}
	q.forget(i)
	q.settleKey(own.key, own)
	if w != nil {
		q.settleWindow(w, own.lane)
	}
	return item, true
}

// first is the job that starts next if there is a slot for it, nil: there is none.
func (q *Queue) first() *queued {
	t := q.foremost()
	if t == nil {
		return nil
	}
	return t.first()
}

// Live counts a job as live that runs already, since started. If it is queued it is
// taken out; if it is live already nothing changes, but that it holds a slot from then
// on. It does not count against a rate: Started does.
func (q *Queue) Live(item Item, started time.Time) { q.found(item, started, false) }

// LiveElsewhere is Live for a job that another worker runs: it counts towards its key,
// its workspace's maximum and its workspace's share, but holds no slot.
func (q *Queue) LiveElsewhere(item Item, started time.Time) { q.found(item, started, true) }

func (q *Queue) found(item Item, started time.Time, elsewhere bool) {
	if l := q.live[item.UID]; l != nil {
		q.taken -= l.slots()
		l.elsewhere = elsewhere
		q.taken += l.slots()
		return
	}
	q.Remove(item.UID)
	l := &live{Item: q.normalized(item), tenant: q.tenant(item.Workspace), started: started.Round(0), elsewhere: elsewhere}
	if l.Key != "" {
		l.key = q.key(l.Key)
	}
	q.count(l)
	q.settleTenant(l.tenant)
	q.settleKey(l.key, nil)
}

// Yield has a live job hold no slot until Resume. It is live in every other respect.
func (q *Queue) Yield(uid uuid.UUID) {
	if l := q.live[uid]; l != nil {
		q.taken -= l.slots()
		l.elsewhere = true
	}
}

// Resume has a live job that yielded hold a slot again, if one is free; false: none is.
func (q *Queue) Resume(uid uuid.UUID) bool {
	l := q.live[uid]
	if l == nil {
		return true // it holds nothing any more
	}
	if l.elsewhere && q.taken >= q.slots {
		return false
	}
	q.taken -= l.slots()
	l.elsewhere = false
	q.taken += l.slots()
	return true
}

// Taken is how many slots live jobs hold.
func (q *Queue) Taken() int { return q.taken }

// count makes the item live. The caller settles its workspace and its key.
func (q *Queue) count(l *live) {
	q.live[l.UID] = l
	q.taken += l.slots()
	l.tenant.running++
	q.charge(l.tenant, l)
	if l.key != nil {
		l.key.live++
	}
}

// Release ends a live job and charges the time for which it has held its slot. Releasing a
// job that is not live is no error.
func (q *Queue) Release(uid uuid.UUID, now time.Time) {
	l := q.live[uid]
	if l == nil {
		return
	}
	q.tell(now)
	delete(q.live, uid)
	t := l.tenant
	t.running--
	q.taken -= l.slots()
	q.settleAccount(t, l)
	q.settleTenant(t)
	if l.key != nil {
		l.key.live--
	}
	q.settleKey(l.key, nil)
}
