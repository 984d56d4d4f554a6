package job_test

import (
	"context"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	logfiles "jobwright.dev/store/logs/file"
	"jobwright.dev/store/storetest/loosetest"
)

// TestRerunsOverAStoreThatDoesNotStartThem: a finished job runs again over a store that cannot start it over in the
// write that asks for it, whether a controller is there at that moment or comes later;
// and a job that depends on it waits for the new run.
func TestRerunsOverAStoreThatDoesNotStartThem(t *testing.T) {
	objects := loosetest.New()
	defer objects.Close()
	archive, err := logfiles.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var mu sync.Mutex
	runs := map[string]int{}
	runner := &fakeRunner{run: func(_ context.Context, a action.Attempt, _ action.Sink) action.Outcome {
		mu.Lock()
		defer mu.Unlock()
		runs[a.Job.Name]++
		if a.Job.Name == "second" && runs["first"] < 3 {
			return action.Fail(v1.ReasonExitCode, "it ran before what it depends on had run again")
		}
		return action.Outcome{Verdict: action.Succeeded}
	}}
	begin := func() (stop func()) {
		c, err := job.New(job.Options{
			Store: objects, Logs: archive, Worker: "w", MaxConcurrent: 2, Log: logr.Discard(),
			Actions: action.Set{{Name: v1.JobTypeDeploy, Runner: runner}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
	}
	create := func(name string, dependsOn ...v1.JobDependency) {
		t.Helper()
		if _, err := objects.Create(t.Context(), &v1.Job{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
			ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name},
			Spec:       v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}, DependsOn: dependsOn},
		}); err != nil {
			t.Fatal(err)
		}
	}
	rerun := func(name string) {
		t.Helper()
		record, err := objects.Get(t.Context(), store.Key{Kind: v1.KindJob, Namespace: "acme", Name: name})
		if err != nil {
			t.Fatal(err)
		}
		j, err := record.Job()
		if err != nil {
			t.Fatal(err)
		}
		j.Spec.Reruns++
		if _, err := objects.Update(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}

	create("first")
	stop := begin()
	ended(t, objects, "first", 0)
	rerun("first")
	if j := ended(t, objects, "first", 1); len(j.Status.History) != 1 || j.Status.Attempts != 2 || j.Status.ObservedGeneration != 2 {
		t.Errorf("status after the rerun: %+v", j.Status)
	}
	stop()

	rerun("first") // while nobody is there
	create("second", v1.JobDependency{Name: "first"})
	stop = begin()
	ended(t, objects, "first", 2)
	if j := ended(t, objects, "second", 0); j.Status.Phase != v1.JobSucceeded {
		t.Errorf("the job that depends on it is %s: %s", j.Status.Phase, j.Status.Message)
	}
	stop()
	if runs["first"] != 3 || runs["second"] != 1 {
		t.Errorf("runs: %v", runs)
	}
}

// ended waits until the job has finished that rerun.
func ended(t *testing.T, objects store.Store, name string, rerun int32) *v1.Job {
	t.Helper()
	page, err := objects.List(t.Context(), store.ListOptions{Kind: v1.KindJob, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	records := page.Items
	w, err := objects.Watch(t.Context(), store.WatchOptions{Kind: v1.KindJob, Name: name, Since: page.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for {
		for _, record := range records {
			j, err := record.Job()
			if err != nil {
				t.Fatal(err)
			}
			if j.Finished() && j.Status.Reruns == rerun {
				return j
			}
		}
		events, err := w.Next(t.Context())
		if err != nil {
			t.Fatalf("job %s, rerun %d: %v", name, rerun, err)
		}
		records = records[:0]
		for _, e := range events {
			records = append(records, e.Record)
		}
	}
}
