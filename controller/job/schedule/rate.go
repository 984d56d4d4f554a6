package schedule

import (
	"slices"
	"time"
)

// window is the starts with one rate key that may still count, oldest first.
type window struct {
	starts []time.Time
	per    time.Duration // the longest that was asked for
	hold   time.Time     // nothing starts before
	lanes  []*lane       // that have queued jobs with the key
}

// normalized returns the rate as the rest of the package requires it: equal rates for equal
// meanings, and a limit of at least 1.
func (r Rate) normalized() Rate {
	if r.Key == "" || r.Per <= 0 {
		// Without a window there is no limit, but a Hold on the key still counts.
		return Rate{Key: r.Key}
	}
	r.Limit = max(r.Limit, 1)
	return r
}

// free is when a start with that rate is allowed: when the Limit-th last start has left
// the window.
func (w *window) free(r Rate) time.Time {
	if w == nil {
		return time.Time{}
	}
	free := w.hold
	if n := len(w.starts) - r.Limit; r.Limit > 0 && n >= 0 {
		if next := w.starts[n].Add(r.Per); next.After(free) {
			free = next
		}
	}
	return free
}

// Started counts a start against its rate, also one in the past, in any order.
func (q *Queue) Started(r Rate, at time.Time) {
	if r = r.normalized(); r.Limit == 0 {
		return
	}
	w := q.window(r)
	w.add(at.Round(0), q.now)
	q.settleWindow(w, nil)
}

// add counts a start, and forgets those that cannot count any more. What is left behind
// in front of the slice goes when append moves it, so that a start costs O(1) amortised;
// one in the past costs what lies after it.
func (w *window) add(at, now time.Time) {
	i := len(w.starts)
	for i > 0 && w.starts[i-1].After(at) {
		i--
	}
	w.starts = slices.Insert(w.starts, i, at)
	oldest := now.Add(-w.per)
	past := 0
	for !w.starts[past].After(oldest) && past < len(w.starts)-1 {
		past++
	}
	w.starts = w.starts[past:]
}

// Hold keeps everything with the rate key from starting before until; an earlier
// moment than one that was given already changes nothing.
func (q *Queue) Hold(rateKey string, until time.Time) {
	if rateKey == "" {
		return
	}
	w := q.window(Rate{Key: rateKey})
	if until = until.Round(0); until.After(w.hold) {
		w.hold = until
		q.settleWindow(w, nil)
	}
}

// window returns that of the rate's key, a new one if need be.
func (q *Queue) window(r Rate) *window {
	w := q.windows[r.Key]
	if w == nil {
		if len(q.windows) >= q.sweepAt.windows {
			q.sweepWindows()
		}
		w = &window{}
		q.windows[r.Key] = w
	}
	w.per = max(w.per, r.Per)
	return w
}

// settleWindow looks again at the lanes with a rate that was used or held, but for one
// that has been looked at.
func (q *Queue) settleWindow(w *window, done *lane) {
	for _, l := range w.lanes {
		if l != done {
			q.settleLane(l) // drops only empty lanes, of which there are none here
		}
	}
}

func (w *window) drop(l *lane) {
	w.lanes = slices.DeleteFunc(w.lanes, func(other *lane) bool { return other == l })
}
