package eventstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

func testFollow(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	appendAll(t, s, event("a", "Queued", 0), event("b", "Queued", 1))
	follower := s.Follow(0, events.Filter{Workspace: "acme", Match: func(e *events.Event) bool { return e.Job != "b" }})
	const n = 300 // several segments, less than are dropped
	var appending sync.WaitGroup
	appending.Go(func() { fill(t, s, n) })
	var got []string
	last := uint64(0)
	for len(got) < n+1 {
		batch, err := follower.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range batch {
			if e.Seq <= last {
				t.Fatalf("number %d after %d", e.Seq, last)
			}
			last = e.Seq
			got = append(got, e.Job)
		}
	}
	appending.Wait()
	want := []string{"a"}
	for i := range n {
		want = append(want, fmt.Sprintf("job-%d", i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if end := list(t, s, events.Filter{Limit: 1}).Seq; follower.Seq() != end {
		t.Errorf("Seq %d, want %d", follower.Seq(), end)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := follower.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next with a canceled context: %v", err)
	}
	if _, err := s.Follow(follower.Seq()+1000, events.Filter{}).Next(t.Context()); !errors.Is(err, store.ErrExpired) {
		t.Errorf("a number that was never given: %v", err)
	}
	closing := make(chan error)
	go func() {
		_, err := follower.Next(t.Context())
		closing <- err
	}()
	closeStore(t, s)
	if err := <-closing; !errors.Is(err, store.ErrClosed) {
		t.Errorf("Next when the s is closed: %v", err)
	}
}

func testConcurrency(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			job := fmt.Sprintf("job-%d", worker)
			for i := range 50 {
				e := event(job, "Queued", i)
				e.Message = fmt.Sprint(i)
				s.Record(e)
				got := list(t, s, events.Filter{Job: job, Limit: 1}).Events
				if len(got) != 1 || got[0].Message != e.Message {
					t.Errorf("%s: %v, want what was just appended: %d", job, got, i)
				}
			}
		})
		all.Go(func() {
			follower := s.Follow(0, events.Filter{Job: fmt.Sprintf("job-%d", worker)})
			for seen := 0; seen < 50; {
				batch, err := follower.Next(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				seen += len(batch)
			}
		})
	}
	all.Wait()
}

func testClock(t *testing.T, engine Engine) {
	dir := t.TempDir()
	s := open(t, engine, dir, 0)
	want := []string{"build/D", "build/C", "build/B", "build/A"} // the latest first
	for i, reason := range []string{"A", "B", "C", "D"} {
		appendAll(t, s, event("build", reason, []int{3600, 0, 7200, -3600}[i]))
	}
	for range 2 { // as written, and read by the next server
		if diff := cmp.Diff(want, words(list(t, s, events.Filter{}).Events)); diff != "" {
			t.Error(diff)
		}
		closeStore(t, s)
		s = open(t, engine, dir, 0)
	}
}

func testRestart(t *testing.T, engine Engine) {
	dir := t.TempDir()
	s := engine.Open(t, dir, 0)
	appendAll(t, s, event("a", "Queued", 0), event("a", "Started", 1))
	before := list(t, s, events.Filter{}).Seq
	closeStore(t, s)
	s = open(t, engine, dir, 0)
	appendAll(t, s, event("a", "Completed", 2))
	got, err := s.Follow(before, events.Filter{}).Next(t.Context())
	if err != nil || len(got) != 1 || got[0].Reason != "Completed" || got[0].Seq <= before {
		t.Errorf("after number %d: %+v, %v", before, got, err)
	}
	if diff := cmp.Diff([]string{"a/Completed", "a/Started", "a/Queued"}, words(list(t, s, events.Filter{}).Events)); diff != "" {
		t.Error(diff)
	}
}
