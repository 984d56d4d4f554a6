package job_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

// counted is a store that counts what is asked of it.
type counted struct {
	controller.Store
	calls atomic.Int64
}

func (c *counted) Get(ctx context.Context, key store.Key) (store.Record, error) {
	c.calls.Add(1)
	return c.Store.Get(ctx, key)
}

func (c *counted) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	c.calls.Add(1)
	return c.Store.List(ctx, opts)
}

func (c *counted) UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	c.calls.Add(1)
	return c.Store.UpdateStatus(ctx, obj, d)
}

func (c *counted) Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error) {
	c.calls.Add(1)
	watch, err := c.Store.Watch(ctx, opts)
	return &countedWatch{watch, c}, err
}

type countedWatch struct {
	store.Watch
	c *counted
}

// Next counts how often its caller is woken.
func (w *countedWatch) Next(ctx context.Context) ([]store.Event, error) {
	defer w.c.calls.Add(1)
	return w.Watch.Next(ctx)
}

// TestAnIdleServerIsQuiet counts what a controller with one suspended and one finished job
// does: its log lines, and what it asks of the store or is woken by, in the first minute
// and in the ten hours after it.
func TestAnIdleServerIsQuiet(t *testing.T) {
	for name, test := range map[string]struct {
		edited bool // jobs.json was edited before the start
		failed bool // the data folder is removed after the start
		// calls and lines are the most in the first minute, and later those in the ten hours
		// after it.
		calls, lines           int64
		laterCalls, laterLines int64
	}{
		"after a start":     {calls: 20},
		"after a hand edit": {edited: true, calls: 20},
		"over a store that has failed, with a job to start": {failed: true, calls: 60, lines: 20, laterCalls: 5000, laterLines: 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnvironment(t, succeed)
				e.start()
				e.create("done")
				e.until("done", terminal)
				e.create("waits", func(j *v1.Job) { j.Spec.Suspend = true })
				e.stop()
				if test.edited {
					path := filepath.Join(e.dir, "jobs.json")
					content, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(strings.Replace(string(content), `"suspend":true`, `"suspend":true,"priority":3`, 1)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				objects, err := file.Open(e.dir, file.Options{MinFree: -1, AcceptEdited: test.edited})
				if err == nil {
					err = objects.Close()
				}
				if err != nil {
					t.Fatal(err)
				}
				e.open()
				var lines atomic.Int64
				c := &counted{Store: e.store}
				e.opts.Store, e.opts.Log = c, funcr.New(func(a, b string) { lines.Add(1) }, funcr.Options{})
				e.start()
				if test.failed {
					e.create("next", func(j *v1.Job) { j.Spec.StartAfter = &metav1.Time{Time: time.Now().Add(time.Second)} })
					if err := os.RemoveAll(e.dir); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute)
				calls := c.calls.Swap(0)
				if calls > test.calls || lines.Load() > test.lines {
					t.Errorf("%d calls and %d log lines in the first minute, at most %d and %d are due", calls, lines.Load(), test.calls, test.lines)
				}
				lines.Store(0)
				time.Sleep(10 * time.Hour)
				if calls := c.calls.Load(); calls > test.laterCalls || lines.Load() > test.laterLines {
					t.Errorf("%d calls and %d log lines in ten hours, at most %d and %d are due", calls, lines.Load(), test.laterCalls, test.laterLines)
				}
			})
		})
	}
}
