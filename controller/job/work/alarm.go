package work

import "time"

// heldFor is how long Jobwright's own log lines of a new attempt are held back. They are
// written after twice that time at the latest.
const heldFor = 100 * time.Millisecond

// add registers an attempt, which is reconciled after again; 0: not by time. Most attempts end
// before that and before their held lines are written, so all share one timer.
func (w *Worker) add(x *execution, again time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live[x.uid] = x
	var first time.Time
	if x.holding != nil {
		first = x.born.Add(heldFor)
	}
	if again > 0 {
		x.due = x.born.Add(again)
		first = earlier(first, x.due)
	}
	if !first.IsZero() && (w.alarm == nil || first.Before(w.alarmAt)) {
		w.setAlarm(first)
	}
}

// earlier is the first of two times; zero: there is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// setAlarm has onAlarm called at that time. The caller holds mu.
func (w *Worker) setAlarm(at time.Time) {
	if w.alarm != nil {
		w.alarm.Stop()
	}
	w.alarm, w.alarmAt = time.AfterFunc(time.Until(at), w.onAlarm), at
}

func (w *Worker) stopAlarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.alarm != nil {
		w.alarm.Stop()
	}
}

// onAlarm handles whatever is due. Logs are written without the worker's lock.
func (w *Worker) onAlarm() {
	for _, s := range w.due(time.Now()) {
		s.speak()
	}
}

// due queues the attempts that are due, and returns the sinks that have held lines back for
// long enough.
func (w *Worker) due(now time.Time) (silent []*sink) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alarm = nil
	var next time.Time
	for _, x := range w.live {
		switch {
		case x.due.IsZero():
		case !x.due.After(now):
			x.due = time.Time{} // what comes next the reconcile says
			w.queue.Add(x)
		default:
			next = earlier(next, x.due)
		}
		switch {
		case x.holding == nil:
		case now.Sub(x.born) >= heldFor:
			silent = append(silent, x.holding)
			x.holding = nil
		default:
			next = earlier(next, now.Add(heldFor)) // not that of each: one look is for many
		}
	}
	if !next.IsZero() {
		w.setAlarm(next)
	}
	return silent
}
