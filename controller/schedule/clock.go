package schedule

import (
	"time"
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

// tell takes in what time it is. Time never goes back: a clock that is set back makes
// what waits for a moment wait for as much longer, and breaks no limit.
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
