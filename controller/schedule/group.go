package schedule

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
)

// group is the queued jobs of one workspace, type, key and rate: what holds up one of
// them holds up those behind it.
type group struct {
	id     groupID
	tenant *tenant
	items  ranked[*queued]
	at     int // place among the tenant's groups that may run
	wake   *wake
}

type groupID struct {
	jobType   v1.JobType
	key, rate string
}

func newGroup(t *tenant, id groupID) *group {
	return &group{
		id: id, tenant: t, at: -1,
		items: ranked[*queued]{before: (*queued).before, at: func(i *queued) *int { return &i.at }},
	}
}

// wake is a moment at which an item or a group is looked at again.
type wake struct {
	when  time.Time
	item  *queued
	group *group
	tie   types.UID // decides between equal moments
	at    int
}

func (a *wake) before(b *wake) bool {
	if !a.when.Equal(b.when) {
		return a.when.Before(b.when)
	}
	return a.tie < b.tie
}

// key is the state of one concurrency key.
type key struct {
	live   int
	groups []*group // that have queued jobs with it, in the order in which they came
}

// settle puts a group where it belongs: among those that may run, or aside.
func (q *Queue) settle(g *group) {
	q.quiet(&g.wake)
	t := g.tenant
	head, any := g.items.first()
	switch {
	case !any:
		t.ready.drop(g)
		q.dissolve(g)
	case slices.Contains(t.SuspendedTypes, g.id.jobType):
		t.ready.drop(g) // until SetWorkspace
	case g.id.key != "" && q.keys[g.id.key].live >= head.Limit:
		t.ready.drop(g) // until Release
	case head.NotBefore.After(q.now):
		t.ready.drop(g)
		q.wakeAt(&g.wake, &wake{when: head.NotBefore, group: g, tie: head.UID})
	default:
		if free := q.free(head.Rate); free.After(q.now) {
			t.ready.drop(g)
			q.wakeAt(&g.wake, &wake{when: free, group: g, tie: head.UID})
			break
		}
		t.ready.put(g)
	}
	q.reorder(t)
}

// gather returns the group of an item, a new one if need be.
func (q *Queue) gather(t *tenant, item Item) *group {
	id := groupID{item.Type, item.Key, item.Rate.Key}
	g := t.groups[id]
	if g == nil {
		g = newGroup(t, id)
		t.groups[id] = g
		if id.key != "" {
			k := q.key(id.key)
			k.groups = append(k.groups, g)
		}
	}
	return g
}

// dissolve forgets an empty group.
func (q *Queue) dissolve(g *group) {
	delete(g.tenant.groups, g.id)
	if k := q.keys[g.id.key]; k != nil {
		k.groups = slices.DeleteFunc(k.groups, func(other *group) bool { return other == g })
		q.forgetKey(g.id.key)
	}
}

func (q *Queue) key(name string) *key {
	k := q.keys[name]
	if k == nil {
		k = &key{}
		q.keys[name] = k
	}
	return k
}

func (q *Queue) forgetKey(name string) {
	if k := q.keys[name]; k != nil && k.live == 0 && len(k.groups) == 0 {
		delete(q.keys, name)
	}
}

// settleKey looks again at every group with the key, whose number of live jobs has
// changed.
func (q *Queue) settleKey(name string) {
	if name == "" {
		return
	}
	for _, g := range slices.Clone(q.keys[name].groups) {
		q.settle(g)
	}
	q.forgetKey(name)
}

func (q *Queue) wakeAt(place **wake, w *wake) {
	w.at = -1
	*place = w
	q.wakes.put(w)
}

func (q *Queue) quiet(place **wake) {
	if *place != nil {
		q.wakes.drop(*place)
		*place = nil
	}
}
