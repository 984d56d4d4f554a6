package job_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// TestWhateverHappensEveryJobEnds lets anything happen to a few jobs of a real
// controller over a real store, in any order: outcomes of every kind, dependencies,
// limits, cancels, suspensions, reruns, deletions, restarts and deaths of the
// controller. What must be true then stands in world.watch (every transition is legal),
// bench.begin (one attempt a job, no limit exceeded), world.settle (nothing waits
// without a reason) and world.drain (every job ends).
//
// More of it: go test ./controller -run EveryJobEnds -rapid.checks 5000. A failure is
// printed with its seed and kept in testdata/rapid; all that is random is drawn, so
// what is left to chance is the order in which goroutines run.
func TestWhateverHappensEveryJobEnds(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, dir)
		defer w.close()
		w.start()
		for range rapid.IntRange(3, 30).Draw(t, "steps") {
			w.step()
		}
		w.settle()
		w.drain()
	})
}

// names are all jobs there may be: few, so that they meet often.
const names = 8

// keyLimits and rateLimits are the limits of each key.
var keyLimits = map[string]int{"one": 1, "two": 2}

const (
	modelSlots = 3
	rateLimit  = 4 // starts a second
	patience   = time.Minute
)

type world struct {
	t       *rapid.T
	ctx     context.Context //nolint:containedctx // the run's own, of all its calls
	dir     string
	store   *file.Store
	archive *logfiles.Archive
	bench   *workbench
	gate    *gate
	ctl     *job.Controller
	cancel  context.CancelFunc
	done    chan error
	watched chan error // what the watcher found, when it has ended
	end     context.CancelFunc
}

func newWorld(t *rapid.T, dir string) *world {
	w := &world{t: t, bench: newWorkbench(), watched: make(chan error, 1)}
	w.ctx, w.end = context.WithTimeout(context.Background(), patience)
	var err error
	if w.dir, err = os.MkdirTemp(dir, "run"); err != nil {
		t.Fatal(err)
	}
	if w.store, err = file.Open(w.dir, file.Options{MinFree: -1}); err != nil {
		t.Fatal(err)
	}
	if w.archive, err = logfiles.Open(w.dir+"/logs", 0); err != nil {
		t.Fatal(err)
	}
	page, err := w.store.List(w.ctx, store.ListOptions{Kind: v1.KindJob})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := w.store.Watch(w.ctx, store.WatchOptions{Kind: v1.KindJob, Since: page.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	go func() { w.watched <- w.watch(watch) }()
	return w
}

// watch follows every change and returns what is illegal about one.
func (w *world) watch(watch store.Watch) error {
	defer watch.Close()
	before := map[string]*v1.Job{}
	for {
		events, err := watch.Next(w.ctx)
		if err != nil {
			return nil // the run is over
		}
		for _, event := range events {
			job, err := event.Record.Job()
			if err != nil {
				return err
			}
			if event.Type == store.Deleted {
				delete(before, string(job.UID))
				continue
			}
			errs := v1.Check(job)
			if old := before[string(job.UID)]; old != nil {
				errs = append(errs, v1.CheckTransition(old, job)...)
			}
			if err := errors.Join(errs...); err != nil {
				return fmt.Errorf("version %s: %w", job.ResourceVersion, err)
			}
			before[string(job.UID)] = job
		}
	}
}

// start runs a controller, as a new process would.
func (w *world) start() {
	w.gate = &gate{Store: w.store}
	var err error
	w.ctl, err = job.New(job.Options{
		Store: w.gate, Logs: w.archive, Worker: "w", MaxConcurrent: modelSlots, Log: logr.Discard(), Ageing: time.Millisecond,
		ProgressInterval: time.Nanosecond,
		Actions:          action.Set{{Name: v1.JobTypeDeploy, Runner: w.bench.process()}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.done = cancel, make(chan error, 1)
	ctl, done := w.ctl, w.done
	go func() { done <- ctl.Run(ctx) }()
}

// stop ends the controller in order, or as SIGKILL does: nothing that it knows reaches
// the store any more, and its actions are gone.
func (w *world) stop(kill bool) {
	if w.cancel == nil {
		return
	}
	if kill {
		w.gate.mu.Lock()
		w.gate.dead = true
		w.gate.mu.Unlock()
		w.bench.kill()
	}
	w.cancel()
	w.cancel = nil
	if err := <-w.done; err != nil && !kill {
		w.t.Fatal(err)
	}
	for _, what := range w.gate.broken() {
		w.t.Error(what)
	}
}

func (w *world) close() {
	w.bench.releaseAll()
	w.stop(false)
	w.end()
	if err := <-w.watched; err != nil {
		w.t.Error(err)
	}
	for _, what := range w.bench.broken() {
		w.t.Error(what)
	}
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
	w.archive.Close()
	if err := os.RemoveAll(w.dir); err != nil {
		w.t.Error(err)
	}
}

func (w *world) oneIn(n int, what string) bool { return rapid.IntRange(1, n).Draw(w.t, what) == n }

func (w *world) name() string {
	return fmt.Sprint("job-", rapid.IntRange(0, names-1).Draw(w.t, "name"))
}

// step does one thing that may happen at any time.
func (w *world) step() {
	switch what := rapid.SampledFrom([]string{
		"create", "create", "create", "create", "cancel", "suspend", "resume", "rerun", "rerun", "force", "delete", "release", "release", "settle", "restart", "kill",
	}).Draw(w.t, "step"); what {
	case "create":
		spec, script := w.spec()
		w.create(w.name(), spec, script)
	case "cancel":
		w.update(w.name(), func(j *v1.Job) bool { return live(j, func() { j.Spec.Cancel = true }) })
	case "suspend":
		w.update(w.name(), func(j *v1.Job) bool { return live(j, func() { j.Spec.Suspend = true }) })
	case "resume":
		w.update(w.name(), func(j *v1.Job) bool { return live(j, func() { j.Spec.Suspend = false }) })
	case "rerun":
		w.update(w.name(), func(j *v1.Job) bool {
			if !terminal(j) {
				return false
			}
			j.Spec.Reruns++
			j.Spec.Cancel, j.Spec.ForceFinish = false, nil
			return true
		})
	case "force":
		phase := rapid.SampledFrom([]v1.JobPhase{v1.JobSucceeded, v1.JobFailed, v1.JobCanceled}).Draw(w.t, "phase")
		w.update(w.name(), func(j *v1.Job) bool {
			return j.Spec.ForceFinish == nil && live(j, func() { j.Spec.ForceFinish = &v1.ForceFinish{Phase: phase, Message: "enough"} })
		})
	case "delete":
		if _, err := w.store.Delete(w.ctx, key(w.name()), store.Preconditions{}); err != nil && !errors.Is(err, store.ErrNotFound) {
			w.t.Fatal(err)
		}
	case "release":
		w.bench.release(w.name())
	case "settle":
		w.settle()
	case "restart", "kill":
		w.stop(what == "kill")
		w.start()
	}
}

// live makes a change that only a job that has not ended takes.
func live(j *v1.Job, change func()) bool {
	if terminal(j) {
		return false
	}
	change()
	return true
}

// spec draws what a job asks for and how its attempts will go.
func (w *world) spec() (v1.JobSpec, script) {
	s := v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}}
	s.Priority = int32(rapid.IntRange(-2, 2).Draw(w.t, "priority"))
	s.Suspend = w.oneIn(10, "suspended")
	s.BackoffLimit, s.Backoff = new(int32(rapid.IntRange(0, 2).Draw(w.t, "retries"))), &v1.Backoff{InitialSeconds: new(int32)}
	if w.oneIn(3, "rules") {
		s.FailurePolicy = &v1.FailurePolicy{Rules: []v1.FailureRule{{Action: rapid.SampledFrom(v1.FailurePolicyActions()).Draw(w.t, "action"), IsError: new(true)}}}
	}
	s.OnInterruption = rapid.SampledFrom([]v1.InterruptionPolicy{"", v1.InterruptionFail, v1.InterruptionRerun}).Draw(w.t, "on interruption")
	if k := rapid.SampledFrom([]string{"", "one", "two"}).Draw(w.t, "key"); k != "" {
		s.Concurrency = &v1.Concurrency{Key: k, Limit: new(int32(keyLimits[k])), Policy: rapid.SampledFrom(v1.ConcurrencyPolicies()).Draw(w.t, "policy")}
	}
	if w.oneIn(20, "rate") {
		s.RateLimit = &v1.RateLimit{Key: "r", Limit: new(int32(rateLimit)), PerSeconds: 1}
	}
	for _, other := range rapid.SliceOfNDistinct(rapid.IntRange(0, names-1), 0, 2, rapid.ID[int]).Draw(w.t, "depends on") {
		condition := rapid.SampledFrom([]v1.DependencyCondition{"", v1.DependencySucceeded, v1.DependencyFailed, v1.DependencyFinished}).Draw(w.t, "condition")
		s.DependsOn = append(s.DependsOn, v1.JobDependency{Name: fmt.Sprint("job-", other), Condition: condition})
	}
	return s, script{
		ends:       rapid.SliceOfN(rapid.SampledFrom([]string{"success", "failure", "tool error", "panic", "hang", "hang"}), 1, 4).Draw(w.t, "script"),
		repeatable: rapid.Bool().Draw(w.t, "repeatable"),
	}
}

func (w *world) create(name string, spec v1.JobSpec, s script) {
	w.bench.plan(name, s)
	_, err := w.store.Create(w.ctx, &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "acme"}, Spec: spec,
		Status: v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	})
	if err != nil && !errors.Is(err, store.ErrExists) {
		w.t.Fatal(err)
	}
}

// update changes a job's spec, if there is one that takes the change.
func (w *world) update(name string, change func(*v1.Job) bool) {
	for {
		record, err := w.store.Get(w.ctx, key(name))
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		if err != nil {
			w.t.Fatal(err)
		}
		job, err := record.Job()
		if err != nil {
			w.t.Fatal(err)
		}
		if !change(job) {
			return
		}
		_, err = w.store.Update(w.ctx, job)
		switch {
		case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound): // look again
		case err != nil:
			w.t.Fatal(err)
		default:
			return
		}
	}
}

func (w *world) jobs() []*v1.Job {
	page, err := w.store.List(w.ctx, store.ListOptions{Kind: v1.KindJob})
	if err != nil {
		w.t.Fatal(err)
	}
	jobs := make([]*v1.Job, 0, len(page.Items))
	for _, record := range page.Items {
		job, err := record.Job()
		if err != nil {
			w.t.Fatal(err)
		}
		jobs = append(jobs, job)
	}
	return jobs
}

// settle waits until nothing moves by itself: each job has ended, hangs in its action,
// or says what it waits for.
func (w *world) settle() {
	w.until("every job hangs, has ended or says what it waits for", func(j *v1.Job) bool {
		if terminal(j) || j.Status.CurrentAttempt != nil && w.bench.hangs(j.Status.CurrentAttempt.ID) {
			return true
		}
		blockers, err := w.ctl.Blockers(w.ctx, j)
		if err != nil {
			w.t.Fatal(err)
		}
		return slices.ContainsFunc(blockers, func(b v1.Blocker) bool { return w.true(j, b) })
	})
}

// true reports whether what a blocker says is so: what is full is full of attempts that
// hang.
func (w *world) true(j *v1.Job, b v1.Blocker) bool {
	key := ""
	if j.Spec.Concurrency != nil {
		key = j.Spec.Concurrency.Key
	}
	hanging, sharing := w.bench.hanging(key)
	switch b.Kind {
	case v1.BlockedByCapacity:
		return hanging == modelSlots
	case v1.BlockedByPosition:
		return hanging > 0
	case v1.BlockedByLimit:
		return b.Until != nil || sharing == keyLimits[key]
	case v1.BlockedBySuspend:
		return j.Spec.Suspend
	case v1.BlockedByDependency, v1.BlockedBySchedule:
	}
	return b.Message != ""
}

// drain lets everything go and waits until every job has ended.
func (w *world) drain() {
	w.bench.releaseAll()
	for i := range names {
		name := fmt.Sprint("job-", i)
		w.update(name, func(j *v1.Job) bool { return live(j, func() { j.Spec.Suspend = false }) })
		w.create(name, v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}}, script{ends: []string{"success"}})
	}
	w.until("every job has ended", terminal)
}

// until waits until that is true of every job.
func (w *world) until(what string, is func(*v1.Job) bool) {
	for {
		var not []*v1.Job
		for _, job := range w.jobs() {
			if !is(job) {
				not = append(not, job)
			}
		}
		if len(not) == 0 {
			return
		}
		if w.ctx.Err() == nil {
			continue
		}
		w.ctx = context.Background()
		var text strings.Builder
		for _, job := range not {
			blockers, err := w.ctl.Blockers(w.ctx, job)
			fmt.Fprintf(&text, "\n%s: spec %+v\nstatus %+v\nattempt %+v\nblocked by %+v, %v", job.Name, job.Spec, job.Status, job.Status.CurrentAttempt, blockers, err)
		}
		w.t.Fatalf("waited for %s: %s; not so:%s", patience, what, text.String())
	}
}
