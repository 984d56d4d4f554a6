package controller

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// workqueue hands out the jobs that want a reconcile, each to one worker at a time:
// one that is added while it is worked on is handed out again afterwards, once. It
// holds a job at most once, so it is bounded by the jobs there are.
//
// What holds a slot goes first: jobs that were granted one, and attempts that have
// ended. Otherwise a slot would stand empty while thousands of new jobs are looked at
// for the first time.
type workqueue struct {
	mu      sync.Mutex
	ready   sync.Cond
	urgent  fifo
	others  fifo
	state   map[types.UID]workState
	closing bool

	// rested, when set, is called when the queue was empty for restAfter after a burst.
	rested func()
	burst  int // given back since then
	timer  *time.Timer
}

const (
	// burstAt is how many jobs make a burst, and kept how many of which the queue keeps
	// the room for: what they take is not worth giving back.
	burstAt = 10_000
	kept    = 1024
	// restAfter tells the end of a burst from a pause in it.
	restAfter = time.Second
)

type workState int

const (
	waiting      workState = iota + 1 // in others
	waitingFirst                      // in urgent
	working                           // with a worker
	again                             // with a worker, and added since
	againFirst                        // with a worker, and added to urgent since
)

func newWorkqueue() *workqueue {
	q := &workqueue{state: map[types.UID]workState{}}
	q.ready.L = &q.mu
	return q
}

// add asks for a reconcile of the job.
func (q *workqueue) add(uid types.UID) { q.put(uid, false) }

// addFirst asks for a reconcile of a job that holds a slot.
func (q *workqueue) addFirst(uid types.UID) { q.put(uid, true) }

func (q *workqueue) put(uid types.UID, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch state := q.state[uid]; {
	case state == working && first, state == again && first:
		q.state[uid] = againFirst
	case state == working:
		q.state[uid] = again
	case state == 0, state == waiting && first: // what is in others still is passed over
		q.push(uid, first)
	}
}

func (q *workqueue) push(uid types.UID, first bool) {
	if first {
		q.state[uid] = waitingFirst
		q.urgent.push(uid)
	} else {
		q.state[uid] = waiting
		q.others.push(uid)
	}
	q.ready.Signal()
}

// get waits for a job; false: the queue was closed.
func (q *workqueue) get() (types.UID, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closing {
			return "", false
		}
		if uid, ok := q.urgent.pop(); ok {
			q.state[uid] = working
			return uid, true
		}
		uid, ok := q.others.pop()
		switch {
		case !ok:
			q.ready.Wait()
		case q.state[uid] == waiting:
			q.state[uid] = working
			return uid, true
		}
	}
}

// done gives a job back.
func (q *workqueue) done(uid types.UID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch q.state[uid] {
	case again:
		q.push(uid, false)
	case againFirst:
		q.push(uid, true)
	default:
		delete(q.state, uid)
	}
	q.burst++
	if len(q.state) == 0 && q.burst >= burstAt && q.timer == nil && !q.closing {
		q.timer = time.AfterFunc(restAfter, q.rest(q.burst))
	}
}

// rest returns what gives back the memory of a burst, if nothing has happened since it
// was of the given size.
func (q *workqueue) rest(burst int) func() {
	return func() {
		q.mu.Lock()
		q.timer = nil
		over := len(q.state) == 0 && q.burst == burst && !q.closing
		switch {
		case over:
			q.burst, q.state = 0, map[types.UID]workState{}
			q.urgent.shrink()
			q.others.shrink()
		case len(q.state) == 0 && !q.closing:
			q.timer = time.AfterFunc(restAfter, q.rest(q.burst))
		}
		q.mu.Unlock()
		if over && q.rested != nil {
			q.rested()
		}
	}
}

func (q *workqueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closing = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.ready.Broadcast()
}

// fifo is a queue whose memory is used again.
type fifo struct {
	list []types.UID
	from int
}

// shrink gives back the memory of an empty queue that was long.
func (f *fifo) shrink() {
	if f.from == len(f.list) && cap(f.list) > kept {
		*f = fifo{}
	}
}

func (f *fifo) push(uid types.UID) {
	if f.from > len(f.list)/2 && f.from > 64 {
		n := copy(f.list, f.list[f.from:])
		clear(f.list[n:])
		f.list, f.from = f.list[:n], 0
	}
	f.list = append(f.list, uid)
}

// first is what pop would return.
func (f *fifo) first() (types.UID, bool) {
	if f.from == len(f.list) {
		return "", false
	}
	return f.list[f.from], true
}

func (f *fifo) pop() (types.UID, bool) {
	if f.from == len(f.list) {
		f.list, f.from = f.list[:0], 0
		return "", false
	}
	uid := f.list[f.from]
	f.list[f.from] = ""
	f.from++
	return uid, true
}
