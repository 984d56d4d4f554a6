package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

// rss is the process's resident memory in MiB, after the collector has given back what
// it can.
func rss(tb testing.TB) float64 {
	tb.Helper()
	runtime.GC() // what has a finalizer goes in the collection after
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Skip("resident memory is read from /proc/self/statm: run this on Linux")
	}
	pages, err := strconv.Atoi(strings.Fields(string(status))[1])
	if err != nil {
		tb.Fatal(err)
	}
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

// fillStore creates n jobs in batches: mostly finished ones, of ten workspaces.
func fillStore(tb testing.TB, s *file.Store, n int, phase func(i int) v1.JobPhase) {
	tb.Helper()
	for i := 0; i < n; {
		objs := make([]v1.Object, 0, 1000)
		for ; i < n && len(objs) < cap(objs); i++ {
			j := benchJob(fmt.Sprintf("%d-abcdef", 1790000000000+i))
			j.Namespace = fmt.Sprintf("space-%d", i%10)
			j.Labels["batch"] = fmt.Sprint(i / 1000 % 100)
			j.Status.Phase = phase(i)
			objs = append(objs, j)
		}
		if _, err := s.Create(tb.Context(), objs...); err != nil {
			tb.Fatal(err)
		}
	}
}

func finished(i int) v1.JobPhase {
	if i%20 == 0 {
		return v1.JobFailed
	}
	return v1.JobSucceeded
}

// BenchmarkScale sweeps the number of objects: what opening, lists and writes cost must
// grow with the logarithm at most, and memory by a few hundred bytes an object.
// JOBWRIGHT_BENCH_OBJECTS sets other sizes, e.g. 1000000.
//
// Two cores of an AMD EPYC, go1.26, 1,000,000 finished jobs: 282 MiB, open 2.7 to 3.5 s,
// the 200 newest 0.25 ms, by label and phase 0.9 ms, 119,000/s to 126,000/s while filled
// in batches; 100,000: 25 MiB, open 0.2 s.
func BenchmarkScale(b *testing.B) {
	sizes := []string{"1000", "10000", "100000"}
	if v := os.Getenv("JOBWRIGHT_BENCH_OBJECTS"); v != "" {
		sizes = strings.Split(v, ",")
	}
	for _, text := range sizes {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("objects="+text, func(b *testing.B) { benchScale(b, n) })
	}
}

// makeScale makes a store of n jobs. Nothing of it is left in memory when it returns.
func makeScale(b *testing.B, data string, n int, measured func(float64, string)) {
	b.Helper()
	s, err := file.Open(data, file.Options{})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	fillStore(b, s, n, finished)
	measured(float64(n)/time.Since(start).Seconds(), "fill/s")
	start = time.Now()
	if err := s.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	measured(time.Since(start).Seconds(), "checkpoint-s")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

func benchScale(b *testing.B, n int) {
	metrics := map[string]float64{}
	measured := func(value float64, unit string) { metrics[unit] = value }
	_, dir := openBench(b, file.Options{})
	data := filepath.Join(dir, "scale")
	makeScale(b, data, n, measured)
	before := rss(b)
	start := time.Now()
	s, err := file.Open(data, file.Options{})
	if err != nil {
		b.Fatal(err)
	}
	measured(time.Since(start).Seconds(), "open-s")
	measured(rss(b)-before, "MiB")
	selector := labels.SelectorFromSet(labels.Set{"batch": "0"})
	for name, opts := range map[string]store.ListOptions{
		"newest-ms":       {Order: store.NewestFirst, Limit: 200},
		"newest-space-ms": {Order: store.NewestFirst, Limit: 200, Namespace: "space-3"},
		"label-phase-ms":  {Labels: selector, Phases: []v1.JobPhase{v1.JobFailed}, Limit: 500},
		"label-names-ms":  {Labels: selector, Phases: []v1.JobPhase{v1.JobFailed}, Namespace: "space-0"},
		"page-500-ms":     {Limit: 500},
	} {
		opts.Kind = v1.KindJob
		const rounds = 20
		start := time.Now()
		for range rounds {
			if _, err := s.List(b.Context(), opts); err != nil {
				b.Fatal(err)
			}
		}
		measured(time.Since(start).Seconds()*1e3/rounds, name)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := s.Create(b.Context(), benchJob(fmt.Sprintf("bench-%d", i))); err != nil {
			b.Fatal(err)
		}
	}
	for unit, value := range metrics {
		b.ReportMetric(value, unit)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkWriteWhileRewriting: 64 clients write while jobs.json is rewritten over and
// over; what matters is the slowest write in a hundred.
func BenchmarkWriteWhileRewriting(b *testing.B) {
	n := 100_000
	if v, err := strconv.Atoi(os.Getenv("JOBWRIGHT_BENCH_OBJECTS")); err == nil {
		n = v
	}
	s, _ := openBench(b, file.Options{})
	fillStore(b, s, n, finished)
	if err := s.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	before := rss(b)
	stop := make(chan struct{})
	var rewriting, writing sync.WaitGroup
	rewrites := 0
	rewriting.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.Checkpoint(b.Context()); err != nil {
				b.Error(err)
				return
			}
			rewrites++
		}
	})
	var next atomic.Int64
	took := make([][]time.Duration, 64)
	b.ResetTimer()
	for i := range took {
		writing.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				start := time.Now()
				if _, err := s.Create(b.Context(), benchJob(fmt.Sprintf("w-%d", n))); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(start))
			}
		})
	}
	writing.Wait()
	b.StopTimer()
	peak := rss(b)
	close(stop)
	rewriting.Wait()
	all := slices.Sorted(func(yield func(time.Duration) bool) {
		for _, some := range took {
			for _, d := range some {
				if !yield(d) {
					return
				}
			}
		}
	})
	report(b, b.N, 0)
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1e3, "p99-ms")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1e3, "max-ms")
	b.ReportMetric(float64(rewrites), "rewrites")
	b.ReportMetric(100*(peak-before)/before, "%RSS-more")
}
