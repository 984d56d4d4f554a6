package controller

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// maxCached is how many jobs are kept decoded from one look at them to the next; beyond
// it they are decoded again, which takes some microseconds. 512 of 2 KiB are several
// times what the reconcilers have in hand at once, and cost 1 MiB.
const maxCached = 512

// entry is what the controller knows of a job that is not terminal, or whose attempt
// has yet to end. There may be a million, so it takes 144 bytes, a size class of the
// allocator, and what few jobs have lies behind a pointer.
type entry struct {
	uid             types.UID
	workspace, name string
	job             *v1.Job     // decoded; nil: not kept
	run             *run        // its attempt in this worker
	timer           *time.Timer // something is due that no event announces
	waits           *waits      // nil: it depends on no job
	member          *member     // nil: its spec names no concurrency key
	written         uint64      // resourceVersion of our last write
	seen            uint64      // resourceVersion of the last event
	arrived         uint64      // its number among all that were taken in
	lease           int64       // until when an attempt holds it, here or elsewhere, in µs from 1970 on; 0: none does
	tries           int32       // writes that failed in a row

	looked    bool // reconciled at least once
	gone      bool // deleted while its attempt runs
	queued    bool // waits in the schedule
	slot      bool // holds a slot
	elsewhere bool // another worker's: live in the schedule without a slot
	finished  bool // terminal; only its attempt is waited for
}

// waits is what a job depends on.
type waits struct {
	names []string // in spec.dependsOn
	// When names came to be as they are, and when they last led back in no way, as turns.
	since, inNoCycle uint64
}

func (e *entry) key() store.Key {
	return store.Key{Kind: v1.KindJob, Namespace: e.workspace, Name: e.name}
}

func (e *entry) stopTimers() {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

// newer reports whether an event has told of a later version than job.
func (e *entry) newer(job *v1.Job) bool {
	version, err := strconv.ParseUint(job.ResourceVersion, 10, 64)
	return err == nil && e.seen > version
}

// learn takes in a job's spec and status as they are now. The caller holds mu.
func (c *Controller) learn(uid types.UID, e *entry, job *v1.Job) {
	e.finished, e.lease = job.Status.Phase.Terminal(), 0
	if attempt := job.Status.CurrentAttempt; attempt != nil {
		if e.lease = attempt.StartTime.UnixMicro(); attempt.LeaseExpires != nil {
			e.lease = attempt.LeaseExpires.UnixMicro()
		}
	}
	c.dependOn(uid, e, job)
	c.join(uid, e, job)
	c.keep(e, job)
}

// keep remembers the decoded job, while there is room.
func (c *Controller) keep(e *entry, job *v1.Job) {
	if e.job != nil {
		e.job = nil
		c.cached--
	}
	if job != nil && c.cached < maxCached {
		e.job = job
		c.cached++
	}
}

// lost forgets a job that is no longer there, once its attempt has ended.
func (c *Controller) lost(uid types.UID, e *entry) {
	if e.run != nil && e.run.outcome == nil {
		e.gone = true
		e.run.cancel(errDeleted)
		return
	}
	c.forget(uid, e)
}

// forget takes a job out of everything. The caller holds mu.
func (c *Controller) forget(uid types.UID, e *entry) {
	e.stopTimers()
	c.keep(e, nil)
	c.dependOn(uid, e, nil)
	c.join(uid, e, nil)
	c.unschedule(uid, e)
	e.run = nil
	delete(c.jobs, uid)
	c.wakeUnsure()
	c.announce()
	c.grant()
}
