package controller

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/schedule"
	"jobwright.dev/store"
)

func item(uid types.UID, e *entry) schedule.Item {
	return schedule.Item{UID: uid, Priority: e.priority}
}

// enqueue lets a job wait for a slot. The caller holds mu.
func (c *Controller) enqueue(uid types.UID, e *entry) {
	c.release(e)
	e.queued = true
	c.schedule.Upsert(item(uid, e))
	c.grant()
}

// unschedule takes a job out of the schedule and gives back its slot. The caller
// holds mu.
func (c *Controller) unschedule(uid types.UID, e *entry) {
	if e.queued {
		e.queued = false
		c.schedule.Remove(uid)
	}
	c.release(e)
}

func (c *Controller) release(e *entry) {
	if e.slot {
		e.slot = false
		c.slots--
	}
}

// grant gives free slots to the jobs that are next. The caller holds mu.
func (c *Controller) grant() {
	for c.slots < c.MaxConcurrent && !c.draining {
		next, ok := c.schedule.Pop()
		if !ok {
			return
		}
		e := c.jobs[next.UID]
		e.queued, e.slot = false, true
		c.slots++
		c.queue.add(next.UID)
	}
}

// Blockers says why a job is queued; none when it is not, or when it starts now.
func (c *Controller) Blockers(key store.Key, uid types.UID) []v1.Blocker {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.jobs[uid]
	if !ok || !e.queued || e.key != key {
		return nil
	}
	position, ok := c.schedule.Position(uid)
	if !ok {
		return nil
	}
	capacity := fmt.Sprintf("All %d slots are taken; raise --max-concurrent-jobs, or wait for a running job to end.", c.MaxConcurrent)
	if c.draining {
		capacity = "The server is shutting down; the job runs after its next start."
	}
	if position == 0 {
		return []v1.Blocker{{Kind: v1.BlockedByCapacity, Message: "Next to run. " + capacity}}
	}
	return []v1.Blocker{{
		Kind: v1.BlockedByPosition, Position: int32(position),
		Message: fmt.Sprintf("%d jobs run first: those with a higher priority than %d, and older ones with the same. %s",
			position, e.priority, capacity),
	}}
}
