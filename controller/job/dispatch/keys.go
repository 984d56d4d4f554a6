package dispatch

import (
	"bytes"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/lifecycle"
)

// keyGroup holds the unfinished jobs of one concurrency key, for the policies Replace and
// Skip. The schedule enforces the limit itself.
type keyGroup struct {
	key      string
	members  map[*entry]struct{} // each with member set
	replacer seniority           // the newest job with policy Replace that was ready
	by       string              // its name
}

// member is a job's part in a group.
type member struct {
	group *keyGroup
	at    seniority
}

// seniority is a job's place in submit order.
type seniority struct {
	since time.Time
	uid   uuid.UUID
}

func (p seniority) before(other seniority) bool {
	if !p.since.Equal(other.since) {
		return p.since.Before(other.since)
	}
	return bytes.Compare(p.uid[:], other.uid[:]) < 0
}

// join puts a job into the group of the key in its spec; nil: out of it. The caller
// holds mu.
func (d *Dispatcher) join(e *entry, job *v1.Job) {
	key := ""
	if job != nil && job.Spec.Concurrency != nil && !job.Finished() {
		key = qualified(job.Namespace, job.Spec.Concurrency.Key)
	}
	if m := e.readExtra().member; m != nil && m.group.key != key {
		delete(m.group.members, e)
		if len(m.group.members) == 0 {
			delete(d.keys, m.group.key)
		}
		e.mutableExtra().member = nil
		e.dropExtra()
	}
	if key == "" {
		return
	}
	at := seniority{lifecycle.QueuedSince(job), e.uid}
	if m := e.readExtra().member; m != nil {
		m.at = at
		return
	}
	g := d.keys[key]
	if g == nil {
		g = &keyGroup{key: key, members: map[*entry]struct{}{}}
		d.keys[key] = g
	}
	g.members[e] = struct{}{}
	e.mutableExtra().member = &member{g, at}
}

func qualified(workspace, key string) string { return workspace + "/" + key }

// replacedBy is the job that replaces this one. The caller holds mu.
func (d *Dispatcher) replacedBy(e *entry) string {
	if m := e.readExtra().member; m != nil && m.at.before(m.group.replacer) {
		return m.group.by
	}
	return ""
}

// replaces cancels the older jobs of the group once job is ready.
func (d *Dispatcher) replaces(e *entry, job *v1.Job, now time.Time) {
	m := e.readExtra().member
	if m == nil || job.Spec.Concurrency.Policy != v1.ConcurrencyReplace {
		return
	}
	g, own := m.group, m.at
	if !g.replacer.before(own) || now.Before(lifecycle.NotBefore(job)) {
		return
	}
	g.replacer, g.by = own, job.Name
	for other := range g.members {
		if other.extra.member.at.before(own) {
			d.queue.Add(other)
		}
	}
}

// skippedFor names the older jobs that fill the key of a job with policy Skip. The answer is
// incomplete while an earlier job has not been read yet: it may hold the same key. The
// caller holds mu.
func (d *Dispatcher) skippedFor(e *entry, job *v1.Job) (others []string, complete bool) {
	m := e.readExtra().member
	if m == nil || job.Spec.Concurrency.Policy != v1.ConcurrencySkip || e.scheduled == granted || job.Status.CurrentAttempt != nil {
		return nil, true
	}
	g, own := m.group, m.at
	limit := concurrencyLimit(job)
	for o := range g.members {
		switch {
		case o == e:
		case o.atWork || o.scheduled == granted || o.scheduled == elsewhere || o.scheduled == queued && o.extra.member.at.before(own):
			others = append(others, o.name)
		}
		if len(others) >= limit {
			slices.Sort(others)
			return others, true
		}
	}
	if d.readUpTo() < e.arrival {
		d.incomplete[e] = struct{}{}
		return nil, false
	}
	return nil, true
}

// readUpTo is the arrival of the oldest job that has not been read yet; the greatest number
// there is when all have been. The caller holds mu.
func (d *Dispatcher) readUpTo() uint64 {
	for {
		e, ok := d.unread.First()
		if !ok {
			return math.MaxUint64
		}
		if !e.forgotten && !e.read {
			return e.arrival
		}
		d.unread.Pop()
	}
}

// wakeIncomplete queues the jobs whose answer of skippedFor was incomplete and is complete
// now. The caller holds mu.
func (d *Dispatcher) wakeIncomplete() {
	readUpTo := d.readUpTo()
	for e := range d.incomplete {
		if e.forgotten || e.arrival <= readUpTo {
			delete(d.incomplete, e)
			d.queue.Add(e)
		}
	}
}
