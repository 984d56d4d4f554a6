package file_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"jobwright.dev/store/events"
	"jobwright.dev/store/events/file"
)

// TestTheEventsOfADeletedJobAreRemoved: from lists and from the file, over a restart, and
// those of other jobs stay with their numbers, also of one that has its name now.
func TestTheEventsOfADeletedJobAreRemoved(t *testing.T) {
	dir, path := written(t) // three events of a
	archive := open(t, file.Options{Dir: dir})
	again := event("a", "Queued", 5)
	again.UID = "uid-a-2"
	appendAll(t, archive, event("b", "Queued", 3), event("a", "Retrying", 4), again)
	ref := events.Ref{Workspace: "acme", Job: "a", UID: "uid-a"}
	for range 2 { // the second finds nothing
		if err := archive.Remove(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Remove(t.Context(), events.Ref{Workspace: "other", Job: "b", UID: "uid-b"}); err != nil {
		t.Fatal(err)
	}
	check := func(archive *file.Archive, next uint64) {
		t.Helper()
		page := list(t, archive, events.Filter{})
		if diff := cmp.Diff([]string{"a/Queued", "b/Queued"}, words(page.Events)); diff != "" {
			t.Fatal(diff)
		}
		if page.Events[0].Seq != 6 || page.Events[1].Seq != 4 || page.Seq != next {
			t.Errorf("numbers %d and %d of %d, want 6 and 4 of %d", page.Events[0].Seq, page.Events[1].Seq, page.Seq, next)
		}
		followed, err := archive.Follow(0, events.Filter{}).Next(t.Context())
		if err != nil || len(followed) != 2 {
			t.Errorf("followed %v, %v", words(followed), err)
		}
		if of := list(t, archive, events.Filter{Workspace: "acme", Job: "a", UID: "uid-a"}); len(of.Events) > 0 {
			t.Errorf("of the deleted job there is %v", words(of.Events))
		}
		kept := map[events.Ref]bool{}
		if err := archive.Each(t.Context(), func(ref events.Ref) error { kept[ref] = true; return nil }); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(map[events.Ref]bool{{Workspace: "acme", Job: "a", UID: "uid-a-2"}: true, {Workspace: "acme", Job: "b", UID: "uid-b"}: true}, kept); diff != "" {
			t.Error(diff)
		}
	}
	check(archive, 6)
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), `"uid-a"`) || strings.Count(string(data), "\n") != 6 {
		t.Errorf("%v, the file has: %s", err, data)
	}
	registry := prometheus.NewPedanticRegistry()
	archive = open(t, file.Options{Dir: dir, Registerer: registry})
	check(archive, 6)
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP jobwright_events_damaged_lines_total Lines of event files that are no events and were passed over.
# TYPE jobwright_events_damaged_lines_total counter
jobwright_events_damaged_lines_total 0
`), "jobwright_events_damaged_lines_total"); err != nil {
		t.Error(err)
	}
}

// TestEventsAreRemovedWhileOthersAreWritten: over several segments, of which the oldest go
// meanwhile; nothing of others is lost.
func TestEventsAreRemovedWhileOthersAreWritten(t *testing.T) {
	archive := open(t, file.Options{MaxBytes: 1 << 20})
	written := make(chan error, 1)
	go func() {
		defer close(written)
		for i := range 4000 {
			e := event([]string{"gone", "kept"}[i%2], "Retrying", i)
			e.Message = strings.Repeat("x", 300)
			for archive.Append(e) != nil { // until there is room
				if _, err := archive.List(t.Context(), events.Filter{Limit: 1}); err != nil {
					written <- err
					return
				}
			}
		}
	}()
	ref := events.Ref{Workspace: "acme", Job: "gone", UID: "uid-gone"}
	for range 40 {
		if err := archive.Remove(t.Context(), ref); err != nil {
			t.Error(err)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if err := archive.Remove(t.Context(), ref); err != nil {
		t.Error(err)
	}
	follower := archive.Follow(list(t, archive, events.Filter{Limit: 1}).Seq-1000, events.Filter{})
	for kept := 0; kept < 500; {
		batch, err := follower.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range batch {
			if e.Job != "kept" {
				t.Fatalf("number %d is of job %s", e.Seq, e.Job)
			}
		}
		kept += len(batch)
	}
}
