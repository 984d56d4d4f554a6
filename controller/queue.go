package controller

import (
	"sync"
	"time"
)

// Item is what a Queue hands out to be reconciled. It lends the queue a State, so that the
// queue needs no memory for items that want nothing: there may be a million.
type Item interface {
	comparable
	QueueState() *State
}

// State is where an item stands in its queue. The zero value is an item that was never
// added. Only the queue touches it.
type State struct {
	timer    *time.Timer // adds the item when it is due; nil: nothing is
	failures uint8       // reconciles that failed in a row, 255 at most
	stage    stage
}

type stage uint8

const (
	idle         stage = iota
	waiting            // in others
	waitingFirst       // in urgent
	working            // with a worker
	again              // with a worker, and added since
	againFirst         // with a worker, and added to urgent since
)

// Queue hands out the items that want a reconcile, each to one worker at a time: one that
// is added while it is worked on is handed out again afterwards, once. It holds an item at
// most twice, so it is bounded by the items there are.
//
// Items added with AddFirst go first: in a burst of new items, work that has begun does not
// have to wait.
type Queue[T Item] struct {
	mu      sync.Mutex
	ready   sync.Cond
	urgent  FIFO[T]
	others  FIFO[T]
	busy    int // items that are not idle
	closing bool

	// rested, when set, is called when the queue was empty for restAfter after a burst.
	rested func()
	burst  int // given back since then
	rest   *time.Timer
}

const (
	// burstAt is how many reconciles make a burst. kept is the capacity that the queue keeps
	// after one: less is not worth freeing.
	burstAt = 10_000
	kept    = 1024
	// restAfter tells the end of a burst from a pause in it.
	restAfter = time.Second
)

// retries is the back-off of an item: short enough that a passing error is hardly noticed,
// long enough that a store that is read-only until a restart is not asked all the time.
var retries = Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second}

// NewQueue returns an empty queue. rested, unless it is nil, is called when nothing was to
// be done for a second after a burst of 10,000 reconciles or more.
func NewQueue[T Item](rested func()) *Queue[T] {
	q := &Queue[T]{rested: rested}
	q.ready.L = &q.mu
	return q
}

// Add asks for a reconcile of the item.
func (q *Queue[T]) Add(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put(item, false)
}

// AddFirst asks for a reconcile of the item before all that were added otherwise.
func (q *Queue[T]) AddFirst(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put(item, true)
}

// AddAfter asks for a reconcile of the item when d has passed; 0: not any more. It replaces
// what was asked for by an AddAfter before, and by the back-off.
func (q *Queue[T]) AddAfter(item T, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.after(item, d)
}

// AddDelayed adds an item at once that waits for AddAfter or its back-off, and reports
// whether it was waiting.
func (q *Queue[T]) AddDelayed(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	delayed := item.QueueState().timer != nil
	if delayed {
		q.put(item, false)
	}
	return delayed
}

// Failing reports whether the item's last reconcile failed.
func (q *Queue[T]) Failing(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return item.QueueState().failures > 0
}

// Forget cancels the delayed reconcile of an item whose object is gone.
func (q *Queue[T]) Forget(item T) { q.AddAfter(item, 0) }

// after sets the item's timer. The caller holds mu.
func (q *Queue[T]) after(item T, d time.Duration) {
	state := item.QueueState()
	if state.timer != nil {
		state.timer.Stop()
		state.timer = nil
	}
	if d > 0 {
		state.timer = time.AfterFunc(d, func() { q.Add(item) })
	}
}

// put is Add and AddFirst. The caller holds mu.
func (q *Queue[T]) put(item T, first bool) {
	state := item.QueueState()
	switch stage := state.stage; {
	case stage == working && first, stage == again && first:
		state.stage = againFirst
	case stage == working:
		state.stage = again
	case stage == idle:
		q.busy++
		q.push(item, state, first)
	case stage == waiting && first: // what is in others still is passed over
		q.push(item, state, first)
	}
}

func (q *Queue[T]) push(item T, state *State, first bool) {
	if first {
		state.stage = waitingFirst
		q.urgent.Push(item)
	} else {
		state.stage = waiting
		q.others.Push(item)
	}
	q.ready.Signal()
}

// get waits for an item; false: the queue was closed.
func (q *Queue[T]) get() (item T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closing {
			return item, false
		}
		if item, ok = q.urgent.Pop(); ok {
			item.QueueState().stage = working
			return item, true
		}
		switch item, ok = q.others.Pop(); {
		case !ok:
			q.ready.Wait()
		case item.QueueState().stage == waiting:
			item.QueueState().stage = working
			return item, true
		}
	}
}

// done gives an item back with what its reconcile has come to. It returns how long the
// item waits when it failed, and how often it has failed in a row.
func (q *Queue[T]) done(item T, result Result, err error) (wait time.Duration, failures int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	state := item.QueueState()
	switch {
	case err != nil && !isTerminal(err):
		state.failures += min(1, 255-state.failures)
		wait = retries.After(int(state.failures))
		q.after(item, wait)
	default:
		state.failures = 0
		q.after(item, result.After)
	}
	switch state.stage {
	case again:
		q.push(item, state, false)
	case againFirst:
		q.push(item, state, true)
	case idle, waiting, waitingFirst, working:
		state.stage = idle
		q.busy--
	}
	q.burst++
	if q.busy == 0 && q.burst >= burstAt && q.rest == nil && !q.closing {
		q.rest = time.AfterFunc(restAfter, q.resting(q.burst))
	}
	return wait, int(state.failures)
}

// resting returns the function that frees the memory of a burst, unless the burst has grown
// since.
func (q *Queue[T]) resting(burst int) func() {
	return func() {
		q.mu.Lock()
		q.rest = nil
		over := q.busy == 0 && q.burst == burst && !q.closing
		switch {
		case over:
			q.burst = 0
			q.urgent.Shrink()
			q.others.Shrink()
		case q.busy == 0 && !q.closing:
			q.rest = time.AfterFunc(restAfter, q.resting(q.burst))
		}
		q.mu.Unlock()
		if over && q.rested != nil {
			q.rested()
		}
	}
}

// close ends the queue: nothing is handed out any more.
func (q *Queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closing = true
	if q.rest != nil {
		q.rest.Stop()
	}
	q.ready.Broadcast()
}
