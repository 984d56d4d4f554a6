package controller_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

// faulty is a store of which the next lists and watches fail.
type faulty struct {
	*file.Store
	lists, watches, nexts []error // of the next calls, one after another; nil: it works
}

func next(errs *[]error) (err error) {
	if len(*errs) > 0 {
		err, *errs = (*errs)[0], (*errs)[1:]
	}
	return err
}

func (f *faulty) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if err := next(&f.lists); err != nil {
		return store.Page{}, err
	}
	return f.Store.List(ctx, opts)
}

func (f *faulty) Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error) {
	if err := next(&f.watches); err != nil {
		return nil, err
	}
	watch, err := f.Store.Watch(ctx, opts)
	return &faultyWatch{watch, f}, err
}

type faultyWatch struct {
	store.Watch
	f *faulty
}

func (w *faultyWatch) Next(ctx context.Context) ([]store.Event, error) {
	if err := next(&w.f.nexts); err != nil {
		return nil, err
	}
	return w.Watch.Next(ctx)
}

// recorder is a Handler that keeps what it was told.
type recorder struct {
	told  []string
	uids  map[string]uuid.UUID
	after func(told string) // called with each
}

func (r *recorder) tell(what string) {
	r.told = append(r.told, what)
	if r.after != nil {
		r.after(what)
	}
}

func (r *recorder) Handle(changes []store.Event) {
	for _, change := range changes {
		r.uids[change.Record.Key().Name] = change.Record.UUID()
		r.tell(string(change.Type) + " " + change.Record.Key().Name)
	}
}

func (r *recorder) Listed(_ uint64, shown func(uuid.UUID) bool) {
	what := "listed"
	if shown != nil {
		for _, name := range []string{"a", "b"} {
			if uid, known := r.uids[name]; known && !shown(uid) {
				what += ", gone " + name
			}
		}
	}
	r.tell(what)
}

func TestASourceOutlivesItsFaults(t *testing.T) {
	away := errors.New("connection reset by peer")
	for name, test := range map[string]struct {
		lists, watches, nexts []error
		create                []string          // before the source follows
		change                map[string]string // what it was told → the workspace that is created or deleted then
		want                  []string
		wait                  time.Duration // at most, in all
	}{
		"the list fails for a while": {
			lists: []error{away, away, away}, create: []string{"a"},
			want: []string{"MODIFIED a", "listed"}, wait: 700 * time.Millisecond,
		},
		"the watch cannot be begun, and goes on where the list ended": {
			watches: []error{away, away}, create: []string{"a"}, change: map[string]string{"listed": "b"},
			want: []string{"MODIFIED a", "listed", "ADDED b"}, wait: 300 * time.Millisecond,
		},
		"the watch breaks off, and goes on where it was": {
			nexts: []error{nil, away}, create: []string{"a"}, change: map[string]string{"listed": "b", "ADDED b": "a"},
			want: []string{"MODIFIED a", "listed", "ADDED b", "DELETED a"}, wait: 100 * time.Millisecond,
		},
		"the version is forgotten, and what has gone meanwhile is told": {
			watches: []error{nil, store.ErrExpired}, nexts: []error{nil, away}, create: []string{"a"}, change: map[string]string{"listed": "b", "ADDED b": "a"},
			want: []string{"MODIFIED a", "listed", "ADDED b", "MODIFIED b", "listed, gone a"}, wait: 300 * time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				objects, err := file.Open(t.TempDir(), file.Options{MinFree: -1})
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range test.create {
					createWorkspace(t, objects, name)
				}
				r := &recorder{uids: map[string]uuid.UUID{}}
				r.after = func(told string) {
					switch name := test.change[told]; {
					case name == "":
					case r.uids[name] == uuid.Nil:
						createWorkspace(t, objects, name)
					default:
						if _, err := objects.Delete(t.Context(), store.Key{Kind: v1.KindWorkspace, Name: name}, store.Preconditions{}); err != nil {
							t.Error(err)
						}
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() {
					source := controller.Source{List: store.ListOptions{Kind: v1.KindWorkspace}, Handler: r}
					done <- source.Follow(ctx, &faulty{objects, test.lists, test.watches, test.nexts}, logr.Discard())
				}()
				time.Sleep(test.wait)
				synctest.Wait()
				if !slices.Equal(r.told, test.want) {
					t.Errorf("told %q, want %q", r.told, test.want)
				}
				cancel()
				if err := <-done; err != nil {
					t.Errorf("Follow = %v after its context has ended", err)
				}
				if err := objects.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// overtaken is a store whose watches are always too old, some after they have delivered.
type overtaken struct {
	*file.Store
	lists atomic.Int64
	slow  time.Duration // how long a list takes
	moves bool
}

func (o *overtaken) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	o.lists.Add(1)
	time.Sleep(o.slow)
	return o.Store.List(ctx, opts)
}

func (o *overtaken) Watch(context.Context, store.WatchOptions) (store.Watch, error) {
	if o.moves {
		return &overtakenWatch{}, nil
	}
	return nil, store.ErrExpired
}

type overtakenWatch struct{ nexts int }

func (w *overtakenWatch) Next(context.Context) ([]store.Event, error) {
	if w.nexts++; w.nexts > 1 {
		return nil, store.ErrExpired
	}
	return []store.Event{}, nil
}

func (*overtakenWatch) Progress() uint64 { return 1 }
func (*overtakenWatch) Close()           {}

// TestASourceThatAlwaysFallsBehindBacksOff counts what it does in an hour: it lists at most
// every few seconds, and says so a dozen times.
func TestASourceThatAlwaysFallsBehindBacksOff(t *testing.T) {
	for name, o := range map[string]*overtaken{
		"at once":                  {},
		"after it has moved":       {moves: true},
		"after a list of a minute": {slow: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				objects, err := file.Open(t.TempDir(), file.Options{MinFree: -1})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = objects.Close() }()
				o.Store = objects
				var lines atomic.Int64
				log := funcr.New(func(string, string) { lines.Add(1) }, funcr.Options{})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				source := controller.Source{List: store.ListOptions{Kind: v1.KindWorkspace}, Handler: &recorder{uids: map[string]uuid.UUID{}}}
				if err := source.Follow(ctx, o, log); err != nil {
					t.Fatal(err)
				}
				// 2.5 s is the shortest wait once it has grown.
				if n, most := o.lists.Load(), int64(time.Hour/(2500*time.Millisecond))+10; n < 10 || n > most {
					t.Errorf("%d lists in an hour, at most %d are due", n, most)
				}
				if n := lines.Load(); n < 1 || n > 12 {
					t.Errorf("%d log lines in an hour", n)
				}
			})
		})
	}
}

func createWorkspace(t *testing.T, objects *file.Store, name string) {
	t.Helper()
	_, err := objects.Create(t.Context(), &v1.Workspace{
		TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace}, ObjectMeta: metav1.ObjectMeta{Name: name},
	})
	if err != nil {
		t.Error(err)
	}
}
