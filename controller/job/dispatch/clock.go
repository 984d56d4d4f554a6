package dispatch

import "time"

// maxNap is the longest that the schedule sleeps while a job waits for a moment. Timers go
// by the monotonic clock, which knows nothing of a clock that was set and stands still
// while the machine sleeps: within a minute a job that has come due is noticed all the
// same, for one wake-up a minute.
const maxNap = time.Minute

// leastStep is the least that a clock is set by; what is less is drift and rounding.
const leastStep = time.Second

// wallClock detects that the wall clock was set, by the difference between its progress and
// that of the monotonic clock.
type wallClock struct{ last time.Time }

// step is by how much the wall clock was set since the last call; 0: it was not.
func (w *wallClock) step(now time.Time) time.Duration {
	if w.last.IsZero() {
		w.last = now
	}
	step := now.Round(0).Sub(w.last.Round(0)) - now.Sub(w.last)
	if step.Abs() < leastStep {
		return 0
	}
	w.last = now
	return step
}

// now is the time for every call of the schedule. After a change of the wall clock, all jobs
// whose wait has a time limit are reconciled. The caller holds mu.
func (d *Dispatcher) now() time.Time {
	now := time.Now()
	step := d.clock.step(now)
	if step == 0 {
		return now
	}
	d.Log.Info("the clock was set; jobs that wait for a moment are reconciled", "by", step.String())
	for _, uid := range d.schedule.Set(now, step) {
		d.queue.Add(d.jobs.Get(uid))
	}
	for e := range d.jobs.All() {
		if e.atWork { // the worker's lease and limits
			d.queue.Add(e)
		}
		d.queue.AddDelayed(e)
	}
	if d.alarm.timer != nil {
		d.alarm.timer.Stop()
	}
	d.alarm = alarm{}
	return now
}

// alarm is the timer of the schedule.
type alarm struct {
	timer *time.Timer
	set   bool
	at    time.Time
}

func (d *Dispatcher) onAlarm() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alarm = alarm{}
	d.grant()
}
