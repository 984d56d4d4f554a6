package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store"
	"jobwright.dev/store/events"
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

func TestWhatIsAppendedIsRead(t *testing.T) {
	long := strings.Repeat("ä", events.MaxMessage)
	for name, tc := range map[string]struct{ message, want string }{
		"plain text":                  {"exit code 1", "exit code 1"},
		"no text":                     {"", ""},
		"quotes and backslashes":      {`say "no" \ never`, `say "no" \ never`},
		"line ends stay in one event": {"one\ntwo\r\n", "one\ntwo\r\n"},
		"unicode and control":         {"✓ done\x00\u2028", "✓ done\x00\u2028"},
		"markup":                      {"<b>&", "<b>&"},
		"invalid UTF-8 is replaced":   {"a\xffb", "a\uFFFDb"},
		"a long text is cut off":      {long, long[:events.MaxMessage-4] + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			archive := open(t, file.Options{Dir: dir})
			e := event("build", "Failed", 0)
			e.Message, e.Attempt, e.Type = tc.message, "a1", events.Warning
			appendAll(t, archive, e)
			want := e
			want.Message, want.Seq, want.FirstSeq, want.Count, want.First = tc.want, 1, 1, 1, e.Time
			for range 2 { // as written, and read by the next server
				got := list(t, archive, events.Filter{})
				if diff := cmp.Diff([]events.Event{want}, got.Events); diff != "" || got.Seq != 1 || got.Before != 0 {
					t.Errorf("%d, %d: %s", got.Seq, got.Before, diff)
				}
				if !utf8.ValidString(got.Events[0].Message) || len(got.Events[0].Message) > events.MaxMessage {
					t.Errorf("message of %d bytes", len(got.Events[0].Message))
				}
				if err := archive.Close(); err != nil {
					t.Fatal(err)
				}
				archive = open(t, file.Options{Dir: dir})
			}
		})
	}
}

func TestWhatListSelects(t *testing.T) {
	archive := open(t, file.Options{PerJob: 4})
	other := event("a", "Queued", 0)
	other.Workspace, other.UID = "other", "uid-other"
	reborn := event("a", "Queued", 9)
	reborn.UID = "uid-a-again"
	failed := event("b", "Failed", 5)
	failed.Type = events.Warning
	appendAll(t, archive,
		other, event("a", "Queued", 1), event("b", "Queued", 2), event("b", "Queued", 3), event("a", "Started", 4), failed,
		event("a", "Completed", 6), reborn,
		event("c", "Retrying", 10), event("c", "Started", 11), event("c", "Retrying", 12), event("c", "Retrying", 13), event("c", "Retrying", 14))
	for name, tc := range map[string]struct {
		filter events.Filter
		want   []string
		before uint64
	}{
		"everything, newest first, repeats in one": {events.Filter{}, []string{
			"c/Retrying×3", "c/Started", "a/Queued", "a/Completed", "b/Failed", "a/Started", "b/Queued×2", "a/Queued", "a/Queued",
		}, 0},
		"one workspace":                   {events.Filter{Workspace: "other"}, []string{"a/Queued"}, 0},
		"one workspace that has none":     {events.Filter{Workspace: "none"}, nil, 0},
		"one name, whichever job had it":  {events.Filter{Workspace: "acme", Job: "a"}, []string{"a/Queued", "a/Completed", "a/Started", "a/Queued"}, 0},
		"one job":                         {events.Filter{UID: "uid-a"}, []string{"a/Completed", "a/Started", "a/Queued"}, 0},
		"a name and another job's uid":    {events.Filter{Job: "b", UID: "uid-a"}, nil, 0},
		"one type":                        {events.Filter{Type: events.Warning}, []string{"b/Failed"}, 0},
		"one reason":                      {events.Filter{Reason: "Started"}, []string{"c/Started", "a/Started"}, 0},
		"whatever a function says":        {events.Filter{Match: func(e *events.Event) bool { return e.Job == "b" }}, []string{"b/Failed", "b/Queued×2"}, 0},
		"the first page":                  {events.Filter{Limit: 2}, []string{"c/Retrying×3", "c/Started"}, 9},
		"the page behind it":              {events.Filter{Limit: 3, Before: 9}, []string{"a/Queued", "a/Completed", "b/Failed"}, 6},
		"the last page":                   {events.Filter{Limit: 10, Before: 6}, []string{"a/Started", "b/Queued×2", "a/Queued", "a/Queued"}, 0},
		"behind everything":               {events.Filter{Before: 1}, nil, 0},
		"no more of a job than its share": {events.Filter{Job: "c", Before: 11}, []string{"c/Started"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			page := list(t, archive, tc.filter)
			if diff := cmp.Diff(tc.want, words(page.Events)); diff != "" {
				t.Error(diff)
			}
			if page.Before != tc.before || page.Seq != 13 {
				t.Errorf("Before %d, Seq %d; want %d, 13", page.Before, page.Seq, tc.before)
			}
		})
	}
	repeated := list(t, archive, events.Filter{Job: "c", Limit: 1}).Events[0]
	if repeated.Count != 3 || !repeated.First.Equal(now.Add(12*time.Second)) || !repeated.Time.Equal(now.Add(14*time.Second)) || repeated.FirstSeq != 11 || repeated.Seq != 13 {
		t.Errorf("repeated: %+v", repeated)
	}
}

func TestWhatAppendRefuses(t *testing.T) {
	archive := open(t, file.Options{})
	for name, change := range map[string]func(*events.Event){
		"no workspace":             func(e *events.Event) { e.Workspace = "" },
		"no job":                   func(e *events.Event) { e.Job = "" },
		"no reason":                func(e *events.Event) { e.Reason = "" },
		"another type":             func(e *events.Event) { e.Type = "Error" },
		"a name beyond all bounds": func(e *events.Event) { e.Job = strings.Repeat("x", 20<<10) },
		"a year beyond all bounds": func(e *events.Event) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			e := event("a", "Queued", 0)
			change(&e)
			if err := archive.Append(e); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("Append: %v, want ErrInvalid", err)
			}
			archive.Record(e) // does not fail, whatever it is
		})
	}
	if got := list(t, archive, events.Filter{}).Events; len(got) > 0 {
		t.Errorf("was kept: %v", words(got))
	}
	archive.Close()
	if err := archive.Append(event("a", "Queued", 0)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := archive.List(t.Context(), events.Filter{}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("List after Close: %v", err)
	}
	if err := archive.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
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

func TestAFollowerSeesEachEventOnceAndInOrder(t *testing.T) {
	archive := open(t, file.Options{MaxBytes: 1})
	appendAll(t, archive, event("a", "Queued", 0), event("b", "Queued", 1))
	follower := archive.Follow(0, events.Filter{Workspace: "acme", Match: func(e *events.Event) bool { return e.Job != "b" }})
	const n = 300 // several segments, less than are dropped
	var appending sync.WaitGroup
	appending.Go(func() { fill(t, archive, n) })
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
	if follower.Seq() != n+2 {
		t.Errorf("Seq %d, want %d", follower.Seq(), n+2)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := follower.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next with a canceled context: %v", err)
	}
	if _, err := archive.Follow(n+3, events.Filter{}).Next(t.Context()); !errors.Is(err, store.ErrExpired) {
		t.Errorf("a number that was never given: %v", err)
	}
	closing := make(chan error)
	go func() {
		_, err := follower.Next(t.Context())
		closing <- err
	}()
	archive.Close()
	if err := <-closing; !errors.Is(err, store.ErrClosed) {
		t.Errorf("Next when the archive is closed: %v", err)
	}
}

func TestManyAppendListAndFollowAtOnce(t *testing.T) {
	archive := open(t, file.Options{})
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			job := fmt.Sprintf("job-%d", worker)
			for i := range 50 {
				e := event(job, "Queued", i)
				e.Message = fmt.Sprint(i)
				archive.Record(e)
				got := list(t, archive, events.Filter{Job: job, Limit: 1}).Events
				if len(got) != 1 || got[0].Message != e.Message {
					t.Errorf("%s: %v, want what was just appended: %d", job, got, i)
				}
			}
		})
		all.Go(func() {
			follower := archive.Follow(0, events.Filter{Job: fmt.Sprintf("job-%d", worker)})
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

func TestEventsStayInTheirOrderWhenTheClockIsSetBack(t *testing.T) {
	dir := t.TempDir()
	archive := open(t, file.Options{Dir: dir})
	want := []string{"build/D", "build/C", "build/B", "build/A"} // the latest first
	for i, reason := range []string{"A", "B", "C", "D"} {
		appendAll(t, archive, event("build", reason, []int{3600, 0, 7200, -3600}[i]))
	}
	for range 2 { // as written, and read by the next server
		if diff := cmp.Diff(want, words(list(t, archive, events.Filter{}).Events)); diff != "" {
			t.Error(diff)
		}
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
		archive = open(t, file.Options{Dir: dir})
	}
}
