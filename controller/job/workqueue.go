package job

import (
	"sync"
	"time"
)

// workqueue hands out the jobs that want a reconcile, each to one worker at a time:
// one that is added while it is worked on is handed out again afterwards, once. It
// holds a job at most twice, so it is bounded by the jobs there are. Where a job stands is
// noted in its entry, under the queue's lock.
//
// What holds a slot goes first: jobs that were granted one, and attempts that have
// ended. Otherwise a slot would stand empty while thousands of new jobs are looked at
// for the first time.
type workqueue struct {
	mu      sync.Mutex
	ready   sync.Cond
	urgent  fifo
	others  fifo
	busy    int // entries that are not idle
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

type workState uint8

const (
	idle         workState = iota
	waiting                // in others
	waitingFirst           // in urgent
	working                // with a worker
	again                  // with a worker, and added since
	againFirst             // with a worker, and added to urgent since
)

func newWorkqueue() *workqueue {
	q := &workqueue{}
	q.ready.L = &q.mu
	return q
}

// add asks for a reconcile of the job.
func (q *workqueue) add(e *entry) { q.put(e, false) }

// addFirst asks for a reconcile of a job that holds a slot.
func (q *workqueue) addFirst(e *entry) { q.put(e, true) }

func (q *workqueue) put(e *entry, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch state := e.work; {
	case state == working && first, state == again && first:
		e.work = againFirst
	case state == working:
		e.work = again
	case state == idle:
		q.busy++
		q.push(e, first)
	case state == waiting && first: // what is in others still is passed over
		q.push(e, first)
	}
}

func (q *workqueue) push(e *entry, first bool) {
	if first {
		e.work = waitingFirst
		q.urgent.push(e)
	} else {
		e.work = waiting
		q.others.push(e)
	}
	q.ready.Signal()
}

// get waits for a job; false: the queue was closed.
func (q *workqueue) get() (*entry, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closing {
			return nil, false
		}
		if e := q.urgent.pop(); e != nil {
			e.work = working
			return e, true
		}
		e := q.others.pop()
		switch {
		case e == nil:
			q.ready.Wait()
		case e.work == waiting:
			e.work = working
			return e, true
		}
	}
}

// done gives a job back.
func (q *workqueue) done(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch e.work {
	case again:
		q.push(e, false)
	case againFirst:
		q.push(e, true)
	case idle, waiting, waitingFirst, working:
		e.work = idle
		q.busy--
	}
	q.burst++
	if q.busy == 0 && q.burst >= burstAt && q.timer == nil && !q.closing {
		q.timer = time.AfterFunc(restAfter, q.rest(q.burst))
	}
}

// rest returns what gives back the memory of a burst, if nothing has happened since it
// was of the given size.
func (q *workqueue) rest(burst int) func() {
	return func() {
		q.mu.Lock()
		q.timer = nil
		over := q.busy == 0 && q.burst == burst && !q.closing
		switch {
		case over:
			q.burst = 0
			q.urgent.shrink()
			q.others.shrink()
		case q.busy == 0 && !q.closing:
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
	list []*entry
	from int
}

// shrink gives back the memory of an empty queue that was long.
func (f *fifo) shrink() {
	if f.from == len(f.list) && cap(f.list) > kept {
		*f = fifo{}
	}
}

func (f *fifo) push(e *entry) {
	if f.from > len(f.list)/2 && f.from > 64 {
		n := copy(f.list, f.list[f.from:])
		clear(f.list[n:])
		f.list, f.from = f.list[:n], 0
	}
	f.list = append(f.list, e)
}

// first is what pop would return.
func (f *fifo) first() *entry {
	if f.from == len(f.list) {
		return nil
	}
	return f.list[f.from]
}

// pop takes the first entry out; nil: there is none.
func (f *fifo) pop() *entry {
	if f.from == len(f.list) {
		f.list, f.from = f.list[:0], 0
		return nil
	}
	e := f.list[f.from]
	f.list[f.from] = nil
	f.from++
	return e
}
