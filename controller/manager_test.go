package controller_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

// census is a made-up controller: it counts how often it has looked at each workspace.
type census struct {
	name    string
	objects *controller.Objects
	store   controller.Store
	book    *book
	ends    map[string][]error // of the reconciles of a workspace, one after another
}

// book is what all controllers of a test write into.
type book struct {
	mu    sync.Mutex
	lines []string
}

func (b *book) write(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
}

func (c *census) Reconcile(ctx context.Context, o *controller.Object) (controller.Result, error) {
	_, err := c.store.Get(ctx, o.Key)
	if errors.Is(err, store.ErrNotFound) {
		c.book.write(c.name + ": " + o.Key.Name + " is gone")
		c.objects.Forget(o)
		return controller.Result{}, nil
	}
	if ends := c.ends[o.Key.Name]; len(ends) > 0 {
		c.ends[o.Key.Name] = ends[1:]
		err = ends[0]
	}
	c.book.write(fmt.Sprintf("%s: %s, %v", c.name, o.Key.Name, err))
	return controller.Result{}, err
}

func newCensus(name string, objects controller.Store, b *book) (*census, *controller.Controller[*controller.Object]) {
	c := &census{name: name, store: objects, book: b, objects: &controller.Objects{Queue: controller.NewQueue[*controller.Object](nil)}}
	return c, &controller.Controller[*controller.Object]{
		Name: name, Reconciler: c, Queue: c.objects.Queue, Workers: 1,
		Sources: []controller.Source{{List: store.ListOptions{Kind: v1.KindWorkspace}, Handler: c.objects}},
		Drain:   func() { b.write(name + " drains") },
	}
}

// TestAManagerRunsControllersOfAnyKind runs two made-up controllers over a real store: one
// that fails, as told, and one that does not.
func TestAManagerRunsControllersOfAnyKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects, err := file.Open(t.TempDir(), file.Options{MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		registry := prometheus.NewPedanticRegistry()
		m, err := controller.NewManager(objects, logr.Discard(), registry)
		if err != nil {
			t.Fatal(err)
		}
		b := &book{}
		failing, first := newCensus("first", objects, b)
		failing.ends = map[string][]error{
			"a": {errors.New("away"), nil},
			"b": {controller.TerminalError(errors.New("it cannot be decoded"))},
		}
		_, second := newCensus("second", objects, b)
		for _, c := range []*controller.Controller[*controller.Object]{first, second} {
			if err := m.Add(c); err != nil {
				t.Fatal(err)
			}
		}
		if _, again := newCensus("first", objects, b); m.Add(again) == nil {
			t.Error("a second controller of that name was added")
		}
		createWorkspace(t, objects, "a")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		step := func(do func(), want ...string) {
			t.Helper()
			do()
			time.Sleep(time.Hour)
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			slices.Sort(b.lines)
			if !slices.Equal(b.lines, want) {
				t.Errorf("got  %q\nwant %q", b.lines, want)
			}
			b.lines = nil
		}
		step(func() {}, "first: a, <nil>", "first: a, away", "second: a, <nil>")
		step(func() { createWorkspace(t, objects, "b") }, "first: b, it cannot be decoded", "second: b, <nil>")
		step(func() {
			if _, err := objects.Delete(t.Context(), store.Key{Kind: v1.KindWorkspace, Name: "a"}, store.Preconditions{}); err != nil {
				t.Error(err)
			}
		}, "first: a is gone", "second: a is gone")
		if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP jobwright_reconcile_total Reconciles by controller and result: success, error (tried again), terminal (not tried again).
# TYPE jobwright_reconcile_total counter
jobwright_reconcile_total{controller="first",result="error"} 1
jobwright_reconcile_total{controller="first",result="success"} 2
jobwright_reconcile_total{controller="first",result="terminal"} 1
jobwright_reconcile_total{controller="second",result="error"} 0
jobwright_reconcile_total{controller="second",result="success"} 3
jobwright_reconcile_total{controller="second",result="terminal"} 0
`), "jobwright_reconcile_total"); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		if want := []string{"second drains", "first drains"}; !slices.Equal(b.lines, want) {
			t.Errorf("at the end: %q, want %q", b.lines, want)
		}
		if err := objects.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestAManagerEndsWhenItsStoreIsClosed: that is the one error that ends Run.
func TestAManagerEndsWhenItsStoreIsClosed(t *testing.T) {
	objects, err := file.Open(t.TempDir(), file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := controller.NewManager(objects, logr.Discard(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &book{}
	for _, name := range []string{"first", "second"} {
		_, c := newCensus(name, objects, b)
		if err := m.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() { done <- m.Run(t.Context()) }()
	if err := objects.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, store.ErrClosed) {
		t.Errorf("Run = %v, want %v", err, store.ErrClosed)
	}
}
