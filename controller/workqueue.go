package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// workqueue hands out the jobs that want a reconcile, each to one worker at a time:
// one that is added while it is worked on is handed out again afterwards, once. It
// holds a job at most once, so it is bounded by the jobs there are.
type workqueue struct {
	mu      sync.Mutex
	ready   sync.Cond
	fifo    []types.UID
	state   map[types.UID]workState
	closing bool
}

type workState int

const (
	waiting workState = iota + 1 // in fifo
	working                      // with a worker
	again                        // with a worker, and added since
)

func newWorkqueue() *workqueue {
	q := &workqueue{state: map[types.UID]workState{}}
	q.ready.L = &q.mu
	return q
}

// add asks for a reconcile of the job.
func (q *workqueue) add(uid types.UID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch q.state[uid] {
	case waiting, again:
	case working:
		q.state[uid] = again
	default:
		q.state[uid] = waiting
		q.fifo = append(q.fifo, uid)
		q.ready.Signal()
	}
}

// get waits for a job; false: the queue was closed.
func (q *workqueue) get() (types.UID, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.fifo) == 0 && !q.closing {
		q.ready.Wait()
	}
	if q.closing {
		return "", false
	}
	uid := q.fifo[0]
	q.fifo = q.fifo[1:]
	q.state[uid] = working
	return uid, true
}

// done gives a job back.
func (q *workqueue) done(uid types.UID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state[uid] == again {
		q.state[uid] = waiting
		q.fifo = append(q.fifo, uid)
		q.ready.Signal()
		return
	}
	delete(q.state, uid)
}

func (q *workqueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closing = true
	q.ready.Broadcast()
}
