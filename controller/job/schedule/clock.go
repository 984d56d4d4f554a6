package schedule

import (
	"time"

	"github.com/google/uuid"
)

// wake is a moment at which an item or a lane is looked at again.
type wake struct {
	when time.Time
	item *queued // one of the two
	lane *lane
	at   int32
}

// before needs no second criterion: what becomes due at one moment is let in as a
// whole before anything is decided.
func (a *wake) before(b *wake) bool { return a.when.Before(b.when) }

func (q *Queue) wakeItem(i *queued) {
	i.wake = &wake{when: i.NotBefore(), item: i, at: -1}
	q.wakes.put(i.wake)
}

func (q *Queue) wakeLane(l *lane, when time.Time) {
	l.wake = &wake{when: when, lane: l, at: -1}
	q.wakes.put(l.wake)
}

func (q *Queue) quiet(place **wake) {
	if *place != nil {
		q.wakes.drop(*place)
		*place = nil
	}
}

// tell takes in what time it is. Time never goes back, but by Set.
func (q *Queue) tell(now time.Time) {
	if now = now.Round(0); now.After(q.now) {
		q.now = now
	}
	if q.epoch.IsZero() {
		q.epoch = q.now
	}
}

// advance lets in what has become due.
func (q *Queue) advance(now time.Time) {
	q.tell(now)
	for {
		w, ok := q.wakes.first()
		if !ok || w.when.After(q.now) {
			return
		}
		switch {
		case w.lane != nil:
			q.settleLane(w.lane)
		case w.item.lineAt >= 0:
			q.quiet(&w.item.wake)
			q.settleLine(q.keys[w.item.Key])
		default:
			q.quiet(&w.item.wake)
			q.attach(w.item)
		}
	}
}

// Set tells that the clock was set by step, which may be negative, and shows now.
// Past events keep their distance from now, so that no rate is broken and no hold ends sooner
// or later. Jobs that wait for a moment wait until the clock shows it, and are returned. Set
// costs O(queued jobs), and a clock is seldom set.
func (q *Queue) Set(now time.Time, step time.Duration) (waiting []uuid.UUID) {
	q.now, q.epoch = now.Round(0), q.epoch.Add(step)
	for _, l := range q.live {
		l.started, l.paidUntil = l.started.Add(step), l.paidUntil.Add(step)
	}
	for _, w := range q.windows {
		for i := range w.starts {
			w.starts[i] = w.starts[i].Add(step)
		}
		if !w.hold.IsZero() {
			w.hold = w.hold.Add(step)
		}
	}
	for _, t := range q.tenants {
		for _, l := range t.lanes {
			q.settleLane(l)
		}
	}
	var moved []*queued
	for i := range q.index.All() {
		if i.NotBefore().After(q.now) {
			waiting = append(waiting, i.UID)
			moved = append(moved, i)
		}
	}
	for _, i := range moved {
		q.detach(i)
		q.attach(i)
	}
	return waiting
}

// Due is the earliest moment at which a job may start by the passing of time alone;
// false: there is none, as while every slot is taken. It may be early (the job may turn
// out to be blocked by something else as well), never late. It lies in the past when
// Next has not been asked since.
func (q *Queue) Due() (time.Time, bool) {
	w, ok := q.wakes.first()
	if !ok || q.taken >= q.slots {
		return time.Time{}, false
	}
	return w.when, true
}
