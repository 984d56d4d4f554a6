package job

import (
	"strconv"
	"unique"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/store"
)

// maxCached is how many jobs that do not run are kept decoded from one look at them to the
// next; beyond it they are decoded again, which takes some microseconds. 256 of 2 KiB are
// four times what the reconcilers have in hand at once, and cost half a MiB. Those that run
// are kept all: there are no more of them than slots.
const maxCached = 256

// entry is what the controller knows of a job that is not terminal, or whose attempt
// has yet to end. There may be a million, so it takes 96 bytes, a size class of the
// allocator, and what few jobs have lies behind a pointer. But for uid, workspace, name and
// work it is guarded by the controller's lock.
type entry struct {
	uid       uuid.UUID
	workspace unique.Handle[string]
	name      string
	job       *v1.Job // decoded; nil: not kept
	run       *run    // its attempt in this worker
	rare      *rare   // nil: nothing of it
	version   uint64  // resourceVersion of the last event or of our last write, whichever is later
	arrived   uint64  // its number among all that were taken in

	queue     controller.State // guarded by the queue's lock
	looked    bool             // reconciled at least once
	gone      bool             // deleted while its attempt runs
	queued    bool             // waits in the schedule
	slot      bool             // holds a slot
	elsewhere bool             // another worker's: live in the schedule without a slot
	finished  bool             // terminal; only its attempt is waited for
	forgotten bool             // no longer among Controller.jobs
}

// rare is what only some jobs have, and hardly one that is queued.
type rare struct {
	waits  *waits  // nil: it depends on no job
	member *member // nil: its spec names no concurrency key
	lease  int64   // until when an attempt holds it, here or elsewhere, in µs from 1970 on; 0: none does
	// unconfirmed is a status write of which the answer was lost.
	unconfirmed *write
}

// none is what is rare where there is nothing of it; only read.
var none rare

// some is what is rare about the job, to be read.
func (e *entry) some() *rare {
	if e.rare == nil {
		return &none
	}
	return e.rare
}

// own is what is rare about the job, to be changed; tidy after that.
func (e *entry) own() *rare {
	if e.rare == nil {
		e.rare = new(rare)
	}
	return e.rare
}

// tidy lets go of what is rare when there is nothing of it.
func (e *entry) tidy() {
	if e.rare != nil && *e.rare == none {
		e.rare = nil
	}
}

// waits is what a job depends on.
type waits struct {
	names []string // in spec.dependsOn
	// When names came to be as they are, and when they last led back in no way, as turns.
	since, inNoCycle uint64
}

func (e *entry) key() store.Key { return jobKey(e.workspace.Value(), e.name) }

func jobKey(workspace, name string) store.Key {
	return store.Key{Kind: v1.KindJob, Namespace: workspace, Name: name}
}

// QueueState implements controller.Item.
func (e *entry) QueueState() *controller.State { return &e.queue }

func (e *entry) id() uuid.UUID { return e.uid }

// newer reports whether an event has told of a later version than job.
func (e *entry) newer(job *v1.Job) bool {
	version, err := strconv.ParseUint(job.ResourceVersion, 10, 64)
	return err == nil && e.version > version
}

// learn takes in a job's spec and status as they are now. The caller holds mu.
func (c *Controller) learn(e *entry, job *v1.Job) {
	e.finished = job.Finished()
	lease := int64(0)
	if attempt := job.Status.CurrentAttempt; attempt != nil {
		if lease = attempt.StartTime.UnixMicro(); attempt.LeaseExpires != nil {
			lease = attempt.LeaseExpires.UnixMicro()
		}
	}
	if lease != e.some().lease {
		e.own().lease = lease
		e.tidy()
	}
	c.dependOn(e, job)
	c.join(e, job)
	c.keep(e, job)
}

// keep remembers the decoded job, while there is room.
func (c *Controller) keep(e *entry, job *v1.Job) {
	if e.job != nil {
		e.job = nil
		c.cached--
	}
	if job != nil && (c.cached < maxCached || job.Status.CurrentAttempt != nil) {
		e.job = job
		c.cached++
	}
}

// lost forgets a job that is no longer there, once its attempt has ended.
func (c *Controller) lost(e *entry) {
	if e.run != nil && e.run.outcome == nil {
		e.gone = true
		e.run.cancel(errDeleted)
		return
	}
	c.forget(e)
}

// forget takes a job out of everything. The caller holds mu.
func (c *Controller) forget(e *entry) {
	if e.forgotten {
		return
	}
	c.queue.Forget(e)
	c.keep(e, nil)
	c.dependOn(e, nil)
	c.join(e, nil)
	c.unschedule(e)
	e.run, e.forgotten = nil, true
	c.jobs.Remove(e.uid)
	c.wakeUnsure()
	c.announce()
	c.grant()
}
