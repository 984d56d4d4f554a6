package file

import (
	"sync/atomic"

	"jobwright.dev/store"
)

const (
	// ringBytes is how much of encodings the ring keeps under load; at full speed
	// that is half a second by which a watcher may lag.
	ringBytes = 32 << 20
	// ringIdleBytes is what it keeps once the store is idle, for watchers that come
	// back.
	ringIdleBytes = 2 << 20
	// ringEvents bounds the ring's own memory.
	ringEvents = 1 << 16
)

// event is one change as watchers get it.
type event struct {
	kind   store.EventType
	record store.Record
	// labels are the object's now, before those it had.
	labels, before *labelSet
}

// ring holds the latest events. It is guarded by the store's lock; wake and waiting
// work together as described at wait.
type ring struct {
	events []event
	// first is the number of events[0], counted from the opening.
	first uint64
	bytes int
	// floor is the version of the last event that is gone: a watch may begin there
	// or later.
	floor uint64
	// Versions between gapLow and gapHigh, both excluded, may have been seen before a
	// crash and mean nothing now.
	gapLow, gapHigh uint64

	woken   chan struct{}
	waiting atomic.Bool
}

func (r *ring) end() uint64 { return r.first + uint64(len(r.events)) }

func (r *ring) add(e event) {
	r.events = append(r.events, e)
	r.bytes += e.record.Len()
	r.trim(ringBytes)
}

// trim forgets the oldest events until at most limit bytes are left.
func (r *ring) trim(limit int) {
	n := 0
	for n < len(r.events)-1 && (r.bytes > limit || len(r.events)-n > ringEvents) {
		r.bytes -= r.events[n].record.Len()
		r.floor = r.events[n].record.ResourceVersion()
		r.events[n] = event{}
		n++
	}
	r.first += uint64(n)
	r.events = r.events[n:]
}

// shrink gives memory back after a burst.
func (r *ring) shrink() {
	r.trim(ringIdleBytes)
	if cap(r.events) > 4*len(r.events)+1024 {
		r.events = append([]event(nil), r.events...)
	}
}

// find is the number of the first event after version since; false when the ring
// does not know that version.
func (r *ring) find(since, visible uint64) (uint64, bool) {
	if since < r.floor || since > visible || since > r.gapLow && since < r.gapHigh {
		return 0, false
	}
	low, high := 0, len(r.events)
	for low < high {
		if mid := (low + high) / 2; r.events[mid].record.ResourceVersion() <= since {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return r.first + uint64(low), true
}

// wait returns a channel that is closed by the next wake. It may be called by several
// readers at once.
func (r *ring) wait() <-chan struct{} {
	r.waiting.Store(true)
	return r.woken
}

// wake tells those who wait.
func (r *ring) wake() {
	if r.waiting.Swap(false) {
		close(r.woken)
		r.woken = make(chan struct{})
	}
}
