package job

import (
	"bytes"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/schedule"
)

// group is the jobs of one concurrency key that have not ended. The limit itself is
// the schedule's; the group decides about the policies Replace and Skip.
type group struct {
	key      string
	members  map[*entry]struct{} // each with member set
	replacer place               // the newest job with policy Replace that was ready
	by       string              // its name
}

// member is a job's part in a group.
type member struct {
	group *group
	place place
}

// place is a job's place in submit order.
type place struct {
	since time.Time
	uid   uuid.UUID
}

func (p place) before(other place) bool {
	if !p.since.Equal(other.since) {
		return p.since.Before(other.since)
	}
	return bytes.Compare(p.uid[:], other.uid[:]) < 0
}

// join puts a job into the group of the key in its spec; nil: out of it. The caller
// holds mu.
func (c *Controller) join(e *entry, job *v1.Job) {
	key := ""
	if job != nil && job.Spec.Concurrency != nil && !job.Finished() {
		key = qualified(job.Namespace, job.Spec.Concurrency.Key)
	}
	if m := e.some().member; m != nil && m.group.key != key {
		delete(m.group.members, e)
		if len(m.group.members) == 0 {
			delete(c.groups, m.group.key)
		}
		e.own().member = nil
		e.tidy()
	}
	if key == "" {
		return
	}
	at := place{lifecycle.QueuedSince(job), e.uid}
	if m := e.some().member; m != nil {
		m.place = at
		return
	}
	g := c.groups[key]
	if g == nil {
		g = &group{key: key, members: map[*entry]struct{}{}}
		c.groups[key] = g
	}
	g.members[e] = struct{}{}
	e.own().member = &member{g, at}
}

func qualified(workspace, key string) string { return workspace + "/" + key }

// replacedBy is the job that replaces this one. The caller holds mu.
func (c *Controller) replacedBy(e *entry) string {
	if m := e.some().member; m != nil && m.place.before(m.group.replacer) {
		return m.group.by
	}
	return ""
}

// replaces has the older jobs of the group canceled, once job is ready.
func (c *Controller) replaces(e *entry, job *v1.Job, now time.Time) {
	m := e.some().member
	if m == nil || job.Spec.Concurrency.Policy != v1.ConcurrencyReplace {
		return
	}
	g, own := m.group, m.place
	if !g.replacer.before(own) || now.Before(lifecycle.NotBefore(job)) {
		return
	}
	g.replacer, g.by = own, job.Name
	for other := range g.members {
		if other.rare.member.place.before(own) {
			c.queue.Add(other)
		}
	}
}

// skippedFor names the older jobs that fill the key of a job with policy Skip. It is
// not sure while a job that came before has yet to be looked at: it may have the same
// key. The caller holds mu.
func (c *Controller) skippedFor(e *entry, job *v1.Job) (others []string, sure bool) {
	m := e.some().member
	if m == nil || job.Spec.Concurrency.Policy != v1.ConcurrencySkip || e.slot || job.Status.CurrentAttempt != nil {
		return nil, true
	}
	g, own := m.group, m.place
	limit := concurrencyLimit(job)
	for o := range g.members {
		switch {
		case o == e:
		case o.run != nil || o.slot || o.elsewhere || o.queued && o.rare.member.place.before(own):
			others = append(others, o.name)
		}
		if len(others) >= limit {
			slices.Sort(others)
			return others, true
		}
	}
	if c.frontier() < e.arrived {
		c.unsure[e] = struct{}{}
		return nil, false
	}
	return nil, true
}

// frontier is the arrival of the oldest job that has yet to be looked at; the greatest
// number there is when all have been. The caller holds mu.
func (c *Controller) frontier() uint64 {
	for {
		e, ok := c.fresh.First()
		if !ok {
			return math.MaxUint64
		}
		if !e.forgotten && !e.looked {
			return e.arrived
		}
		c.fresh.Pop()
	}
}

// wakeUnsure has jobs looked at again that waited for those that came before. The
// caller holds mu.
func (c *Controller) wakeUnsure() {
	frontier := c.frontier()
	for e := range c.unsure {
		if e.forgotten || e.arrived <= frontier {
			delete(c.unsure, e)
			c.queue.Add(e)
		}
	}
}

func concurrencyLimit(job *v1.Job) int {
	if job.Spec.Concurrency == nil || job.Spec.Concurrency.Limit == nil {
		return 1
	}
	return int(*job.Spec.Concurrency.Limit)
}

// item is the job as the schedule sees it.
func (c *Controller) item(uid uuid.UUID, job *v1.Job) schedule.Item {
	item := schedule.Item{
		UID: uid, Workspace: job.Namespace, Type: job.Spec.Type, Priority: job.Spec.Priority,
		Since: lifecycle.QueuedSince(job), NotBefore: lifecycle.NotBefore(job),
	}
	if job.Spec.Concurrency != nil {
		item.Key, item.Limit = qualified(job.Namespace, job.Spec.Concurrency.Key), concurrencyLimit(job)
	} else if key := c.keyOf(job); key.Name != "" {
		// In submit order also when one of them waits for a retry: the last deploy that was
		// submitted is the one that people mean to be running.
		item.Key, item.Limit, item.InOrder = key.Name, key.Limit, key.InOrder
		item.HoldsPlace = key.InOrder && job.Status.NextAttemptTime != nil
	}
	item.Rate = rate(job)
	return item
}

// keyOf is the concurrency key that a job has by its action; zero: it has none.
func (c *Controller) keyOf(job *v1.Job) action.Key {
	if runner, ok := c.Runners[job.Spec.Type].(action.Keyed); ok {
		return runner.Key(job)
	}
	return action.Key{}
}

// rate is the job's rate limit as the schedule sees it.
func rate(job *v1.Job) schedule.Rate {
	r := job.Spec.RateLimit
	if r == nil {
		return schedule.Rate{}
	}
	limit := 1
	if r.Limit != nil {
		limit = int(*r.Limit)
	}
	return schedule.Rate{Key: qualified(job.Namespace, r.Key), Limit: limit, Per: time.Duration(r.PerSeconds) * time.Second}
}
