package watchring_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/labels"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/watchring"
)

// change is a change of a job.
type change struct {
	kind          store.EventType
	name          string
	version       uint64
	bytes         int
	before, after labels.Set
	forgotten     *int
}

func (c *change) Key() store.Key {
	return store.Key{Kind: v1.KindJob, Namespace: "acme", Name: c.name}
}
func (c *change) Version() uint64 { return c.version }
func (c *change) Event() store.Event {
	return store.Event{Type: c.kind, Record: store.NewRecord(c.Key(), uuid.UUID{}, c.version, nil)}
}
func (c *change) Labels() (before, after labels.Labels) { return c.before, c.after }
func (c *change) Bytes() int                            { return c.bytes }
func (c *change) Forget()                               { *c.forgotten++ }

// engine is a ring with the lock that an engine has around it.
type engine struct {
	sync.RWMutex
	*watchring.Ring[change, *change]
	closed    chan struct{}
	forgotten int
}

func newEngine(limits watchring.Limits) *engine {
	e := &engine{closed: make(chan struct{})}
	e.Ring = watchring.New[change](e.RLocker(), e.closed, limits)
	e.Begin(10, 10, 11)
	return e
}

func (e *engine) add(changes ...change) {
	e.Lock()
	defer e.Unlock()
	for _, c := range changes {
		c.forgotten = &e.forgotten
		e.Add(c)
	}
	e.Wake()
}

var wide = watchring.Limits{Bytes: 1 << 20, IdleBytes: 1 << 10, Events: 1 << 10}

func jobs(since uint64) store.WatchOptions {
	return store.WatchOptions{Kind: v1.KindJob, Since: since}
}

func TestAWatchBeginsWhereTheRingKnowsTheVersion(t *testing.T) {
	e := newEngine(watchring.Limits{Bytes: 25, IdleBytes: 10, Events: 1 << 10})
	e.Begin(10, 10, 100) // versions 11 to 99 may have been seen before a crash
	for v := uint64(100); v < 110; v++ {
		e.add(change{kind: store.Added, name: "a", version: v, bytes: 10})
	}
	for name, tc := range map[string]struct {
		since uint64
		known bool
	}{
		"at the last version":            {109, true},
		"at one that it holds":           {108, true},
		"at the last that has gone":      {107, true},
		"before that":                    {106, false},
		"at one that means nothing now":  {50, false},
		"at one that never was":          {110, false},
		"at the opening, which has gone": {10, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := e.Watch(jobs(tc.since))
			if tc.known != (err == nil) || !tc.known && !errors.Is(err, store.ErrExpired) {
				t.Fatalf("Watch: %v", err)
			}
			if tc.known && w.Progress() != tc.since {
				t.Errorf("progress is %d before anything was read", w.Progress())
			}
		})
	}
	if e.forgotten != 8 {
		t.Errorf("%d changes were let go of, want 8", e.forgotten)
	}
	e.Lock()
	e.Shrink()
	e.Unlock()
	if e.forgotten != 9 {
		t.Errorf("at rest %d changes were let go of, want 9", e.forgotten)
	}
}

func TestAWatchThatIsOvertakenIsTold(t *testing.T) {
	e := newEngine(watchring.Limits{Bytes: 1 << 20, IdleBytes: 1 << 10, Events: 64})
	w, err := e.Watch(jobs(10))
	if err != nil {
		t.Fatal(err)
	}
	for v := uint64(11); v < 11+65; v++ {
		e.add(change{kind: store.Added, name: "a", version: v})
	}
	if _, err := w.Next(t.Context()); !errors.Is(err, store.ErrExpired) {
		t.Errorf("Next: %v, want ErrExpired", err)
	}
}

func TestWhatALabelSelectorMakesOfAChange(t *testing.T) {
	web, api := labels.Set{"team": "web"}, labels.Set{"team": "api"}
	for name, tc := range map[string]struct {
		kind          store.EventType
		before, after labels.Set
		want          store.EventType
	}{
		"added and selected":     {store.Added, nil, web, store.Added},
		"added and not selected": {store.Added, nil, api, ""},
		"stays selected":         {store.Modified, web, web, store.Modified},
		"becomes selected":       {store.Modified, api, web, store.Added},
		"is selected no longer":  {store.Modified, web, nil, store.Deleted},
		"was and is not":         {store.Modified, api, nil, ""},
		"deleted and selected":   {store.Deleted, web, web, store.Deleted},
		"deleted and was not":    {store.Deleted, api, api, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(wide)
			opts := jobs(10)
			opts.Labels = labels.SelectorFromSet(web)
			w, err := e.Watch(opts)
			if err != nil {
				t.Fatal(err)
			}
			e.add(
				change{kind: tc.kind, name: "a", version: 11, before: tc.before, after: tc.after},
				change{kind: store.Added, name: "end", version: 12, after: web},
			)
			events, err := w.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got store.EventType
			if len(events) == 2 {
				got = events[0].Type
			}
			if got != tc.want {
				t.Errorf("it is told as %q, want %q", got, tc.want)
			}
		})
	}
}

func TestProgressGoesOnWithoutAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(wide)
		opts := jobs(10)
		opts.Name = "wanted"
		w, err := e.Watch(opts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() {
			time.Sleep(time.Second)
			e.add(change{kind: store.Added, name: "other", version: 20})
		}()
		if _, err := w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Next: %v", err)
		}
		if w.Progress() != 20 {
			t.Errorf("progress is %d, want 20", w.Progress())
		}
		go e.add(change{kind: store.Added, name: "wanted", version: 21})
		if events, err := w.Next(t.Context()); err != nil || len(events) != 1 || w.Progress() != 21 {
			t.Errorf("after the deadline: %d events, %v, progress %d", len(events), err, w.Progress())
		}
		close(e.closed)
		if _, err := w.Next(t.Context()); !errors.Is(err, store.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestEachWatchSeesEachChangeOnceAndInOrder has watches come and go while changes are
// added at random.
func TestEachWatchSeesEachChangeOnceAndInOrder(t *testing.T) {
	const total = 5000
	e := newEngine(watchring.Limits{Bytes: 1 << 30, IdleBytes: 1 << 30, Events: 1 << 13})
	var want []uint64
	for v := uint64(11); v < 11+total; v++ {
		want = append(want, v)
	}
	var wg sync.WaitGroup
	for range 8 {
		w, err := e.Watch(jobs(10))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			var got []uint64
			for len(got) < total {
				events, err := w.Next(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				for _, event := range events {
					got = append(got, event.Record.ResourceVersion())
				}
				if w.Progress() != got[len(got)-1] {
					t.Errorf("progress is %d after version %d", w.Progress(), got[len(got)-1])
				}
				if len(got)%7 == 0 { // its reader goes away and comes back
					w.Close()
					if w, err = e.Watch(jobs(w.Progress())); err != nil {
						t.Error(err)
						return
					}
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("versions differ: %s", cmp.Diff(want, got))
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 1))
	for v := uint64(11); v < 11+total; {
		var some []change
		for range min(1+random.IntN(100), 11+total-int(v)) {
			some = append(some, change{kind: store.Modified, name: fmt.Sprint(v % 5), version: v, bytes: 1})
			v++
		}
		e.add(some...)
	}
	wg.Wait()
}
