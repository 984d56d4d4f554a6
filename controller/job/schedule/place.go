package schedule

import "slices"

// attach puts an item that is nowhere where it belongs.
func (q *Queue) attach(i *queued) {
	ahead := i.NotBefore().After(q.now)
	switch {
	case ahead && !i.HoldsPlace:
		q.wakeItem(i)
	case i.InOrder && !i.tenant.stopped(i.Type):
		k := q.key(i.Key)
		k.line.put(i)
		q.settleLine(k)
	case ahead: // holds a place, but in a line that goes on without it
		q.wakeItem(i)
	default:
		q.enter(i)
	}
}

// detach takes an item out of wherever it is.
func (q *Queue) detach(i *queued) {
	q.quiet(&i.wake)
	if i.group != nil {
		q.leave(i)
	}
	if i.lineAt >= 0 {
		k := q.keys[i.Key]
		k.line.drop(i)
		if k.head == i {
			k.head = nil
		}
		q.settleLine(k)
		q.forgetKey(k)
	}
}

// settleLine lets the first of the line into its group, or has it wait for its time;
// it is the only one of the line that may start.
func (q *Queue) settleLine(k *key) {
	head, _ := k.line.first()
	if old := k.head; old != head && old != nil {
		q.quiet(&old.wake)
		if old.group != nil {
			q.leave(old)
		}
	}
	k.head = head
	switch {
	case head == nil || head.group != nil:
	case !head.NotBefore().After(q.now):
		q.quiet(&head.wake)
		q.enter(head)
	case head.wake == nil:
		q.wakeItem(head)
	}
}

// linesOf are the queued jobs of a workspace that stand in lines in which they stand
// no longer under w, and those that belong into a line from then on.
func (q *Queue) linesOf(t *tenant, w Workspace) []*queued {
	var after tenant
	after.set(w)
	if t.queued == 0 || !t.differs(&after) {
		return nil
	}
	var moved []*queued
	for i := range q.index.All() {
		if i.tenant == t && i.InOrder && t.stopped(i.Type) != after.stopped(i.Type) {
			moved = append(moved, i)
		}
	}
	return moved
}

// enter puts the item into its group, a new one if need be.
func (q *Queue) enter(i *queued) {
	l := q.lane(i.tenant, laneID{i.Type, i.Rate})
	id := groupID{i.Key, i.Limit}
	g := l.groups[id]
	if g == nil {
		g = newGroup(l, id)
		l.groups[id] = g
		if id.key != "" {
			g.key = q.key(id.key)
			g.key.groups = append(g.key.groups, g)
		}
	}
	i.group = g
	g.items.put(i)
	q.settleGroup(g)
}

// leave takes the item out of its group.
func (q *Queue) leave(i *queued) {
	g := i.group
	i.group = nil
	g.items.drop(i)
	q.settleGroup(g)
}

// key is one concurrency key: its live jobs and those that wait.
type key struct {
	name   string
	live   int
	groups []*group
	line   ranked[*queued] // the jobs with InOrder, the first submitted first
	head   *queued         // that of line which was let into its group
}

func (q *Queue) key(name string) *key {
	k := q.keys[name]
	if k == nil {
		k = &key{name: name, line: ranked[*queued]{before: (*queued).submittedBefore, at: func(i *queued) *int32 { return &i.lineAt }}}
		q.keys[name] = k
	}
	return k
}

func (q *Queue) forgetKey(k *key) {
	if k.live == 0 && len(k.groups) == 0 && k.line.Len() == 0 {
		delete(q.keys, k.name)
	}
}

// settleKey opens or closes the groups of a key after its number of live jobs has changed.
// The group done is settled already.
func (q *Queue) settleKey(k *key, done *group) {
	if k == nil {
		return
	}
	for _, g := range k.groups {
		if g != done {
			q.settleGroup(g) // removes only empty groups, of which there are none here
		}
	}
	q.forgetKey(k)
}

func (q *Queue) dropGroup(g *group) {
	delete(g.lane.groups, g.id)
	if g.key != nil {
		g.key.groups = slices.DeleteFunc(g.key.groups, func(other *group) bool { return other == g })
		q.forgetKey(g.key)
	}
}
