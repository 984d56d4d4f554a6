package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// next reads n events from w.
func (c *testCase) next(w store.Watch, n int) []store.Event {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	var events []store.Event
	for len(events) < n {
		more, err := w.Next(ctx)
		if err != nil {
			c.Fatalf("watch: %v after %d of %d events", err, len(events), n)
		}
		if len(more) == 0 {
			c.Fatal("Next returned no event")
		}
		events = append(events, more...)
	}
	return events
}

// told renders events for comparison.
func told(events []store.Event) []string {
	var told []string
	for _, e := range events {
		told = append(told, string(e.Type)+" "+e.Record.Key().Name)
	}
	return told
}

func testWatch(t *testing.T, f *fixture) {
	f.run("delivers what comes after its version, in order, as it is stored", watchDelivers)
	f.run("can be resumed from each version", watchResumes)
	f.run("selects by workspace, name, kind and label", watchSelects)
	f.run("waits until something comes, and ends with its context", watchWaits)
	f.run("its progress goes on with what it does not select, and a watch from there misses nothing", watchProgresses)
	f.run("answers ErrExpired for a version that never was", watchExpires)
}

// watchDelivers checks that a watch delivers what comes after its version, in order, as it
// is stored.
func watchDelivers(c *testCase) {
	c.create(job("acme", "before"))
	w := c.watch(store.WatchOptions{Since: c.list(store.ListOptions{}).ResourceVersion})
	created := c.create(job("acme", "a"))[0]
	j := c.decode(created)
	j.Status.Pct = 5
	soft := c.status(j, store.Soft)
	j = c.decode(soft)
	j.Spec.Cancel = true
	updated := c.update(j)
	deleted := c.delete(jobKey("acme", "a"))
	events := c.next(w, 4)
	for i, want := range []store.Record{created, soft, updated, deleted} {
		if i == 3 && !c.has.DeletedVersion { // want is the state before
			if got := events[i].Record; got.UID() != want.UID() || got.ResourceVersion() <= want.ResourceVersion() {
				c.Errorf("the deletion is told of %s at version %d, it was at %d", got.UID(), got.ResourceVersion(), want.ResourceVersion())
			}
			continue
		}
		if !equal(events[i].Record, want) {
			c.Errorf("event %d differs from what the write returned", i)
		}
	}
	want := []string{"ADDED a", "MODIFIED a", "MODIFIED a", "DELETED a"}
	if got := told(events); !slices.Equal(got, want) {
		c.Errorf("got %v", got)
	}
}

// watchResumes checks that a watch can be resumed from each version.
func watchResumes(c *testCase) {
	start := c.list(store.ListOptions{}).ResourceVersion
	for i := range 5 {
		c.create(job("acme", fmt.Sprint(i)))
	}
	all := c.next(c.watch(store.WatchOptions{Since: start}), 5)
	for i, e := range all[:4] {
		rest := c.next(c.watch(store.WatchOptions{Since: e.Record.ResourceVersion()}), 4-i)
		if len(rest) != 4-i || !equal(rest[0].Record, all[i+1].Record) {
			c.Errorf("from %d: got %v", i, told(rest))
		}
	}
}

// watchSelects checks that a watch selects by workspace, name, kind and label.
func watchSelects(c *testCase) {
	start := c.list(store.ListOptions{}).ResourceVersion
	web := labels.SelectorFromSet(labels.Set{"team": "web"})
	watches := map[string]store.Watch{
		"acme": c.watch(store.WatchOptions{Namespace: "acme", Since: start}),
		"one":  c.watch(store.WatchOptions{Namespace: "acme", Name: "b", Since: start}),
		"ws":   c.watch(store.WatchOptions{Kind: v1.KindWorkspace, Since: c.list(store.ListOptions{Kind: v1.KindWorkspace}).ResourceVersion}),
		"web":  c.watch(store.WatchOptions{Labels: web, Since: start}),
	}
	a := job("acme", "a")
	a.Labels = map[string]string{"team": "web"}
	a = c.created(a)
	c.create(job("acme", "b"), job("beta", "b"), workspace("fresh"))
	a.Status.Pct = 1
	a = c.decode(c.status(a, store.Durable))
	a.Labels = nil // it stops to match
	a = c.decode(c.update(a))
	a.Labels = map[string]string{"team": "web"} // and starts again
	c.update(a)
	c.delete(jobKey("acme", "a"))
	for name, want := range map[string][]string{
		"acme": {"ADDED a", "ADDED b", "MODIFIED a", "MODIFIED a", "MODIFIED a", "DELETED a"},
		"one":  {"ADDED b"},
		"ws":   {"ADDED fresh"},
		"web":  {"ADDED a", "MODIFIED a", "DELETED a", "ADDED a", "DELETED a"},
	} {
		if got := told(c.next(watches[name], len(want))); !slices.Equal(got, want) {
			c.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// watchWaits checks that Next waits until something comes, and ends with its context.
func watchWaits(c *testCase) {
	w := c.watch(store.WatchOptions{Since: c.list(store.ListOptions{}).ResourceVersion})
	ctx, cancel := context.WithCancel(c.ctx)
	got := make(chan error, 1)
	go func() {
		_, err := w.Next(ctx)
		got <- err
	}()
	c.create(job("acme", "a"))
	if err := <-got; err != nil {
		c.Error(err)
	}
	go func() {
		_, err := w.Next(ctx)
		got <- err
	}()
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		c.Errorf("error is %v", err)
	}
}

// watchProgresses checks that the progress of a watch goes on with what the watch does not
// select, and that a watch from there misses nothing.
func watchProgresses(c *testCase) {
	start := c.list(store.ListOptions{}).ResourceVersion
	w := c.watch(store.WatchOptions{Name: "wanted", Namespace: "acme", Since: start})
	if got := w.Progress(); got != start {
		c.Errorf("progress is %d before anything was read, want %d", got, start)
	}
	other := c.create(job("acme", "other"))[0]
	wanted := c.create(job("acme", "wanted"))[0]
	c.next(w, 1)
	if got := w.Progress(); got != wanted.ResourceVersion() {
		c.Errorf("progress is %d, want %d", got, wanted.ResourceVersion())
	}
	c.delete(other.Key())
	ctx, cancel := context.WithCancel(c.ctx)
	seen := c.watch(store.WatchOptions{Since: w.Progress()})
	deletion := c.next(seen, 1)[0].Record.ResourceVersion() // so w can have it too
	cancel()
	if _, err := w.Next(ctx); !errors.Is(err, context.Canceled) {
		c.Errorf("error is %v", err)
	}
	if got := w.Progress(); got != wanted.ResourceVersion() && got != deletion {
		c.Errorf("progress is %d, which is neither that of the last event, %d, nor the store's, %d", got, wanted.ResourceVersion(), deletion)
	}
	c.create(job("acme", "later"))
	again := c.watch(store.WatchOptions{Since: w.Progress()})
	if got := c.next(again, 1)[0].Record.Key().Name; got != "later" && got != "other" {
		c.Errorf("the watch from there begins with %s", got)
	}
}

// watchExpires checks the answer to a version that never was.
func watchExpires(c *testCase) {
	c.create(job("acme", "a"))
	now := c.list(store.ListOptions{}).ResourceVersion
	w, err := c.s.Watch(c.ctx, store.WatchOptions{Kind: v1.KindJob, Since: now + 1_000_000})
	if err == nil { // it may take its first Next to find out
		defer w.Close()
		_, err = w.Next(c.ctx)
	}
	c.wantErr(err, store.ErrExpired)
}
