package lifecycle

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// clockTolerance is how far the status may be ahead of the clock without the clock having
// been set back: the clocks of workers that share a store agree better than that (a
// lease is half of it), and what is due is late by no more.
const clockTolerance = time.Minute

// setBack brings the status to a clock that was set back since it was written, and
// reports whether it was. Without it, what was due in a second would be due in a second
// and as long as the clock has jumped, which may be years: a machine that wakes up
// without its battery is in 1970.
//
// It shifts every stored time by the same amount. Times taken in this process carry a
// monotonic reading: they keep their age. Times read from disk do not: they keep their
// distance to status.lastUpdateTime. A deadline can then be late by at most its own length,
// never early. The place in the queue stays what it was, and spec.startAfter is what its
// author wrote.
func (t *transition) setBack() bool {
	s := &t.status
	if s.Phase.Terminal() || s.CurrentAttempt != nil && s.CurrentAttempt.Worker != t.seen.Worker {
		return false
	}
	last := v1.CreatedAt(t.job)
	if s.LastUpdateTime != nil {
		last = s.LastUpdateTime.Time
	}
	now := t.now.Round(0)
	step := last.Round(0).Sub(now)
	if step <= clockTolerance {
		return false
	}
	moved := func(at time.Time) metav1.MicroTime {
		if at != at.Round(0) { // has a monotonic reading
			return metav1.NewMicroTime(t.now.Add(at.Sub(t.now)))
		}
		return metav1.NewMicroTime(at.Add(-step))
	}
	for _, at := range []**metav1.MicroTime{&s.StartTime, &s.NextAttemptTime, &s.RetryAfterTime} {
		if *at != nil {
			to := moved((*at).Time)
			*at = &to
		}
	}
	if s.CurrentAttempt != nil {
		attempt := *s.CurrentAttempt
		attempt.StartTime = moved(attempt.StartTime.Time)
		s.CurrentAttempt = &attempt
	}
	s.LastUpdateTime = t.micro()
	return true
}

// waitsSince is since when a queued job waits for its first attempt, as far as its limits
// go: for one that was created before the clock was set back, from when that was noticed.
func (t *transition) waitsSince() time.Time {
	since := v1.CreatedAt(t.job)
	if t.status.QueuedTime != nil {
		since = t.status.QueuedTime.Time // perhaps resumed just now
	}
	if last := t.status.LastUpdateTime; last != nil && since.Sub(last.Time) > clockTolerance {
		since = last.Time
	}
	if at := t.job.Spec.StartAfter; at != nil && at.After(since) {
		since = at.Time
	}
	return since
}
