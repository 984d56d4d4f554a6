package schedule

import (
	"container/heap"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// Item is one queued job.
type Item struct {
	UID      types.UID
	Priority int32
}

// before reports whether a runs before b.
func (a Item) before(b Item) bool {
	if a.Priority != b.Priority {
		return a.Priority > b.Priority
	}
	return strings.Compare(string(a.UID), string(b.UID)) < 0
}

// Queue holds the queued jobs in the order in which they run. It is not safe for
// concurrent use.
type Queue struct {
	heap  itemHeap
	index map[types.UID]*entry
}

type entry struct {
	Item
	at int // place in the heap
}

// New returns an empty queue.
func New() *Queue { return &Queue{index: map[types.UID]*entry{}} }

// Len is how many jobs are queued.
func (q *Queue) Len() int { return len(q.heap) }

// Upsert queues a job, or gives a queued one its new priority.
func (q *Queue) Upsert(item Item) {
	if e, ok := q.index[item.UID]; ok {
		if e.Item != item {
			e.Item = item
			heap.Fix(&q.heap, e.at)
		}
		return
	}
	e := &entry{Item: item}
	q.index[item.UID] = e
	heap.Push(&q.heap, e)
}

// Remove takes a job out; it is no error when it is not queued.
func (q *Queue) Remove(uid types.UID) {
	if e, ok := q.index[uid]; ok {
		heap.Remove(&q.heap, e.at)
		delete(q.index, uid)
	}
}

// Pop takes out the job that runs next; false: none is queued.
func (q *Queue) Pop() (Item, bool) {
	if len(q.heap) == 0 {
		return Item{}, false
	}
	e := heap.Pop(&q.heap).(*entry)
	delete(q.index, e.UID)
	return e.Item, true
}

// Position is how many queued jobs run before this one; false: it is not queued.
// It costs O(n).
func (q *Queue) Position(uid types.UID) (int, bool) {
	this, ok := q.index[uid]
	if !ok {
		return 0, false
	}
	n := 0
	for _, e := range q.heap {
		if e.before(this.Item) {
			n++
		}
	}
	return n, true
}

// itemHeap is a heap of queued jobs, the next one first.
type itemHeap []*entry

func (h itemHeap) Len() int           { return len(h) }
func (h itemHeap) Less(i, j int) bool { return h[i].before(h[j].Item) }
func (h itemHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *itemHeap) Push(x any) {
	e := x.(*entry)
	e.at = len(*h)
	*h = append(*h, e)
}

func (h *itemHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
