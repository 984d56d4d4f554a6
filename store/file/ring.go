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
	ringIdleBytes = 1 << 20
	// ringEvents bounds the ring's own memory. A power of two.
	ringEvents = 1 << 16
)

// event is one change, of which watchers make records. There may be as many as
// ringEvents, so it is small.
type event struct {
	kind eventKind
	// e is the object as it is now, or as it was last, at the version of its deletion.
	// Its encoding stays in memory as long as the event does, so that what was written
	// lately is read without a system call.
	e        *entry
	encoding []byte
	// before are the labels that it had.
	before *labelSet
}

// eventKind is a store.EventType.
type eventKind uint8

const (
	added eventKind = iota
	modified
	deleted
)

var eventTypes = [...]store.EventType{added: store.Added, modified: store.Modified, deleted: store.Deleted}

// ring holds the latest events. It is guarded by the store's lock; wake and waiting
// work together as described at wait.
type ring struct {
	// slots is a circle of a power of two; event number n lies in slot n modulo that.
	slots []event
	// first is the number of the oldest event, next that of the one to come, both
	// counted from the opening.
	first, next uint64
	bytes       int
	// floor is the version of the last event that is gone: a watch may begin there
	// or later.
	floor uint64
	// Versions between gapLow and gapHigh, both excluded, may have been seen before a
	// crash and mean nothing now.
	gapLow, gapHigh uint64

	woken   chan struct{}
	waiting atomic.Bool
}

// at is the event with that number.
func (r *ring) at(n uint64) *event { return &r.slots[n&uint64(len(r.slots)-1)] }

func (r *ring) add(e event) {
	if n := r.next - r.first; n == uint64(len(r.slots)) {
		r.resize(max(2*len(r.slots), 64))
	}
	*r.at(r.next) = e
	r.next++
	r.bytes += len(e.encoding)
	r.trim(ringBytes)
}

// resize makes a circle of n slots.
func (r *ring) resize(n int) {
	larger := ring{slots: make([]event, n)}
	for i := r.first; i < r.next; i++ {
		*larger.at(i) = *r.at(i)
	}
	r.slots = larger.slots
}

// trim forgets the oldest events until at most limit bytes are left.
func (r *ring) trim(limit int) {
	for r.next-r.first > 1 && (r.bytes > limit || r.next-r.first > ringEvents) {
		e := r.at(r.first)
		r.bytes -= len(e.encoding)
		r.floor = e.e.rv
		e.e.forget()
		*e = event{}
		r.first++
	}
}

// shrink gives memory back after a burst.
func (r *ring) shrink() {
	r.trim(ringIdleBytes)
	n := len(r.slots)
	for n > 1024 && uint64(n) > 4*(r.next-r.first) {
		n /= 2
	}
	if n < len(r.slots) {
		r.resize(n)
	}
}

// find is the number of the first event after version since; false when the ring
// does not know that version.
func (r *ring) find(since, visible uint64) (uint64, bool) {
	if since < r.floor || since > visible || since > r.gapLow && since < r.gapHigh {
		return 0, false
	}
	low, high := r.first, r.next
	for low < high {
		if mid := low + (high-low)/2; r.at(mid).e.rv <= since {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, true
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
