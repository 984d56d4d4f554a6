package schedule

import (
	"time"
)

// firstCharge is what the first start of a workspace is charged with, before anything
// is known of how long its jobs run; it is corrected when they end.
const firstCharge = time.Second

// leastCharge is what a start costs at least, so that workspaces whose jobs take no
// time to speak of still take turns.
const leastCharge = time.Millisecond

// tenant is one workspace: its share, and the groups of its queued jobs.
type tenant struct {
	Workspace
	name    string
	known   bool // set by SetWorkspace
	queued  int
	running int
	groups  map[groupID]*group
	ready   ranked[*group]
	virtual float64 // seconds of slot time by weight
	mean    time.Duration
	at      int
}

func (q *Queue) tenant(name string) *tenant {
	t := q.tenants[name]
	if t == nil {
		t = &tenant{
			name: name, groups: map[groupID]*group{}, at: -1, virtual: q.virtual, mean: firstCharge,
			ready: ranked[*group]{at: func(g *group) *int { return &g.at }, before: func(a, b *group) bool {
				return a.items.list[0].before(b.items.list[0])
			}},
		}
		q.tenants[name] = t
	}
	return t
}

func (t *tenant) weight() float64 { return float64(max(t.Weight, 1)) }

// may reports whether the workspace has a job that may run and is allowed another.
func (t *tenant) may() bool {
	return t.ready.Len() > 0 && !t.Suspended && (t.MaxRunning == nil || t.running < *t.MaxRunning)
}

// behind orders workspaces by how far they lie back.
func (t *tenant) behind(other *tenant) bool {
	if t.virtual != other.virtual {
		return t.virtual < other.virtual
	}
	return t.name < other.name
}

// reorder puts the workspace where it belongs among those that may run. One that comes
// back starts at the present: what it left unused is gone.
func (q *Queue) reorder(t *tenant) {
	if !t.may() {
		q.order.drop(t)
		q.forget(t)
		return
	}
	if t.at < 0 {
		t.virtual = max(t.virtual, q.virtual)
	}
	q.order.put(t)
}

// forget drops a workspace of which nothing is left to know.
func (q *Queue) forget(t *tenant) {
	if !t.known && t.queued == 0 && t.running == 0 && t.virtual <= q.virtual {
		delete(q.tenants, t.name)
	}
}

// charge books the start of a job.
func (q *Queue) charge(t *tenant, l *live) {
	q.virtual = max(q.virtual, t.virtual)
	l.charged = t.mean
	t.virtual += l.charged.Seconds() / t.weight()
}

// settleCharge books what the job has really used.
func (t *tenant) settleCharge(l *live, now time.Time) {
	took := max(now.Sub(l.started), leastCharge)
	t.virtual += (took - l.charged).Seconds() / t.weight()
	t.mean += (took - t.mean) / 8 // the last eight runs count for most of it
}
