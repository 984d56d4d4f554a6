package dispatch

import (
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/lifecycle"
)

// settle gives the job its place: with the worker, in the schedule, or none. It returns the
// worker's part.
func (d *Dispatcher) settle(e *entry, w *decided) lifecycle.Do {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w.version > 0 && !e.forgotten { // else deleted since
		unseen := e.version < w.version
		e.version = max(e.version, w.version)
		d.index(e, w.Job)
		if w.Job.Finished() {
			d.finished(e, w.version, unseen)
		}
	}
	if !e.read {
		e.read = true
		d.wakeIncomplete()
	}
	switch terminal := w.Job.Status.Phase.Terminal(); {
	case e.forgotten:
	case terminal && e.newer(w.Job):
		d.queue.Add(e) // run again meanwhile: the event came before this decision was done with
	case terminal:
		d.forget(e)
	case w.do == lifecycle.Recover && d.draining: // it is recovered at the next start
	case w.do == lifecycle.Start, w.do == lifecycle.Recover:
		d.hand(e, w.Job)
		return w.do
	default:
		d.enqueue(e, w)
	}
	return lifecycle.Nothing
}

// hand hands a job over to the worker. The caller holds mu.
func (d *Dispatcher) hand(e *entry, job *v1.Job) {
	d.setRecord(e, nil)
	if e.scheduled == queued {
		d.schedule.Remove(e.uid)
	}
	if e.scheduled != granted { // found running, or taken over
		e.scheduled = granted
		d.schedule.Live(d.item(e.uid, job), job.Status.CurrentAttempt.StartTime.Time)
	}
	e.atWork = true
}

// enqueue puts a job that this worker does not hold into the schedule, or takes it out. The
// caller holds mu.
func (d *Dispatcher) enqueue(e *entry, w *decided) {
	job := w.Job
	switch attempt := job.Status.CurrentAttempt; {
	case attempt != nil && e.scheduled == elsewhere: // another worker's still
	case attempt != nil:
		d.unschedule(e)
		e.scheduled = elsewhere
		d.schedule.LiveElsewhere(d.item(e.uid, job), attempt.StartTime.Time)
		d.grant()
	case !w.ready:
		d.unschedule(e)
		d.grant()
		if w.changed && !w.Soft {
			d.queue.Add(e) // whether it is ready is decided from what is on disk now
		}
	case e.scheduled == granted && !w.granted: // granted since it was observed; its reconcile is queued
	default:
		d.release(e)
		e.scheduled = queued
		d.schedule.Upsert(d.item(e.uid, job))
		d.replaces(e, job, w.Now)
		d.grant()
	}
}

// occupy counts the attempt that an event shows at once, so that its slot and its key are
// not granted to others before the job is reconciled. The caller holds mu.
func (d *Dispatcher) occupy(e *entry, job *v1.Job) {
	attempt := job.Status.CurrentAttempt
	switch {
	case attempt == nil, e.writing, e.atWork, e.scheduled == granted, e.scheduled == elsewhere:
	case attempt.Worker == d.Name: // it is to be recovered
		e.scheduled = granted
		d.schedule.Live(d.item(e.uid, job), attempt.StartTime.Time)
	default:
		e.scheduled = elsewhere
		d.schedule.LiveElsewhere(d.item(e.uid, job), attempt.StartTime.Time)
	}
}

// unschedule takes a job out of the schedule and gives back its slot. The caller
// holds mu.
func (d *Dispatcher) unschedule(e *entry) {
	if e.scheduled == queued {
		e.scheduled = unscheduled
		d.schedule.Remove(e.uid)
	}
	d.release(e)
}

func (d *Dispatcher) release(e *entry) {
	if e.scheduled == granted || e.scheduled == elsewhere {
		e.scheduled = unscheduled
		d.schedule.Release(e.uid, d.now())
	}
}

// grant gives free slots to the next jobs, and sets the alarm for the moment at which
// another may start by the passing of time alone. The caller holds mu.
func (d *Dispatcher) grant() {
	d.grantResumptions()
	if d.draining {
		return
	}
	now := d.now()
	for {
		next, ok := d.schedule.Next(now)
		if !ok {
			break
		}
		e := d.jobs.Get(next.UID)
		e.scheduled = granted
		d.queue.AddFirst(e)
	}
	due, ok := d.schedule.Due()
	if ok == d.alarm.set && due.Equal(d.alarm.at) {
		return
	}
	if d.alarm.timer != nil {
		d.alarm.timer.Stop()
	}
	d.alarm.set, d.alarm.at = ok, due
	if ok {
		d.alarm.timer = time.AfterFunc(min(max(due.Sub(now), 0), maxNap), d.onAlarm)
	}
}
