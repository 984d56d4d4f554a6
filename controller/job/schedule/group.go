package schedule

import v1 "jobwright.dev/api/v1"

// lane is the queued jobs of one workspace that are of one type and have one rate
// limit: what suspends the type or exhausts the rate closes it as a whole.
type lane struct {
	id     laneID
	tenant *tenant
	groups map[groupID]*group
	open   ranked[*group] // the groups whose key has a free place
	at     int32          // place among the tenant's open lanes; −1: closed
	window *window        // nil: no rate
	wake   *wake          // when the rate allows the next start
}

type laneID struct {
	jobType v1.JobType
	rate    Rate
}

// group is the jobs of a lane with one key and one limit: one is as blocked as another.
type group struct {
	id    groupID
	lane  *lane
	key   *key // nil: none
	items ranked[*queued]
	at    int32 // place among the lane's open groups; −1: closed
}

type groupID struct {
	key   string
	limit int
}

func newGroup(l *lane, id groupID) *group {
	return &group{
		id: id, lane: l, at: -1,
		items: ranked[*queued]{before: (*queued).before, at: func(i *queued) *int32 { return &i.groupAt }},
	}
}

func (g *group) first() *queued { return g.items.list[0] }
func (l *lane) first() *queued  { return l.open.list[0].first() }

// lane returns a lane of the workspace, a new one if need be.
func (q *Queue) lane(t *tenant, id laneID) *lane {
	l := t.lanes[id]
	if l == nil {
		l = &lane{
			id: id, tenant: t, groups: map[groupID]*group{}, at: -1,
			open: ranked[*group]{
				before: func(a, b *group) bool { return a.first().before(b.first()) },
				at:     func(g *group) *int32 { return &g.at },
			},
		}
		t.lanes[id] = l
		if id.rate.Key != "" {
			l.window = q.window(id.rate)
			l.window.lanes = append(l.window.lanes, l)
		}
	}
	return l
}

// settleGroup opens or closes a group after its jobs or its key have changed, and
// forgets it when it is empty; so do settleLane and settleTenant, inside out.
func (q *Queue) settleGroup(g *group) {
	switch {
	case g.items.Len() == 0:
		g.lane.open.drop(g)
		q.dropGroup(g)
	case g.key != nil && g.key.live >= g.id.limit:
		g.lane.open.drop(g) // until Release
	default:
		g.lane.open.put(g)
	}
	q.settleLane(g.lane)
}

func (q *Queue) settleLane(l *lane) {
	t := l.tenant
	q.quiet(&l.wake)
	switch {
	case l.open.Len() == 0:
		t.open.drop(l)
		if len(l.groups) == 0 {
			q.dropLane(l)
		}
	case t.suspends(l.id.jobType):
		t.open.drop(l) // until SetWorkspace
	default:
		if free := l.window.free(l.id.rate); free.After(q.now) {
			t.open.drop(l)
			q.wakeLane(l, free)
			break
		}
		t.open.put(l)
	}
	q.settleTenant(t)
}

func (q *Queue) dropLane(l *lane) {
	delete(l.tenant.lanes, l.id)
	if l.window != nil {
		l.window.drop(l)
	}
}
