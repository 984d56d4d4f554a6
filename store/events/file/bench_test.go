package file_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store/events"
	"jobwright.dev/store/events/file"
)

func usual(i int) events.Event {
	return events.Event{
		Workspace: "acme", Job: fmt.Sprintf("job-%d", i/4), UID: "019304a5-7c00-7000-8000-000000000001",
		Attempt: "019304a5-7c00-7000-8000-0000000000aa", Reason: "Started", Message: "attempt 1 of at most 4 has started on worker host-1234abcd",
	}
}

// BenchmarkAppend is what an event costs at most, with the writer at work beside it;
// no disk keeps up with this, so that many are dropped.
func BenchmarkAppend(b *testing.B) {
	archive, err := file.Open(file.Options{Dir: filepath.Join(b.TempDir(), "events")})
	if err != nil {
		b.Fatal(err)
	}
	defer archive.Close()
	event := usual(1)
	event.Time = time.Now()
	b.ReportAllocs()
	dropped := 0
	for b.Loop() {
		if archive.Append(event) != nil {
			dropped++
		}
	}
	b.ReportMetric(float64(dropped)/float64(b.N), "dropped/op")
}

// BenchmarkAppendAtAPace is the same at the rate of some 40,000 transitions a second.
func BenchmarkAppendAtAPace(b *testing.B) {
	archive, err := file.Open(file.Options{Dir: filepath.Join(b.TempDir(), "events")})
	if err != nil {
		b.Fatal(err)
	}
	defer archive.Close()
	event := usual(1)
	event.Time = time.Now()
	var spent time.Duration
	for b.Loop() {
		start := time.Now()
		if err := archive.Append(event); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(start)
		for wait := time.Now(); time.Since(wait) < 20*time.Microsecond; {
			continue // the rest of a transition
		}
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "append-ns/op")
}

// BenchmarkListOneJob finds the events of one job in a full archive.
func BenchmarkListOneJob(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "events")
	archive, err := file.Open(file.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { archive.Close() }()
	for i := range 250_000 {
		for archive.Append(usual(i)) != nil {
			if _, err := archive.List(b.Context(), events.Filter{Limit: 1}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("first read after a start", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			archive.Close()
			if archive, err = file.Open(file.Options{Dir: dir}); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, err := archive.List(b.Context(), events.Filter{Workspace: "acme", Job: "job-60000"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("then", func(b *testing.B) {
		for b.Loop() {
			page, err := archive.List(b.Context(), events.Filter{Workspace: "acme", Job: "job-60000"})
			if err != nil || len(page.Events) == 0 {
				b.Fatal(len(page.Events), err)
			}
		}
	})
}

// BenchmarkRemoveOneJob removes the events of one job after the other from a full archive.
func BenchmarkRemoveOneJob(b *testing.B) {
	archive, err := file.Open(file.Options{Dir: filepath.Join(b.TempDir(), "events")})
	if err != nil {
		b.Fatal(err)
	}
	defer archive.Close()
	uid := func(job int) types.UID { return types.UID(fmt.Sprintf("019304a5-7c00-7000-8000-%012d", job)) }
	for i := range 250_000 {
		event := usual(i)
		event.UID = uid(i / 4)
		for archive.Append(event) != nil {
			if _, err := archive.List(b.Context(), events.Filter{Limit: 1}); err != nil {
				b.Fatal(err)
			}
		}
	}
	job := 60_000
	for b.Loop() {
		if err := archive.Remove(b.Context(), events.Ref{Workspace: "acme", Job: fmt.Sprintf("job-%d", job), UID: uid(job)}); err != nil {
			b.Fatal(err)
		}
		job--
	}
}
