package dispatch

import (
	"strconv"
	"unique"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/store"
)

// maxCached is how many queued jobs are kept decoded from one reconcile to the next; beyond
// it they are decoded again, which takes some microseconds. 256 of 2 KiB are four times
// what the reconcilers have in hand at once, and cost half a MiB.
const maxCached = 256

// entry is the dispatcher's knowledge of a job that has not finished, or whose attempt has
// not ended yet. There may be a million entries, so an entry takes 96 bytes, a size class of
// the allocator, and rare state lies behind a pointer. The dispatcher's lock guards all
// fields but uid, workspace, name and state.
type entry struct {
	uid       uuid.UUID
	workspace unique.Handle[string]
	name      string
	job       *v1.Job          // decoded; nil: not kept
	extra     *extra           // nil: nothing of it
	version   uint64           // resourceVersion of the last event or of our last write, whichever is later
	arrival   uint64           // its number among all that were taken in
	state     controller.State // guarded by the queue's lock

	scheduled scheduled
	read      bool // reconciled at least once
	gone      bool // deleted while its attempt is at work
	writing   bool // a status is on its way to the store, or to the worker from there
	atWork    bool // the worker of this process has it, and decides until it gives it back
	finished  bool // terminal, and no other run is wanted
	forgotten bool // no longer among Dispatcher.jobs
}

// scheduled is the place of a job in the schedule.
type scheduled uint8

const (
	unscheduled scheduled = iota
	queued                // waits for its turn
	granted               // holds a slot
	elsewhere             // another worker's: live without a slot
)

// extra is state that only some jobs have.
type extra struct {
	dependencies *dependencies // nil: it depends on no job
	member       *member       // nil: its spec names no concurrency key
	lease        int64         // until when an attempt of another worker holds it, in µs from 1970 on; 0: none does
	unconfirmed  *decided      // a status write whose answer was lost; nil: none
}

// noExtra is the shared, read-only value of entries without extra.
var noExtra extra

// readExtra returns the entry's extra for reading.
func (e *entry) readExtra() *extra {
	if e.extra == nil {
		return &noExtra
	}
	return e.extra
}

// mutableExtra returns the entry's extra for writing; dropExtra is called when that is done.
func (e *entry) mutableExtra() *extra {
	if e.extra == nil {
		e.extra = new(extra)
	}
	return e.extra
}

// dropExtra frees an extra that is empty.
func (e *entry) dropExtra() {
	if e.extra != nil && *e.extra == noExtra {
		e.extra = nil
	}
}

func (e *entry) id() uuid.UUID { return e.uid }

// QueueState implements controller.Item.
func (e *entry) QueueState() *controller.State { return &e.state }

func (e *entry) key() store.Key { return jobKey(e.workspace.Value(), e.name) }

func jobKey(workspace, name string) store.Key {
	return store.Key{Kind: v1.KindJob, Namespace: workspace, Name: name}
}

// newer reports whether an event has told of a later version than job.
func (e *entry) newer(job *v1.Job) bool {
	version, err := strconv.ParseUint(job.ResourceVersion, 10, 64)
	return err == nil && e.version > version
}

// index updates the indexes from the job's spec and status; nil: the job is gone. The caller
// holds mu.
func (d *Dispatcher) index(e *entry, job *v1.Job) {
	if job != nil {
		e.finished = job.Finished()
		d.noteLease(e, job.Status.CurrentAttempt)
	}
	d.dependOn(e, job)
	d.join(e, job)
	d.setRecord(e, job)
}

// noteLease notes until when an attempt of another worker holds the job.
func (d *Dispatcher) noteLease(e *entry, attempt *v1.Attempt) {
	lease := int64(0)
	if attempt != nil && attempt.Worker != d.Name {
		if lease = attempt.StartTime.UnixMicro(); attempt.LeaseExpires != nil {
			lease = attempt.LeaseExpires.UnixMicro()
		}
	}
	if lease != e.readExtra().lease {
		e.mutableExtra().lease = lease
		e.dropExtra()
	}
}

// setRecord keeps the decoded job, while there is room; nil: none. The caller holds mu.
func (d *Dispatcher) setRecord(e *entry, job *v1.Job) {
	if e.job != nil {
		e.job = nil
		d.cached--
	}
	if job != nil && !e.atWork && d.cached < maxCached {
		e.job = job
		d.cached++
	}
}

// onDeleted forgets a job that is no longer in the store, once its attempt has ended. The
// caller holds mu.
func (d *Dispatcher) onDeleted(e *entry) {
	if e.atWork {
		e.gone = true
		d.queue.Add(e) // the worker is told
		return
	}
	d.forget(e)
}

// forget removes a job from every index. The caller holds mu.
func (d *Dispatcher) forget(e *entry) {
	if e.forgotten {
		return
	}
	d.queue.Forget(e)
	d.index(e, nil)
	d.unschedule(e)
	e.atWork, e.forgotten = false, true
	d.jobs.Remove(e.uid)
	d.wakeIncomplete()
	d.grant()
}
