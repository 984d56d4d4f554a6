package job_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"jobwright.dev/store/events"
	eventfiles "jobwright.dev/store/events/file"
)

// TestADeletedJobLeavesNoEvents: neither one that is deleted while the controller runs nor
// one of which an earlier process has left some. The next job of its name has its own.
func TestADeletedJobLeavesNoEvents(t *testing.T) {
	e := newEnvironment(t, succeed)
	archive, err := eventfiles.Open(eventfiles.Options{Dir: filepath.Join(e.dir, "events"), Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { archive.Close() })
	for _, left := range []events.Event{
		{Job: "long-gone", UID: "019304a5-7c00-7000-8000-000000000001"},
		{Job: "../damaged", UID: "019304a5-7c00-7000-8000-000000000002"},
	} {
		left.Workspace, left.Reason, left.Time = "acme", "Completed", time.Now()
		if err := archive.Append(left); err != nil {
			t.Fatal(err)
		}
	}
	e.opts.Events = archive
	e.start()
	e.create("kept")
	e.create("gone")
	kept, gone := e.until("kept", terminal), e.until("gone", terminal)
	untilEvents(t, archive, func(of map[string]int) bool {
		return of[string(kept.UID)] > 0 && of[string(gone.UID)] > 0 && of["019304a5-7c00-7000-8000-000000000001"] == 0
	})
	e.delete("gone")
	e.create("gone")
	next := e.until("gone", terminal)
	untilEvents(t, archive, func(of map[string]int) bool {
		return of[string(kept.UID)] > 0 && of[string(gone.UID)] == 0 && of[string(next.UID)] > 0
	})
}

// untilEvents waits until the events are as wanted, by the uid of their job.
func untilEvents(t *testing.T, archive events.Store, wanted func(map[string]int) bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(time.Minute)
	for {
		page, err := archive.List(t.Context(), events.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]int{}
		for _, e := range page.Events {
			of[string(e.UID)]++
		}
		if wanted(of) {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("events by uid: %v", of)
		}
	}
}
