package job_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// bench is what open returns, until the benchmark ends.
func bench(b *testing.B) (*file.Store, job.Options) {
	b.Helper()
	objects, opts, stop := open(b)
	b.Cleanup(stop)
	return objects, opts
}

// open is a real store and what a controller over it needs, with a processor to spare
// as jobwright serve has.
func open(b *testing.B) (objects *file.Store, opts job.Options, stop func()) {
	b.Helper()
	processors := runtime.GOMAXPROCS(runtime.NumCPU() + 1)
	dir := b.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		b.Fatal(err)
	}
	archive, err := logfiles.Open(dir+"/logs", 0)
	if err != nil {
		b.Fatal(err)
	}
	stop = func() {
		runtime.GOMAXPROCS(processors)
		archive.Close()
		if err := objects.Close(); err != nil {
			b.Error(err)
		}
	}
	return objects, job.Options{
		Store: objects, Logs: archive, Worker: "w", MaxConcurrent: 64, Log: logr.Discard(),
		Actions: action.Set{{Name: v1.JobTypeDeploy, Runner: &fakeRunner{run: succeed}}, {Name: v1.JobTypeBuild, Runner: &fakeRunner{run: succeed}}},
	}, stop
}

func benchRecord(name string) *v1.Job {
	return &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "acme"},
		Spec:       v1.JobSpec{Type: v1.JobTypeAPICall},
		Status:     v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	}
}

// run runs a controller until the returned function is called.
func run(b *testing.B, opts job.Options) (stop func()) {
	b.Helper()
	c, err := job.New(opts)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkDrain drains 20,000 queued jobs over the real store: api_call records, each
// of which ends in one durable write, and jobs whose action does nothing, 64 at a time,
// each of which starts in one durable write and ends in another.
//
// Two cores of an AMD EPYC (one fdatasync 0.1 ms), go1.26: 89,000 to 128,000 records/s and
// 41,000 to 45,000 attempts/s, at 11 and 34 µs of the processors a job, while the machine
// is quiet. It makes 38 allocations and 6.8 kB, the creation of the job included.
//
// Where an attempt's time goes (profile, in % of the processors' time): the store's two
// status writes 14, the commits' pwrite and fdatasync 11, filling the next segment with zeros 8
// (less in a long run: here the segments still double), the collector 10, decoding the job
// twice 7, the schedule and what follows from the end 7, making the writes visible 5, deciding
// three times 5, switching goroutines 8, the watch of the dispatcher 3, the action's goroutine
// 3. Decoding once would take keeping every queued job decoded, 2 kB each.
//
// What took a tenth off the processors' time of a job, by turns on a busy machine: the events
// of a job's own writes have it reconciled no more (290 and 190 reconciles of 100 jobs, 200 and
// 100 now), a status write reads no more of the encoding than it changes, and the action
// shares the job instead of having a copy.
func BenchmarkDrain(b *testing.B) {
	b.Run("records", func(b *testing.B) { drain(b, benchRecord) })
	b.Run("attempts", func(b *testing.B) { drain(b, benchJob) })
}

func benchJob(name string) *v1.Job {
	job := benchRecord(name)
	job.Spec = v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{Server: "none", Action: "nothing"}}
	return job
}

const drained = 20_000

func drain(b *testing.B, job func(name string) *v1.Job) {
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		objects, opts, stop := filled(b, job)
		watch := watching(b, objects)
		runtime.GC() // what filling has left is not the drain's
		before := processorTime(b)
		b.StartTimer()
		ended := run(b, opts)
		ends(b, watch, drained)
		b.StopTimer()
		used += processorTime(b) - before
		ended()
		stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(drained*b.N)/b.Elapsed().Seconds(), "jobs/s")
	b.ReportMetric(float64(used.Microseconds())/float64(drained*b.N), "cpu-µs/job")
}

// processorTime is what the process has used of the processors, which other processes
// on the machine hardly change.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// filled is a store with jobs that nobody has looked at.
func filled(b *testing.B, job func(name string) *v1.Job) (objects *file.Store, opts job.Options, stop func()) {
	b.Helper()
	objects, opts, stop = open(b)
	for at := 0; at < drained; at += 1000 {
		var batch []v1.Object
		for i := range 1000 {
			batch = append(batch, job(fmt.Sprint("job-", at+i)))
		}
		if _, err := objects.Create(b.Context(), batch...); err != nil {
			b.Fatal(err)
		}
	}
	return objects, opts, stop
}

// watching follows every change of a job from now on.
func watching(b *testing.B, objects *file.Store) store.Watch {
	b.Helper()
	page, err := objects.List(b.Context(), store.ListOptions{Kind: v1.KindJob, Limit: 1})
	if err != nil {
		b.Fatal(err)
	}
	watch, err := objects.Watch(b.Context(), store.WatchOptions{Kind: v1.KindJob, Since: page.ResourceVersion})
	if err != nil {
		b.Fatal(err)
	}
	return watch
}

// ends waits until n jobs have ended.
func ends(b *testing.B, watch store.Watch, n int) {
	b.Helper()
	sees(b, watch, n, func(r store.Record) bool {
		phase, err := r.Phase()
		if err != nil {
			b.Fatal(err)
		}
		return phase.Terminal()
	})
}

// sees waits until n changes are as wanted.
func sees(b *testing.B, watch store.Watch, n int, wanted func(store.Record) bool) {
	b.Helper()
	for seen := 0; seen < n; {
		events, err := watch.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for _, event := range events {
			if wanted(event.Record) {
				seen++
			}
		}
	}
}

// BenchmarkLimits drains the same jobs without limits, with 1,000 concurrency keys of
// limit 64 and with 1,000 rate limits, none of which is ever reached, by turns: what
// limits cost in throughput. The goal is less than 10 %.
//
// Two cores of an AMD EPYC, go1.26, four turns: keys 2.5 to 3.7 %, rates -3 to 3.7 %.
func BenchmarkLimits(b *testing.B) {
	limited := []func(name string) *v1.Job{benchJob, withKey, withRate}
	took := make([]time.Duration, len(limited))
	for turn := 0; b.Loop(); turn++ {
		for at := range limited {
			i := (at + turn) % len(limited) // no one always comes first
			objects, opts, stop := filled(b, limited[i])
			watch := watching(b, objects)
			began := time.Now()
			ended := run(b, opts)
			ends(b, watch, drained)
			took[i] += time.Since(began)
			ended()
			stop()
		}
	}
	for i, what := range []string{"", "keys", "rates"} {
		if what == "" {
			b.ReportMetric(float64(drained*b.N)/took[i].Seconds(), "unlimited-jobs/s")
			continue
		}
		b.ReportMetric(100*(1-took[0].Seconds()/took[i].Seconds()), what+"-loss-%")
	}
}

// group is one of 1,000 by the last digits of the name.
func group(name string) string { return "key-" + name[max(0, len(name)-3):] }

func withKey(name string) *v1.Job {
	job := benchJob(name)
	job.Spec.Concurrency = &v1.Concurrency{Key: group(name), Limit: new(int32(64))}
	return job
}

func withRate(name string) *v1.Job {
	job := benchJob(name)
	job.Spec.RateLimit = &v1.RateLimit{Key: group(name), Limit: new(int32(10_000)), PerSeconds: 1}
	return job
}

// BenchmarkRelease ends a job that 10,000 others wait for: how long until each of them
// is released (its dependency is met, and it is in the queue), and until the last one
// has run. The goal is that all are released within a second.
//
// Two cores of an AMD EPYC, go1.26: records released after 207 ms, jobs with an attempt
// after 690 ms.
func BenchmarkRelease(b *testing.B) {
	b.Run("records", func(b *testing.B) { release(b, benchRecord) })
	b.Run("attempts", func(b *testing.B) { release(b, benchJob) })
}

func release(b *testing.B, job func(name string) *v1.Job) {
	const dependents = 10_000
	var released, ended time.Duration
	for b.Loop() {
		objects, opts, stop := open(b)
		gate := make(chan struct{})
		opts.Actions[0].Runner = &fakeRunner{run: func(context.Context, action.Attempt, action.Sink) action.Outcome {
			<-gate
			return action.Outcome{Verdict: action.Succeeded}
		}}
		first := benchRecord("first")
		first.Spec = v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}}
		batch := []v1.Object{first}
		watch := watching(b, objects)
		for i := range dependents {
			waits := job(fmt.Sprint("job-", i))
			waits.Spec.DependsOn = []v1.JobDependency{{Name: "first"}}
			if batch = append(batch, waits); len(batch) >= 1000 || i == dependents-1 {
				if _, err := objects.Create(b.Context(), batch...); err != nil {
					b.Fatal(err)
				}
				batch = nil
			}
		}
		stopped := run(b, opts)
		sees(b, watch, dependents, func(r store.Record) bool { return r.Contains(`"dependencies"`) })
		both := []store.Watch{watching(b, objects), watching(b, objects)}
		began := time.Now()
		close(gate)
		met := map[string]bool{}
		for len(met) < dependents {
			sees(b, both[0], 1, func(r store.Record) bool {
				if r.Contains(`"met":true`) {
					met[r.Key().Name] = true
				}
				return true
			})
		}
		released += time.Since(began)
		ends(b, both[1], dependents+1)
		ended += time.Since(began)
		stopped()
		stop()
	}
	b.ReportMetric(float64(released.Milliseconds())/float64(b.N), "released-ms")
	b.ReportMetric(float64(ended.Milliseconds())/float64(b.N), "ended-ms")
}

// BenchmarkCreateToStart is the time from the call that creates a job to the first line
// of its action, on an idle server: two durable writes and a watch event.
//
// Two cores of an AMD EPYC (one fdatasync 0.1 ms), go1.26: p50 0.42 ms, p99 1.0 ms.
func BenchmarkCreateToStart(b *testing.B) {
	objects, opts := bench(b)
	started := make(chan time.Time, 1)
	opts.Actions[0].Runner = &fakeRunner{run: func(context.Context, action.Attempt, action.Sink) action.Outcome {
		started <- time.Now()
		return action.Outcome{Verdict: action.Succeeded}
	}}
	defer run(b, opts)()
	var waits []time.Duration
	for i := 0; b.Loop(); i++ {
		job := benchRecord(fmt.Sprint("job-", i))
		job.Spec = v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}}
		created := time.Now()
		if _, err := objects.Create(b.Context(), job); err != nil {
			b.Fatal(err)
		}
		waits = append(waits, (<-started).Sub(created))
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds()), "p99-µs")
}
