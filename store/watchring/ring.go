// Package watchring keeps a store's latest changes in memory and serves watches from
// them, for any engine: however many watches there are, a change is kept once, and a
// watch that nobody waits on costs nothing.
//
// # Invariants
//
//  1. A watch delivers each change that it selects once, in the order of versions.
//  2. A watch that the ring has overtaken, or that begins at a version the ring does not
//     know, gets store.ErrExpired; it never skips a change.
//  3. The ring holds at most Limits.Events changes, and more than Limits.Bytes only when a
//     single change is larger.
package watchring

import (
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/labels"

	"jobwright.dev/store"
)

// Change is one change of one object, as its engine keeps it.
type Change interface {
	// Key names the object, Version the change.
	Key() store.Key
	Version() uint64
	// Event is the change as a watch without a label selector sees it.
	Event() store.Event
	// Labels are those that the object had before the change and has since.
	Labels() (before, after labels.Labels)
	// Bytes is how much memory the change holds until Forget.
	Bytes() int
	Forget()
}

// Limits bound a Ring.
type Limits struct {
	// Bytes is how much the changes may hold under load, IdleBytes how much is kept once
	// the store is idle, for watches that come back.
	Bytes, IdleBytes int
	// Events is the most changes; a power of two.
	Events int
}

// Ring holds the latest changes, of which P is the type and T what it points to. The
// engine's lock guards it: Begin, Add, Wake and Shrink need it held, and watches take it
// for reading.
type Ring[T any, P interface {
	*T
	Change
}] struct {
	lock   sync.Locker // for reading
	closed <-chan struct{}
	limits Limits

	// slots is a circle of a power of two; change number n lies in slot n modulo that.
	slots []T
	// first is the number of the oldest change, next that of the one to come, both
	// counted from the opening.
	first, next uint64
	bytes       int
	// floor is the version of the last change that is gone: a watch may begin there or
	// later. last is the version of the last change.
	floor, last uint64
	// Versions between gapLow and gapHigh, both excluded, may have been seen before a
	// crash and mean nothing now.
	gapLow, gapHigh uint64

	woken   chan struct{}
	waiting atomic.Bool
}

// New returns an empty ring. lock is the engine's, for reading; closed is closed when the
// engine is.
func New[T any, P interface {
	*T
	Change
}](lock sync.Locker, closed <-chan struct{}, limits Limits,
) *Ring[T, P] {
	return &Ring[T, P]{lock: lock, closed: closed, limits: limits, woken: make(chan struct{})}
}

// Begin says at which version the engine was opened. Versions between that and next, both
// excluded, may have been seen before a crash: they will not be given again.
func (r *Ring[T, P]) Begin(version, gapLow, next uint64) {
	r.floor, r.last, r.gapLow, r.gapHigh = version, version, gapLow, next
}

// at is the change with that number.
func (r *Ring[T, P]) at(n uint64) P { return &r.slots[n&uint64(len(r.slots)-1)] }

// Add adds a change whose version lies above that of all before; Wake shows it to those
// who wait.
func (r *Ring[T, P]) Add(c T) {
	if n := r.next - r.first; n == uint64(len(r.slots)) {
		r.resize(max(2*len(r.slots), 64))
	}
	p := r.at(r.next)
	*p = c
	r.next++
	r.last = p.Version()
	r.bytes += p.Bytes()
	r.trim(r.limits.Bytes)
}

// resize makes a circle of n slots.
func (r *Ring[T, P]) resize(n int) {
	slots := make([]T, n)
	for i := r.first; i < r.next; i++ {
		slots[i&uint64(n-1)] = *r.at(i)
	}
	r.slots = slots
}

// trim forgets the oldest changes until at most limit bytes are left.
func (r *Ring[T, P]) trim(limit int) {
	for r.next-r.first > 1 && (r.bytes > limit || r.next-r.first > uint64(r.limits.Events)) {
		p := r.at(r.first)
		r.bytes -= p.Bytes()
		r.floor = p.Version()
		p.Forget()
		*p = *new(T)
		r.first++
	}
}

// Shrink gives memory back after a burst.
func (r *Ring[T, P]) Shrink() {
	r.trim(r.limits.IdleBytes)
	n := len(r.slots)
	for n > 1024 && uint64(n) > 4*(r.next-r.first) {
		n /= 2
	}
	if n < len(r.slots) {
		r.resize(n)
	}
}

// find is the number of the first change after version since; false when the ring does
// not know that version.
func (r *Ring[T, P]) find(since uint64) (uint64, bool) {
	if since < r.floor || since > r.last || since > r.gapLow && since < r.gapHigh {
		return 0, false
	}
	low, high := r.first, r.next
	for low < high {
		if mid := low + (high-low)/2; r.at(mid).Version() <= since {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, true
}

// wait returns a channel that is closed by the next Wake. It may be called by several
// readers at once.
func (r *Ring[T, P]) wait() <-chan struct{} {
	r.waiting.Store(true)
	return r.woken
}

// Wake shows to those who wait what was added.
func (r *Ring[T, P]) Wake() {
	if r.waiting.Swap(false) {
		close(r.woken)
		r.woken = make(chan struct{})
	}
}
