package schedule

import (
	"slices"
	"time"
)

// window is the starts with one rate key that may still count, oldest first.
type window struct {
	starts []time.Time
	per    time.Duration // the longest window that a job has asked for
	hold   time.Time     // nothing starts before
}

// sweepAt is how many rate keys are kept before those of which nothing counts any more
// are looked for.
const sweepAt = 1024

// free is when a start with that rate is allowed.
func (q *Queue) free(r Rate) time.Time {
	w := q.rates[r.Key]
	if r.Key == "" || w == nil {
		return time.Time{}
	}
	at := w.hold
	if n := len(w.starts) - max(r.Limit, 1); n >= 0 {
		if next := w.starts[n].Add(r.Per); next.After(at) {
			at = next
		}
	}
	return at
}

// Started counts a start against its rate.
func (q *Queue) Started(r Rate, at time.Time) {
	if r.Key == "" {
		return
	}
	w := q.window(r.Key)
	w.per = max(w.per, r.Per)
	i, _ := slices.BinarySearchFunc(w.starts, at, time.Time.Compare)
	w.starts = slices.Insert(w.starts, i, at)
	newest := w.starts[len(w.starts)-1]
	past, _ := slices.BinarySearchFunc(w.starts, newest.Add(-w.per), time.Time.Compare)
	w.starts = slices.Delete(w.starts, 0, past)
}

// Hold keeps everything with the rate key from starting before until.
func (q *Queue) Hold(key string, until time.Time) {
	if w := q.window(key); until.After(w.hold) {
		w.hold = until
	}
}

func (q *Queue) window(key string) *window {
	w := q.rates[key]
	if w == nil {
		if len(q.rates) >= q.sweep {
			q.sweepRates()
		}
		w = &window{}
		q.rates[key] = w
	}
	return w
}

func (q *Queue) sweepRates() {
	for key, w := range q.rates {
		if w.hold.Before(q.now) && (len(w.starts) == 0 || w.starts[len(w.starts)-1].Add(w.per).Before(q.now)) {
			delete(q.rates, key)
		}
	}
	q.sweep = max(sweepAt, 2*len(q.rates))
}
