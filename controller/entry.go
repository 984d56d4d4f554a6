package controller

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/lifecycle"
	"jobwright.dev/controller/schedule"
	"jobwright.dev/store"
)

// maxCached is how many jobs are kept decoded between their event and their
// reconcile; beyond it they are decoded again. 4,096 of 2 KiB cover any burst that
// the reconcilers work off at once and cost 8 MiB at most.
const maxCached = 4096

// entry is what the controller knows of a job that is not terminal, or whose attempt
// has yet to end.
type entry struct {
	key     store.Key
	jobType v1.JobType
	created time.Time
	job     *v1.Job // decoded; nil: not kept
	written uint64  // resourceVersion of our last write
	seen    uint64  // resourceVersion of the last event
	arrived uint64  // its number among all that were taken in
	looked  bool    // reconciled at least once
	gone    bool    // deleted while its attempt runs
	run     *run
	timer   *time.Timer // something is due that no event announces
	tries   int         // writes that failed in a row
	depends []string    // the names in spec.dependsOn
	// When depends came to be as it is, and when it last led back in no way, as turns.
	dependsSince, inNoCycle uint64

	place     place
	group     *group // the jobs with its concurrency key; nil: it has none of its own
	item      schedule.Item
	queued    bool // waits in the schedule
	slot      bool // holds a slot
	elsewhere bool // another worker's: live in the schedule without a slot
	finished  bool // terminal; only its attempt is waited for
	held      bool // an attempt holds it, here or elsewhere, until lease
	lease     time.Time
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
	e.jobType, e.created = job.Spec.Type, store.CreatedAt(job)
	e.finished = job.Status.Phase.Terminal()
	if attempt := job.Status.CurrentAttempt; attempt != nil {
		e.held = true
		if e.lease = attempt.StartTime.Time; attempt.LeaseExpires != nil {
			e.lease = attempt.LeaseExpires.Time
		}
	} else {
		e.held = false
	}
	e.place = place{lifecycle.QueuedSince(job), uid}
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
	if c.names[e.key] == uid {
		delete(c.names, e.key)
	}
	c.announce()
	c.grant()
}
