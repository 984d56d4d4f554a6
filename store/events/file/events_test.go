package file_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store"
	"jobwright.dev/store/events"
	"jobwright.dev/store/events/eventstest"
	"jobwright.dev/store/events/file"
)

var now = time.Date(2026, 11, 23, 9, 39, 49, 123456000, time.UTC)

func open(t testing.TB, opts file.Options) *file.Archive {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	archive, err := file.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { archive.Close() })
	return archive
}

func TestStore(t *testing.T) {
	eventstest.Run(t, eventstest.Engine{Open: func(t *testing.T, dir string, perJob int) events.Store {
		t.Helper()
		archive, err := file.Open(file.Options{Dir: dir, PerJob: perJob})
		if err != nil {
			t.Fatal(err)
		}
		return archive
	}})
}

// event is event number i of a job, some seconds after the one before.
func event(job, reason string, i int) events.Event {
	return events.Event{
		Time: now.Add(time.Duration(i) * time.Second), Workspace: "acme", Job: job, UID: types.UID("uid-" + job), Reason: reason,
		Message: "because",
	}
}

func appendAll(t testing.TB, archive *file.Archive, list ...events.Event) {
	t.Helper()
	for _, e := range list {
		if err := archive.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func list(t testing.TB, archive *file.Archive, f events.Filter) events.Page {
	t.Helper()
	page, err := archive.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// words are "job/reason×count" of events.
func words(list []events.Event) []string {
	var out []string
	for _, e := range list {
		word := e.Job + "/" + e.Reason
		if e.Count != 1 {
			word += fmt.Sprintf("×%d", e.Count)
		}
		out = append(out, word)
	}
	return out
}

// size is that of all segments.
func size(t testing.TB, dir string) (total int64, files []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		files = append(files, entry.Name())
	}
	return total, files
}

// fill appends n events of as many jobs, however slow the disk.
func fill(t testing.TB, archive *file.Archive, n int) {
	t.Helper()
	for i := range n {
		e := event(fmt.Sprintf("job-%d", i), "Queued", i)
		e.Message = strings.Repeat("x", 900)
		for errors.Is(archive.Append(e), events.ErrFull) {
			list(t, archive, events.Filter{Limit: 1}) // waits until there is room
		}
	}
}

func TestTheArchiveIsBoundedAndTheOldestGo(t *testing.T) {
	dir := t.TempDir()
	registry := prometheus.NewPedanticRegistry()
	const bound = 512 << 10
	archive := open(t, file.Options{Dir: dir, MaxBytes: 1, Registerer: registry}) // the least is taken
	fill(t, archive, 2000)
	page := list(t, archive, events.Filter{})
	total, files := size(t, dir)
	if total > bound || total < bound/2 || len(files) < 8 {
		t.Errorf("%d bytes in %d files, want at most %d", total, len(files), bound)
	}
	for i, e := range page.Events {
		if want := fmt.Sprintf("job-%d", 1999-i); e.Job != want || e.Seq != uint64(2000-i) {
			t.Fatalf("event %d is number %d of %s, want %s", i, e.Seq, e.Job, want)
		}
	}
	if len(page.Events) < 400 {
		t.Errorf("%d events are left", len(page.Events))
	}
	values, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range values {
		got[family.GetName()] = family.GetMetric()[0].GetGauge().GetValue() + family.GetMetric()[0].GetCounter().GetValue()
	}
	want := map[string]float64{
		"jobwright_events_bytes": float64(total), "jobwright_events_written_total": 2000, "jobwright_events_dropped_total": 0,
		"jobwright_events_errors_total": 0, "jobwright_events_damaged_lines_total": 0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	if _, err := file.Open(file.Options{Dir: dir, Registerer: registry}); err == nil {
		t.Error("the same metrics were registered twice")
	}
	if _, err := archive.Follow(1, events.Filter{}).Next(t.Context()); !errors.Is(err, store.ErrExpired) {
		t.Errorf("a follower of what was dropped: %v", err)
	}
	// The next server goes on with the numbers.
	archive.Close()
	archive = open(t, file.Options{Dir: dir, MaxBytes: 1})
	appendAll(t, archive, event("next", "Queued", 0))
	if got := list(t, archive, events.Filter{Limit: 1}).Events[0]; got.Job != "next" || got.Seq != 2001 {
		t.Errorf("after a restart: %+v", got)
	}
}

// TestADiskThatFails: what cannot be written is dropped and counted; reads go on, and
// writing does as soon as it is possible again.
func TestADiskThatFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "events")
	registry := prometheus.NewRegistry()
	archive := open(t, file.Options{Dir: dir, Registerer: registry})
	if err := os.Mkdir(filepath.Join(dir, fmt.Sprintf("%020d.jsonl", 1)), 0o700); err != nil {
		t.Fatal(err) // a folder where the first segment must be
	}
	appendAll(t, archive, event("a", "Queued", 0))
	if got := list(t, archive, events.Filter{}); len(got.Events) != 0 || got.Seq != 1 {
		t.Errorf("got %v, Seq %d", words(got.Events), got.Seq)
	}
	appendAll(t, archive, event("b", "Queued", 0))
	page := list(t, archive, events.Filter{})
	if diff := cmp.Diff([]string{"b/Queued"}, words(page.Events)); diff != "" || page.Events[0].Seq != 2 {
		t.Errorf("%v: %s", page.Events, diff)
	}
	if got, err := archive.Follow(0, events.Filter{}).Next(t.Context()); err == nil {
		t.Errorf("a follower of what is missing got %v", words(got))
	}
	if got, err := archive.Follow(1, events.Filter{}).Next(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("a follower: %v, %v", got, err)
	}
	if n, err := testutil.GatherAndCount(registry, "jobwright_events_dropped_total"); err != nil || n != 1 {
		t.Errorf("dropped: %d, %v", n, err)
	}
	archive.Close()
	archive = open(t, file.Options{Dir: dir}) // with the folder still there
	appendAll(t, archive, event("c", "Queued", 0))
	if diff := cmp.Diff([]string{"c/Queued", "b/Queued"}, words(list(t, archive, events.Filter{}).Events)); diff != "" {
		t.Error(diff)
	}
}

func TestAFolderThatCannotBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Open(file.Options{Dir: path}); err == nil {
		t.Error("a file was opened as a folder")
	}
}
