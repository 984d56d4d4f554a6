package job

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWorkqueue(t *testing.T) {
	type step struct {
		do  func(q *workqueue)
		get string // what is handed out next; empty: nothing is asked for
	}
	jobs := map[string]*entry{}
	of := func(name string, do func(*workqueue, *entry)) func(*workqueue) {
		return func(q *workqueue) { do(q, jobs[name]) }
	}
	add := func(name string) func(*workqueue) { return of(name, (*workqueue).add) }
	first := func(name string) func(*workqueue) { return of(name, (*workqueue).addFirst) }
	done := func(name string) func(*workqueue) { return of(name, (*workqueue).done) }
	for name, steps := range map[string][]step{
		"in the order in which they came":               {{add("a"), ""}, {add("b"), "a"}, {done("a"), "b"}},
		"each once":                                     {{add("a"), ""}, {add("a"), ""}, {add("b"), "a"}, {done("a"), "b"}},
		"what holds a slot goes first":                  {{add("a"), ""}, {first("b"), "b"}, {done("b"), "a"}},
		"also when it waited with the others":           {{add("a"), ""}, {add("b"), ""}, {first("b"), "b"}, {add("c"), "a"}, {done("b"), "c"}},
		"one that is worked on is handed out afterward": {{add("a"), "a"}, {add("a"), ""}, {add("b"), "b"}, {done("a"), "a"}},
		"and first when it holds a slot by then":        {{add("a"), "a"}, {add("a"), ""}, {add("b"), ""}, {first("a"), ""}, {done("a"), "a"}, {done("a"), "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			q := newWorkqueue()
			for _, name := range []string{"a", "b", "c"} {
				jobs[name] = &entry{name: name}
			}
			for i, s := range steps {
				s.do(q)
				if s.get == "" {
					continue
				}
				if got, ok := q.get(); !ok || got.name != s.get {
					t.Fatalf("step %d: got %v, %v, want %q", i, got, ok, s.get)
				}
			}
			q.close()
			if e, ok := q.get(); ok {
				t.Errorf("a closed queue hands out %s", e.name)
			}
		})
	}
}

func TestFifoUsesItsMemoryAgain(t *testing.T) {
	var f fifo
	for range 100_000 {
		f.push(&entry{name: "a"})
		f.push(&entry{name: "b"})
		f.pop()
		f.pop()
	}
	if cap(f.list) > 1024 {
		t.Errorf("the queue grew to %d", cap(f.list))
	}
}

func TestTheQueueRestsAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newWorkqueue()
		var rested atomic.Int32
		q.rested = func() { rested.Add(1) }
		work := func(n int) {
			for range n {
				q.add(new(entry))
			}
			for range n {
				e, _ := q.get()
				q.done(e)
			}
		}
		look := func(after time.Duration, want int32) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if n := rested.Load(); n != want {
				t.Errorf("it has rested %d times, want %d", n, want)
			}
		}
		work(burstAt - 1)
		look(time.Hour, 0)
		work(1)
		look(restAfter-1, 0)
		work(1) // only a pause
		look(1, 0)
		look(restAfter, 1)
		q.mu.Lock()
		if n := cap(q.others.list); n > kept {
			t.Errorf("room for %d jobs is kept", n)
		}
		q.mu.Unlock()
		work(1)
		look(time.Hour, 1)
		work(burstAt)
		q.close()
		look(time.Hour, 1)
	})
}
