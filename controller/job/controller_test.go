package job_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/logs"
	logfiles "jobwright.dev/store/logs/file"
)

// fakeRunner does what a test tells it to. The real Runners are tested in packages of
// their own, and together with the controller in cmd/jobwright.
type fakeRunner struct {
	run     func(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome
	recover func(a action.Attempt) (action.Outcome, error)

	mu    sync.Mutex
	begun map[string]bool // by job
	more  sync.Cond       // of mu
}

func (f *fakeRunner) Run(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	f.mu.Lock()
	if f.begun == nil {
		f.begun = map[string]bool{}
	}
	f.begun[a.Job.Name] = true
	f.mu.Unlock()
	f.more.Broadcast()
	return f.run(ctx, a, out)
}

func (f *fakeRunner) Recover(_ context.Context, a action.Attempt) (action.Outcome, error) {
	if f.recover != nil {
		return f.recover(a)
	}
	return action.Outcome{Verdict: action.Lost, Repeatable: true}, nil
}

func succeed(context.Context, action.Attempt, action.Sink) action.Outcome {
	return action.Outcome{Verdict: action.Succeeded}
}

// untilStopped runs until it is stopped.
func untilStopped(ctx context.Context, _ action.Attempt, _ action.Sink) action.Outcome {
	<-ctx.Done()
	return action.Outcome{Verdict: action.Stopped, Repeatable: true}
}

// environment is a controller over a real store.
type environment struct {
	t       *testing.T
	dir     string
	store   *file.Store
	archive *logfiles.Archive
	runner  *fakeRunner
	opts    job.Options
	stop    func()

	controller *job.Controller
}

func newEnvironment(t *testing.T, run func(context.Context, action.Attempt, action.Sink) action.Outcome) *environment {
	t.Helper()
	e := &environment{t: t, dir: t.TempDir(), runner: &fakeRunner{run: run}}
	e.runner.more.L = &e.runner.mu
	e.open()
	return e
}

func (e *environment) open() {
	e.t.Helper()
	var err error
	if e.store, err = file.Open(e.dir, file.Options{MinFree: -1}); err != nil {
		e.t.Fatal(err)
	}
	if e.archive, err = logfiles.Open(e.dir+"/logs", 0); err != nil {
		e.t.Fatal(err)
	}
	e.opts = job.Options{
		Store: e.store, Logs: e.archive, Worker: "w", MaxConcurrent: 2, ProgressInterval: time.Nanosecond, Log: logr.Discard(),
		Actions: action.Set{{Name: v1.JobTypeDeploy, Runner: e.runner}},
	}
}

// start runs the controller until the test ends or stops it.
func (e *environment) start() {
	e.t.Helper()
	c, err := job.New(e.opts)
	if err != nil {
		e.t.Fatal(err)
	}
	e.controller = c
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	e.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			e.t.Errorf("Run: %v", err)
		}
		e.checkInvariants()
		if err := e.store.Close(); err != nil {
			e.t.Error(err)
		}
		e.archive.Close()
	})
	e.t.Cleanup(e.stop)
}

// checkInvariants holds after every test, whatever it did.
func (e *environment) checkInvariants() {
	page, err := e.store.List(context.Background(), store.ListOptions{Kind: v1.KindJob})
	if err != nil {
		e.t.Error(err)
	}
	for _, record := range page.Items {
		j, err := record.Job()
		if err != nil {
			e.t.Error(err)
			continue
		}
		for _, err := range v1.Check(j) {
			e.t.Error(err)
		}
		if j.Status.CurrentAttempt != nil {
			e.t.Errorf("job %s still holds attempt %s after the controller has stopped", j.Name, j.Status.CurrentAttempt.ID)
		}
	}
}

func (e *environment) create(name string, change ...func(*v1.Job)) {
	e.t.Helper()
	j := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "acme"},
		Spec:       v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}},
		Status:     v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	}
	for _, c := range change {
		c(j)
	}
	if _, err := e.store.Create(e.t.Context(), j); err != nil {
		e.t.Fatal(err)
	}
}

func key(name string) store.Key { return store.Key{Kind: v1.KindJob, Namespace: "acme", Name: name} }

// until waits until the job is as wanted, by watch.
func (e *environment) until(name string, wanted func(*v1.Job) bool) *v1.Job {
	e.t.Helper()
	page, err := e.store.List(e.t.Context(), store.ListOptions{Kind: v1.KindJob, Namespace: "acme", Name: name})
	if err != nil {
		e.t.Fatal(err)
	}
	watch, err := e.store.Watch(e.t.Context(), store.WatchOptions{Kind: v1.KindJob, Namespace: "acme", Name: name, Since: page.ResourceVersion})
	if err != nil {
		e.t.Fatal(err)
	}
	defer watch.Close()
	records := page.Items
	for {
		for _, record := range records {
			j, err := record.Job()
			if err != nil {
				e.t.Fatal(err)
			}
			if wanted(j) {
				return j
			}
		}
		events, err := watch.Next(e.t.Context())
		if err != nil {
			e.t.Fatal(err)
		}
		records = nil
		for _, event := range events {
			records = append(records, event.Record)
		}
	}
}

func terminal(j *v1.Job) bool { return j.Status.Phase.Terminal() }

// untilAtWork waits until the job's action is at work. A job is Running in the store before
// that, and ends without the action when it is canceled or deleted so early.
func (e *environment) untilAtWork(name string) {
	e.t.Helper()
	e.until(name, running)
	e.runner.mu.Lock()
	defer e.runner.mu.Unlock()
	for !e.runner.begun[name] {
		e.runner.more.Wait()
	}
}

func running(j *v1.Job) bool { return j.Status.Phase == v1.JobRunning }

func (e *environment) cancel(name string) {
	e.t.Helper()
	e.update(name, func(j *v1.Job) { j.Spec.Cancel = true })
}

func (e *environment) rerun(name string) {
	e.t.Helper()
	e.update(name, func(j *v1.Job) { j.Spec.Reruns++ })
}

func TestAJobRunsAndItsAttemptIsOnDiskFirst(t *testing.T) {
	var e *environment
	var seen *v1.Job
	e = newEnvironment(t, func(_ context.Context, a action.Attempt, out action.Sink) action.Outcome {
		record, err := e.store.Get(context.Background(), key("one"))
		if err == nil {
			seen, err = record.Job()
		}
		if err != nil {
			return action.Fail(v1.ReasonInternalError, err.Error())
		}
		out.Line(action.Stdout, "hello")
		out.Progress(40, "halfway")
		return action.Outcome{Verdict: action.Succeeded, Message: "done"}
	})
	e.start()
	e.create("one")
	j := e.until("one", terminal)
	if j.Status.Phase != v1.JobSucceeded || j.Status.Pct != 100 || j.Status.Message != "done" || j.Status.ObservedGeneration != 1 {
		t.Errorf("status = %+v", j.Status)
	}
	if seen.Status.Phase != v1.JobRunning || seen.Status.CurrentAttempt == nil || seen.Status.CurrentAttempt.Worker != "w" {
		t.Errorf("while the action ran the store said %+v", seen.Status)
	}
	reader := e.archive.Open(logs.Ref{Workspace: "acme", Job: "one", UID: j.UID})
	defer reader.Close()
	entries, err := reader.Read(t.Context())
	if err != nil || len(entries) != 3 || entries[1].Text != "hello" {
		t.Errorf("log = %+v, %v", entries, err)
	}
}

func TestProgressRises(t *testing.T) {
	next := make(chan int)
	e := newEnvironment(t, func(_ context.Context, _ action.Attempt, out action.Sink) action.Outcome {
		for pct := range next {
			out.Progress(pct, fmt.Sprint("step ", pct))
		}
		return action.Outcome{Verdict: action.Succeeded}
	})
	e.start()
	e.create("one")
	for _, pct := range []int{10, 50, 90} {
		next <- pct
		j := e.until("one", func(j *v1.Job) bool { return j.Status.Pct == int32(pct) })
		if want := fmt.Sprint("step ", pct); j.Status.Step != want {
			t.Errorf("step = %q, want %q", j.Status.Step, want)
		}
	}
	close(next)
	e.until("one", terminal)
}

func TestTheResultIsSeenWhileItGrows(t *testing.T) {
	next := make(chan string)
	e := newEnvironment(t, func(_ context.Context, _ action.Attempt, out action.Sink) action.Outcome {
		for result := range next {
			out.Result(v1.JSON{Raw: []byte(result)})
		}
		return action.Fail(v1.ReasonExitCode, "as planned")
	})
	e.start()
	e.create("one")
	for _, result := range []string{`{"web":"starting"}`, `{"web":"unhealthy"}`} {
		next <- result
		e.until("one", func(j *v1.Job) bool { return j.Status.Result != nil && string(j.Status.Result.Raw) == result })
	}
	close(next)
	if j := e.until("one", terminal); j.Status.Result == nil || string(j.Status.Result.Raw) != `{"web":"unhealthy"}` {
		t.Errorf("an outcome without a result left %v; want what was reported last", j.Status.Result)
	}
}

func TestHigherPriorityRunsFirstThenOldest(t *testing.T) {
	var mu sync.Mutex
	var order []string
	gate := make(chan struct{})
	e := newEnvironment(t, func(_ context.Context, a action.Attempt, _ action.Sink) action.Outcome {
		if a.Job.Name == "first" {
			<-gate
		}
		mu.Lock()
		defer mu.Unlock()
		order = append(order, a.Job.Name)
		return action.Outcome{Verdict: action.Succeeded}
	})
	e.opts.MaxConcurrent = 1
	e.create("first")
	e.start()
	e.until("first", running)
	names := []string{"old", "young", "low", "high"}
	priorities := map[string]int32{"low": -1, "high": 5}
	for _, name := range names {
		e.create(name, func(j *v1.Job) { j.Spec.Priority = priorities[name] })
	}
	for _, name := range names {
		e.blocked(name, func(v1.Blocker) bool { return true }) // it is in the queue
	}
	close(gate)
	for _, name := range names {
		e.until(name, terminal)
	}
	if got, want := fmt.Sprint(order), "[first high old young low]"; got != want {
		t.Errorf("order = %v, want %v", got, want)
	}
}

func TestNeverMoreThanMaxConcurrentRun(t *testing.T) {
	var now, most atomic.Int32
	e := newEnvironment(t, func(context.Context, action.Attempt, action.Sink) action.Outcome {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				return action.Outcome{Verdict: action.Succeeded}
			}
		}
	})
	e.start()
	for i := range 60 {
		e.create(fmt.Sprint("job-", i))
	}
	for i := range 60 {
		e.until(fmt.Sprint("job-", i), terminal)
	}
	if most.Load() > 2 {
		t.Errorf("%d attempts ran at once, 2 are allowed", most.Load())
	}
}

func TestCancel(t *testing.T) {
	for name, tc := range map[string]struct {
		run     func(context.Context, action.Attempt, action.Sink) action.Outcome
		waitFor func(*v1.Job) bool
	}{
		"of a running job": {untilStopped, running},
		"that comes too late for the action": {func(ctx context.Context, _ action.Attempt, _ action.Sink) action.Outcome {
			<-ctx.Done()
			return action.Outcome{Verdict: action.Succeeded}
		}, running},
		"of an action that fails of the signal": {func(ctx context.Context, _ action.Attempt, _ action.Sink) action.Outcome {
			<-ctx.Done()
			return action.Fail(v1.ReasonExitCode, "143")
		}, running},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnvironment(t, tc.run)
			e.start()
			e.create("one")
			e.until("one", tc.waitFor)
			e.cancel("one")
			j := e.until("one", terminal)
			if j.Status.Phase != v1.JobCanceled || j.Status.Reason != v1.ReasonCancelRequested {
				t.Errorf("status = %+v", j.Status)
			}
		})
	}
}

func TestAQueuedJobIsCanceledWithoutRunning(t *testing.T) {
	e := newEnvironment(t, untilStopped)
	e.opts.MaxConcurrent = 1
	e.opts.ShutdownGrace = time.Nanosecond
	e.start()
	e.create("holds-the-slot")
	e.untilAtWork("holds-the-slot")
	e.create("waits")
	e.cancel("waits")
	if j := e.until("waits", terminal); j.Status.Phase != v1.JobCanceled || j.Status.Attempts != 0 {
		t.Errorf("status = %+v", j.Status)
	}
	e.stop()
	if e.runner.begun["waits"] {
		t.Error("it ran")
	}
}

func TestADeletedJobIsStopped(t *testing.T) {
	stopped := make(chan struct{})
	e := newEnvironment(t, func(ctx context.Context, a action.Attempt, s action.Sink) action.Outcome {
		defer close(stopped)
		return untilStopped(ctx, a, s)
	})
	e.start()
	e.create("one")
	e.untilAtWork("one")
	if _, err := e.store.Delete(t.Context(), key("one"), store.Preconditions{}); err != nil {
		t.Fatal(err)
	}
	<-stopped
}

func TestActiveDeadline(t *testing.T) {
	e := newEnvironment(t, untilStopped)
	e.start()
	seconds := int64(1) // the smallest there is
	e.create("one", func(j *v1.Job) { j.Spec.ActiveDeadlineSeconds = &seconds })
	if j := e.until("one", terminal); j.Status.Phase != v1.JobFailed || j.Status.Reason != v1.ReasonDeadlineExceeded {
		t.Errorf("status = %+v", j.Status)
	}
	if log := e.logOf("one"); !strings.Contains(log, "spec.activeDeadlineSeconds allows 1 s over all attempts") {
		t.Errorf("the log does not name the limit: %q", log)
	}
}

func TestAPanicIsTheAttemptsFailure(t *testing.T) {
	e := newEnvironment(t, func(context.Context, action.Attempt, action.Sink) action.Outcome { panic("boom") })
	e.start()
	e.create("one")
	if j := e.until("one", terminal); j.Status.Reason != v1.ReasonInternalError {
		t.Errorf("status = %+v", j.Status)
	}
}

func TestARecordSucceedsAtOnceThoughEverySlotIsTaken(t *testing.T) {
	e := newEnvironment(t, untilStopped)
	e.opts.MaxConcurrent = 1
	e.opts.ShutdownGrace = time.Nanosecond
	e.start()
	e.create("busy")
	e.until("busy", running)
	e.create("record", func(j *v1.Job) { j.Spec = v1.JobSpec{Type: v1.JobTypeAPICall} })
	if j := e.until("record", terminal); j.Status.Phase != v1.JobSucceeded || j.Status.Reason != v1.ReasonRecorded {
		t.Errorf("status = %+v", j.Status)
	}
}

// TestShutdownInterruptsAndTheNextStartRunsAgain restarts the controller over the same
// folder: what was running and what was queued both end.
func TestShutdownInterruptsAndTheNextStartRunsAgain(t *testing.T) {
	e := newEnvironment(t, untilStopped)
	e.opts.MaxConcurrent = 1
	e.opts.ShutdownGrace = time.Nanosecond
	e.start()
	e.create("running")
	e.untilAtWork("running")
	e.create("queued")
	e.stop()

	e.runner.run = succeed
	e.open()
	e.start()
	if j := e.until("running", terminal); j.Status.Phase != v1.JobSucceeded || j.Status.Interruptions != 1 || j.Status.Attempts != 2 || j.Status.Failures != 0 {
		t.Errorf("running: %+v", j.Status)
	}
	if j := e.until("queued", terminal); j.Status.Phase != v1.JobSucceeded || j.Status.Attempts != 1 {
		t.Errorf("queued: %+v", j.Status)
	}
}

// TestAnAttemptOfADeadWorkerIsRecoveredBeforeItsJobRunsAgain starts over what a killed
// server leaves: a job that is Running with nobody at it.
func TestAnAttemptOfADeadWorkerIsRecoveredBeforeItsJobRunsAgain(t *testing.T) {
	var recovered atomic.Int32
	e := newEnvironment(t, func(context.Context, action.Attempt, action.Sink) action.Outcome {
		if recovered.Load() != 2 {
			return action.Fail(v1.ReasonInternalError, "it ran before the attempt before it was recovered")
		}
		return action.Outcome{Verdict: action.Succeeded}
	})
	e.runner.recover = func(a action.Attempt) (action.Outcome, error) {
		if recovered.Add(1) == 1 {
			return action.Outcome{}, errors.New("not sure yet")
		}
		return action.Outcome{Verdict: action.Lost, Repeatable: true}, nil
	}
	at := metav1.NowMicro()
	e.create("one", func(j *v1.Job) {
		j.Status = v1.JobStatus{
			Phase: v1.JobRunning, Reason: v1.ReasonStarted, Attempts: 1, StartTime: &at, LastUpdateTime: &at, ObservedGeneration: 1,
			CurrentAttempt: &v1.Attempt{ID: "u-1", Worker: "w", StartTime: at},
		}
	})
	e.start()
	if j := e.until("one", terminal); j.Status.Phase != v1.JobSucceeded || j.Status.Interruptions != 1 || j.Status.Attempts != 2 {
		t.Errorf("status = %+v", j.Status)
	}
}

// brokenStore fails status writes until it is mended.
type brokenStore struct {
	controller.Store
	fails atomic.Int32
}

func (b *brokenStore) UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	if b.fails.Add(-1) >= 0 {
		return store.Record{}, store.ErrReadOnly
	}
	return b.Store.UpdateStatus(ctx, obj, d)
}

func TestWhatCannotBeWrittenIsTriedAgain(t *testing.T) {
	e := newEnvironment(t, succeed)
	broken := &brokenStore{Store: e.store}
	broken.fails.Store(2)
	e.opts.Store = broken
	e.start()
	e.create("one")
	if j := e.until("one", terminal); j.Status.Phase != v1.JobSucceeded || j.Status.Attempts != 1 {
		t.Errorf("status = %+v", j.Status)
	}
}

func TestMetricsHaveNoSeriesPerJob(t *testing.T) {
	e := newEnvironment(t, succeed)
	registry := prometheus.NewPedanticRegistry()
	e.opts.Registerer = registry
	e.start()
	e.create("one")
	e.until("one", terminal)
	few, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		e.create(fmt.Sprint("more-", i))
		e.until(fmt.Sprint("more-", i), terminal)
	}
	many, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}
	// The oldest queued and running jobs may come and go; nothing else may grow.
	if many > few+2 {
		t.Errorf("%d series after 1 job, %d after 51", few, many)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	e := newEnvironment(t, succeed)
	defer e.store.Close()
	for name, change := range map[string]func(*job.Options){
		"no store":   func(o *job.Options) { o.Store = nil },
		"no logs":    func(o *job.Options) { o.Logs = nil },
		"no actions": func(o *job.Options) { o.Actions = nil },
		"no worker":  func(o *job.Options) { o.Worker = "" },
		"no slots":   func(o *job.Options) { o.MaxConcurrent = 0 },
	} {
		opts := e.opts
		change(&opts)
		if _, err := job.New(opts); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}
