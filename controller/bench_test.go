package controller_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/logs"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
)

// bench is a real store and what a controller over it needs, with a processor to spare
// as jobwright serve has.
func bench(b *testing.B) (*file.Store, controller.Options) {
	b.Helper()
	processors := runtime.GOMAXPROCS(runtime.NumCPU() + 1)
	b.Cleanup(func() { runtime.GOMAXPROCS(processors) })
	dir := b.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		b.Fatal(err)
	}
	archive, err := logs.Open(dir+"/logs", 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		archive.Close()
		if err := objects.Close(); err != nil {
			b.Error(err)
		}
	})
	return objects, controller.Options{
		Store: objects, Logs: archive, Worker: "w", MaxConcurrent: 64, Log: logr.Discard(),
		Runners: map[v1.JobType]action.Runner{v1.JobTypeDeploy: &fakeRunner{run: succeed}, v1.JobTypeBuild: &fakeRunner{run: succeed}},
	}
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
func run(b *testing.B, opts controller.Options) (stop func()) {
	b.Helper()
	c, err := controller.New(opts)
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
// each of which starts in one durable write, keeps a log and ends in another.
func BenchmarkDrain(b *testing.B) {
	b.Run("records", func(b *testing.B) { drain(b, benchRecord) })
	b.Run("attempts", func(b *testing.B) { drain(b, benchJob) })
}

func benchJob(name string) *v1.Job {
	job := benchRecord(name)
	job.Spec = v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{Server: "none", Action: "nothing"}}
	return job
}

func drain(b *testing.B, job func(name string) *v1.Job) {
	const n = 20_000
	for b.Loop() {
		b.StopTimer()
		objects, opts := bench(b)
		for at := 0; at < n; at += 1000 {
			var batch []v1.Object
			for i := range 1000 {
				batch = append(batch, job(fmt.Sprint("job-", at+i)))
			}
			if _, err := objects.Create(b.Context(), batch...); err != nil {
				b.Fatal(err)
			}
		}
		page, err := objects.List(b.Context(), store.ListOptions{Kind: v1.KindJob, Limit: 1})
		if err != nil {
			b.Fatal(err)
		}
		watch, err := objects.Watch(b.Context(), store.WatchOptions{Kind: v1.KindJob, Since: page.ResourceVersion})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		stop := run(b, opts)
		for ended := 0; ended < n; {
			events, err := watch.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for _, event := range events {
				phase, err := event.Record.Phase()
				if err != nil {
					b.Fatal(err)
				}
				if phase.Terminal() {
					ended++
				}
			}
		}
		b.StopTimer()
		stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// BenchmarkCreateToStart is the time from the call that creates a job to the first line
// of its action, on an idle server: two durable writes and a watch event.
func BenchmarkCreateToStart(b *testing.B) {
	objects, opts := bench(b)
	started := make(chan time.Time, 1)
	opts.Runners[v1.JobTypeDeploy] = &fakeRunner{run: func(context.Context, action.Attempt, action.Sink) action.Outcome {
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
