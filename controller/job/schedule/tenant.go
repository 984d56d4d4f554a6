package schedule

import (
	"slices"
	"time"

	v1 "jobwright.dev/api/v1"
)

const (
	// firstCharge is the charge for a workspace's first start, before its run times are
	// known; the end of the job corrects it.
	firstCharge = time.Second
	// minCharge is the least charge for a run: a job without run time of its own holds a
	// slot while it is decided on, started and written down. Without a charge its workspace
	// would never come behind another.
	minCharge = time.Millisecond
	// meanOf is how many of the last runs make most of the mean run time: few, since
	// the mean only has to be about right until the end corrects it.
	meanOf = 8
	// instalment is the share of the time a job has run by which it is charged ahead
	// when it runs for longer than was paid: an eighth is at most 12 % too much at any
	// moment, and takes 70 steps from a second to an hour.
	instalment = 8
)

// tenant is one workspace: its share, its lanes and its live jobs.
type tenant struct {
	name      string
	policy    Workspace
	limited   bool
	maximum   int
	suspended map[v1.JobType]bool

	queued, running int
	lanes           map[laneID]*lane
	open            ranked[*lane] // the lanes with a job whose key and rate allow a start
	at              int32         // place in Queue.order

	virtual float64       // slot seconds by weight
	mean    time.Duration // of the last runs
	live    ranked[*live] // by the moment up to which they are paid for
	used    time.Duration // slot time of ended jobs
	leftAt  int           // Queue.starts when it left Queue.order
}

func (q *Queue) tenant(name string) *tenant {
	t := q.tenants[name]
	if t == nil {
		if len(q.tenants) >= q.sweepAt.tenants {
			q.sweepTenants()
		}
		t = &tenant{
			name: name, lanes: map[laneID]*lane{}, at: -1, virtual: q.virtual, mean: firstCharge,
			open: ranked[*lane]{
				before: func(a, b *lane) bool { return a.first().before(b.first()) },
				at:     func(l *lane) *int32 { return &l.at },
			},
			live: ranked[*live]{
				before: func(a, b *live) bool {
					if c := a.paidUntil.Compare(b.paidUntil); c != 0 {
						return c < 0
					}
					return uidBefore(a.UID, b.UID)
				},
				at: func(l *live) *int32 { return &l.at },
			},
		}
		q.tenants[name] = t
	}
	return t
}

// set copies a policy.
func (t *tenant) set(w Workspace) {
	t.policy = w
	t.policy.SuspendedTypes = slices.Clone(w.SuspendedTypes)
	if t.limited = w.MaxRunning != nil; t.limited {
		t.maximum = *w.MaxRunning
	}
	t.suspended = nil
	for _, jobType := range w.SuspendedTypes {
		if t.suspended == nil {
			t.suspended = map[v1.JobType]bool{}
		}
		t.suspended[jobType] = true
	}
}

func (t *tenant) differs(other *tenant) bool {
	return t.halted() != other.halted() || !slices.Equal(t.policy.SuspendedTypes, other.policy.SuspendedTypes)
}

func (t *tenant) weight() float64                  { return float64(max(t.policy.Weight, 1)) }
func (t *tenant) suspends(jobType v1.JobType) bool { return t.suspended[jobType] }
func (t *tenant) full() bool                       { return t.limited && t.running >= t.maximum }

// halted: nothing of it starts until somebody decides otherwise.
func (t *tenant) halted() bool { return t.policy.Suspended || t.limited && t.maximum <= 0 }

// stopped: nothing of the type starts until somebody decides otherwise, so that nobody
// waits behind it in a line.
func (t *tenant) stopped(jobType v1.JobType) bool { return t.halted() || t.suspends(jobType) }

// ready reports whether a job of it may start.
func (t *tenant) ready() bool { return t.open.Len() > 0 && !t.policy.Suspended && !t.full() }

// first is the job of it that starts next. It must be ready.
func (t *tenant) first() *queued { return t.open.list[0].first() }

// behind orders workspaces by how far they lie back.
func (t *tenant) behind(other *tenant) bool {
	if t.virtual != other.virtual {
		return t.virtual < other.virtual
	}
	return t.name < other.name
}

// settleTenant adds the workspace to those of which a job may start, or removes it. A
// workspace that comes back after others were served starts at the present virtual time: the
// share that it left unused meanwhile is gone.
func (q *Queue) settleTenant(t *tenant) {
	if !t.ready() {
		if t.at >= 0 {
			t.leftAt = q.starts
			q.order.drop(t)
		}
		return
	}
	if t.at < 0 && t.leftAt != q.starts {
		t.virtual = max(t.virtual, q.virtual)
	}
	q.order.put(t)
}

// foremost is the workspace that lies furthest back, nil: of none may a job start.
// Only the first needs its bill brought up to date: bills only grow by that, so it
// cannot be one of the others.
func (q *Queue) foremost() *tenant {
	for {
		t, ok := q.order.first()
		if !ok {
			return nil
		}
		if !q.bill(t) {
			return t
		}
		q.order.put(t)
	}
}

// charge books the start of a job with what the workspace's jobs take on average, so
// that many starts at once do not run ahead of their bill.
func (q *Queue) charge(t *tenant, l *live) {
	ahead := max(t.mean, minCharge)
	l.booked = ahead.Seconds() / t.weight()
	l.paidUntil = l.started.Add(ahead)
	l.at = -1
	t.virtual += l.booked
	t.live.put(l)
}

// bill charges the workspace for those of its live jobs that have used up what was
// charged for them, and reports whether there were any.
func (q *Queue) bill(t *tenant) bool {
	changed := false
	for {
		l, ok := t.live.first()
		if !ok || l.paidUntil.After(q.now) {
			return changed
		}
		took := q.now.Sub(q.billedFrom(l))
		ahead := max(t.mean, minCharge, took/instalment)
		booked := (took + ahead).Seconds() / t.weight()
		if booked > l.booked { // else its time began with the queue, later than it did
			t.virtual += booked - l.booked
			l.booked = booked
			changed = true
		}
		l.paidUntil = q.now.Add(ahead)
		t.live.put(l)
	}
}

// settleAccount books what the job has really used.
func (q *Queue) settleAccount(t *tenant, l *live) {
	t.live.drop(l)
	took := max(q.now.Sub(q.billedFrom(l)), minCharge)
	t.virtual += took.Seconds()/t.weight() - l.booked
	t.used += took
	t.mean += (max(q.now.Sub(l.started), minCharge) - t.mean) / meanOf
}

// billedFrom is when the slot time of a job begins to count. What it held before this
// queue existed was weighed by another one, against other workspaces: to count it now
// would make its workspace wait until all others have had as much.
func (q *Queue) billedFrom(l *live) time.Time {
	if l.started.Before(q.epoch) {
		return q.epoch
	}
	return l.started
}
