package controller

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// named is an Item.
type named struct {
	name  string
	state State
}

func (n *named) QueueState() *State { return &n.state }

func TestQueue(t *testing.T) {
	type step struct {
		do  func(q *Queue[*named])
		get string // what is handed out next; empty: nothing is asked for
	}
	jobs := map[string]*named{}
	of := func(name string, do func(*Queue[*named], *named)) func(*Queue[*named]) {
		return func(q *Queue[*named]) { do(q, jobs[name]) }
	}
	add := func(name string) func(*Queue[*named]) { return of(name, (*Queue[*named]).Add) }
	first := func(name string) func(*Queue[*named]) { return of(name, (*Queue[*named]).AddFirst) }
	done := func(name string) func(*Queue[*named]) {
		return of(name, func(q *Queue[*named], item *named) { q.done(item, Result{}, nil) })
	}
	for name, steps := range map[string][]step{
		"in the order in which they came":               {{add("a"), ""}, {add("b"), "a"}, {done("a"), "b"}},
		"each once":                                     {{add("a"), ""}, {add("a"), ""}, {add("b"), "a"}, {done("a"), "b"}},
		"what holds a slot goes first":                  {{add("a"), ""}, {first("b"), "b"}, {done("b"), "a"}},
		"also when it waited with the others":           {{add("a"), ""}, {add("b"), ""}, {first("b"), "b"}, {add("c"), "a"}, {done("b"), "c"}},
		"one that is worked on is handed out afterward": {{add("a"), "a"}, {add("a"), ""}, {add("b"), "b"}, {done("a"), "a"}},
		"and first when it holds a slot by then":        {{add("a"), "a"}, {add("a"), ""}, {add("b"), ""}, {first("a"), ""}, {done("a"), "a"}, {done("a"), "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			q := NewQueue[*named](nil)
			for _, name := range []string{"a", "b", "c"} {
				jobs[name] = &named{name: name}
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
	var f FIFO[*named]
	for range 100_000 {
		f.Push(&named{name: "a"})
		f.Push(&named{name: "b"})
		f.Pop()
		f.Pop()
	}
	if cap(f.list) > 1024 {
		t.Errorf("the queue grew to %d", cap(f.list))
	}
}

func TestTheQueueRestsAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue[*named](nil)
		var rested atomic.Int32
		q.rested = func() { rested.Add(1) }
		work := func(n int) {
			for range n {
				q.Add(new(named))
			}
			for range n {
				item, _ := q.get()
				q.done(item, Result{}, nil)
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

func TestWhatFailsIsTriedAgainWithBackoff(t *testing.T) {
	failed := errors.New("away")
	for name, test := range map[string]struct {
		ends []Result
		errs []error
		want []time.Duration // after which the item comes again; it does not after those
	}{
		"an error, longer each time":     {errs: []error{failed, failed, failed}, want: []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}},
		"not after a terminal one":       {errs: []error{failed, TerminalError(failed)}, want: []time.Duration{100 * time.Millisecond}},
		"from the start after a success": {errs: []error{failed, nil}, ends: []Result{{}, {After: time.Second}}, want: []time.Duration{100 * time.Millisecond, time.Second}},
		"not at all when nothing is due": {errs: []error{nil}},
		"when it is due":                 {errs: []error{nil, nil}, ends: []Result{{After: time.Hour}, {}}, want: []time.Duration{time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, item := NewQueue[*named](nil), new(named)
				handed := make(chan time.Duration, 10)
				began := time.Now()
				go func() {
					for i := 0; ; i++ {
						got, ok := q.get()
						if !ok {
							return
						}
						handed <- time.Since(began)
						began = time.Now()
						var result Result
						if i < len(test.ends) {
							result = test.ends[i]
						}
						var err error
						if i < len(test.errs) {
							err = test.errs[i]
						}
						q.done(got, result, err)
					}
				}()
				q.Add(item)
				time.Sleep(24 * time.Hour)
				q.close()
				synctest.Wait()
				close(handed)
				var got []time.Duration
				for after := range handed {
					got = append(got, after)
				}
				if want := append([]time.Duration{0}, test.want...); !slices.Equal(got, want) {
					t.Errorf("handed out after %v, want %v", got, want)
				}
			})
		})
	}
}
