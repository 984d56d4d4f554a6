package job_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/store"
)

// gates runs jobs until their name is let go, and remembers the order of their starts.
type gates struct {
	mu    sync.Mutex
	open  map[string]chan struct{}
	order []string
}

func newGates() *gates { return &gates{open: map[string]chan struct{}{}} }

func (g *gates) gate(name string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[name] == nil {
		g.open[name] = make(chan struct{})
	}
	return g.open[name]
}

func (g *gates) run(ctx context.Context, a action.Attempt, _ action.Sink) action.Outcome {
	gate := g.gate(a.Job.Name)
	g.mu.Lock()
	g.order = append(g.order, a.Job.Name)
	g.mu.Unlock()
	select {
	case <-gate:
		return action.Outcome{Verdict: action.Succeeded}
	case <-ctx.Done():
		return action.Outcome{Verdict: action.Stopped, Repeatable: true}
	}
}

func (g *gates) started() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Join(g.order, " ")
}

// blocked waits until the job is blocked as wanted.
func (e *environment) blocked(name string, wanted func(v1.Blocker) bool) v1.Blocker {
	e.t.Helper()
	for {
		j := e.get(name)
		blockers, err := e.controller.Blockers(e.t.Context(), j)
		if err != nil {
			e.t.Fatal(err)
		}
		if at := slices.IndexFunc(blockers, wanted); at >= 0 {
			return blockers[at]
		}
		if err := e.t.Context().Err(); err != nil {
			e.t.Fatal(err)
		}
	}
}

func kind(k v1.BlockerKind) func(v1.Blocker) bool {
	return func(b v1.Blocker) bool { return b.Kind == k }
}

func (e *environment) get(name string) *v1.Job {
	e.t.Helper()
	record, err := e.store.Get(e.t.Context(), key(name))
	if err != nil {
		e.t.Fatal(err)
	}
	j, err := record.Job()
	if err != nil {
		e.t.Fatal(err)
	}
	return j
}

// update changes a job's spec.
func (e *environment) update(name string, change func(*v1.Job)) {
	e.t.Helper()
	for {
		j := e.get(name)
		change(j)
		_, err := e.store.Update(e.t.Context(), j)
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), store.ErrConflict.Error()) {
			e.t.Fatal(err)
		}
	}
}

func concurrency(key string, policy v1.ConcurrencyPolicy) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.Concurrency = &v1.Concurrency{Key: key, Policy: policy} }
}

func dependsOn(names ...string) func(*v1.Job) {
	return func(j *v1.Job) {
		for _, name := range names {
			j.Spec.DependsOn = append(j.Spec.DependsOn, v1.JobDependency{Name: name})
		}
	}
}

func TestABlockedKeyHoldsUpNobodyElse(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("a1", concurrency("a", ""))
	e.until("a1", running)
	e.create("a2", concurrency("a", ""))
	b := e.blocked("a2", kind(v1.BlockedByLimit))
	if b.Name != "a1" || !strings.Contains(b.Message, `1 job with concurrency key "a" runs, 1 may: a1.`) {
		t.Errorf("blocker = %+v", b)
	}
	e.create("b1", concurrency("b", ""))
	e.until("b1", running)
	close(g.gate("a1"))
	e.until("a2", running)
	for _, name := range []string{"a2", "b1"} {
		close(g.gate(name))
		e.until(name, terminal)
	}
}

func TestReplaceCancelsTheOlderJobsOfTheKey(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("old", concurrency("a", v1.ConcurrencyReplace))
	e.until("old", running)
	e.create("waits", concurrency("a", ""))
	e.blocked("waits", kind(v1.BlockedByLimit))
	e.create("new", concurrency("a", v1.ConcurrencyReplace))
	for _, name := range []string{"old", "waits"} {
		if j := e.until(name, terminal); j.Status.Phase != v1.JobCanceled || j.Status.Reason != v1.ReasonReplaced || !strings.Contains(j.Status.Message, `"new"`) {
			t.Errorf("%s: %+v", name, j.Status)
		}
	}
	e.until("new", running)
	close(g.gate("new"))
	e.until("new", terminal)
}

func TestSkipCancelsTheNewJob(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("first", concurrency("a", v1.ConcurrencySkip))
	e.until("first", running)
	e.create("second", concurrency("a", v1.ConcurrencySkip))
	if j := e.until("second", terminal); j.Status.Phase != v1.JobCanceled || j.Status.Reason != v1.ReasonSkipped || !strings.Contains(j.Status.Message, "first") {
		t.Errorf("status = %+v", j.Status)
	}
	close(g.gate("first"))
	e.until("first", terminal)
	e.create("third", concurrency("a", v1.ConcurrencySkip))
	close(g.gate("third"))
	if j := e.until("third", terminal); j.Status.Phase != v1.JobSucceeded {
		t.Errorf("status = %+v", j.Status)
	}
}

func TestARateLimitSpreadsStarts(t *testing.T) {
	e := newEnvironment(t, succeed)
	e.start()
	limited := func(j *v1.Job) { j.Spec.RateLimit = &v1.RateLimit{Key: "api", PerSeconds: 3600} }
	e.create("one", limited)
	e.until("one", terminal)
	e.create("two", limited)
	if b := e.blocked("two", kind(v1.BlockedByLimit)); b.Until == nil || time.Until(b.Until.Time) < 50*time.Minute {
		t.Errorf("blocker = %+v", b)
	}
	// The window is known again after a restart.
	e.stop()
	e.open()
	e.start()
	e.blocked("two", kind(v1.BlockedByLimit))
	e.cancel("two")
	e.until("two", terminal)
}

// TestARateLimitThatAClockLeftADayAhead: what was started before the clock was set back by
// a day counts for the limit's window from now, not for a day.
func TestARateLimitThatAClockLeftADayAhead(t *testing.T) {
	e := newEnvironment(t, succeed)
	e.start()
	limited := func(j *v1.Job) { j.Spec.RateLimit = &v1.RateLimit{Key: "api", PerSeconds: 3600} }
	e.create("one", limited)
	one := e.until("one", terminal)
	e.stop()
	e.open()
	for _, at := range []*metav1.MicroTime{one.Status.StartTime, one.Status.CompletionTime} {
		at.Time = at.AddDate(0, 0, 1)
	}
	one.Status.RetryAfterTime = one.Status.CompletionTime
	if _, err := e.store.UpdateStatus(t.Context(), one, store.Durable); err != nil {
		t.Fatal(err)
	}
	e.start()
	e.create("two", limited)
	if b := e.blocked("two", kind(v1.BlockedByLimit)); b.Until == nil || time.Until(b.Until.Time) > time.Hour {
		t.Errorf("blocker = %+v", b)
	}
	e.cancel("two")
	e.until("two", terminal)
}

func TestDependencies(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("c", dependsOn("b"))
	if b := e.blocked("c", kind(v1.BlockedByDependency)); b.Name != "b" || !strings.Contains(b.Message, `There is no job "b" yet`) {
		t.Errorf("blocker = %+v", b)
	}
	e.create("b", dependsOn("a"))
	e.create("a")
	e.until("a", running)
	if b := e.blocked("b", kind(v1.BlockedByDependency)); b.Name != "a" || !strings.Contains(b.Message, `Job "a" is Running; it has to be Succeeded first`) {
		t.Errorf("blocker = %+v", b)
	}
	for _, name := range []string{"a", "b", "c"} {
		close(g.gate(name))
		e.until(name, terminal)
	}
	if got := g.started(); got != "a b c" {
		t.Errorf("started %s", got)
	}
}

func TestAFailedDependencyEndsItsDependentsTransitively(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome func(e *environment)
		want    string
	}{
		"failed":   {func(*environment) {}, `Job "a", which spec.dependsOn names, ended Failed`},
		"canceled": {func(e *environment) { e.cancel("a") }, `ended Canceled; it had to be Succeeded`},
		"deleted": {func(e *environment) {
			e.until("b", func(j *v1.Job) bool { return len(j.Status.Dependencies) > 0 })
			if _, err := e.store.Delete(e.t.Context(), key("a"), store.Preconditions{}); err != nil {
				e.t.Fatal(err)
			}
		}, `was deleted before it was Succeeded`},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnvironment(t, func(ctx context.Context, a action.Attempt, s action.Sink) action.Outcome {
				if name == "failed" {
					return action.Fail(v1.ReasonExitCode, "exit 1")
				}
				return untilStopped(ctx, a, s)
			})
			e.start()
			e.create("c", dependsOn("b"))
			e.create("b", dependsOn("a"))
			e.create("either-way", func(j *v1.Job) {
				j.Spec = v1.JobSpec{Type: v1.JobTypeAPICall, DependsOn: []v1.JobDependency{{Name: "b", Condition: v1.DependencyFinished}}}
			})
			e.create("a")
			if name != "failed" {
				e.until("a", running)
			}
			tc.outcome(e)
			if j := e.until("b", terminal); j.Status.Phase != v1.JobCanceled || j.Status.Reason != v1.ReasonDependencyFailed || !strings.Contains(j.Status.Message, tc.want) {
				t.Errorf("b: %+v", j.Status)
			}
			if j := e.until("c", terminal); j.Status.Phase != v1.JobCanceled || j.Status.Reason != v1.ReasonDependencyFailed {
				t.Errorf("c: %+v", j.Status)
			}
			if j := e.until("either-way", terminal); j.Status.Phase != v1.JobSucceeded {
				t.Errorf("either-way: %+v", j.Status)
			}
		})
	}
}

func TestACycleInAnEditedFileEndsItsJobs(t *testing.T) {
	e := newEnvironment(t, succeed)
	e.create("a", dependsOn("b"))
	e.create("b", dependsOn("a"))
	e.start()
	cycles := 0
	for _, name := range []string{"a", "b"} {
		j := e.until(name, terminal)
		if j.Status.Phase != v1.JobCanceled || j.Status.Reason != v1.ReasonDependencyFailed {
			t.Errorf("%s: %+v", name, j.Status)
		}
		if strings.Contains(j.Status.Message, " → ") {
			cycles++
		}
	}
	if cycles == 0 {
		t.Error("no message shows the cycle")
	}
}

func TestSuspendStopsAJobAndResumeRunsItAgain(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("one")
	e.until("one", running)
	e.update("one", func(j *v1.Job) { j.Spec.Suspend = true })
	j := e.until("one", func(j *v1.Job) bool { return j.Status.IsConditionTrue(v1.ConditionSuspended) })
	if j.Status.Phase != v1.JobQueued || j.Status.StartTime != nil || j.Status.Failures != 0 || j.Status.Interruptions != 0 {
		t.Errorf("suspended: %+v", j.Status)
	}
	e.blocked("one", kind(v1.BlockedBySuspend))
	e.update("one", func(j *v1.Job) { j.Spec.Suspend = false })
	e.until("one", running)
	close(g.gate("one"))
	if j := e.until("one", terminal); j.Status.Phase != v1.JobSucceeded || j.Status.Attempts != 2 {
		t.Errorf("resumed: %+v", j.Status)
	}
}

func TestASuspendedWorkspaceStartsNothingUntilItIsResumed(t *testing.T) {
	e := newEnvironment(t, succeed)
	ws := &v1.Workspace{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
		ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1.WorkspaceSpec{Suspend: true},
	}
	records, err := e.store.Create(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	e.start()
	e.create("one")
	e.blocked("one", kind(v1.BlockedBySuspend))
	if ws, err = records[0].Workspace(); err != nil {
		t.Fatal(err)
	}
	ws.Spec.Suspend = false
	if _, err := e.store.Update(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	e.until("one", terminal)
}

func TestStartAfterHoldsAJobBack(t *testing.T) {
	e := newEnvironment(t, succeed)
	e.start()
	at := metav1.NewTime(time.Now().Add(time.Hour))
	e.create("later", func(j *v1.Job) { j.Spec.StartAfter = &at })
	e.create("record", func(j *v1.Job) { j.Spec = v1.JobSpec{Type: v1.JobTypeAPICall, StartAfter: &at} })
	for _, name := range []string{"later", "record"} {
		if b := e.blocked(name, kind(v1.BlockedBySchedule)); b.Until == nil || b.Until.Unix() != at.Unix() {
			t.Errorf("%s: %+v", name, b)
		}
	}
	past := metav1.NewTime(time.Now().Add(-time.Second))
	e.update("later", func(j *v1.Job) { j.Spec.StartAfter = &past })
	e.update("record", func(j *v1.Job) { j.Spec.StartAfter = nil })
	e.until("later", terminal)
	e.until("record", terminal)
}

func TestAFailedAttemptIsRetriedAfterItsBackoff(t *testing.T) {
	failures := 0
	e := newEnvironment(t, func(context.Context, action.Attempt, action.Sink) action.Outcome {
		if failures++; failures <= 2 {
			return action.Fail(v1.ReasonExitCode, fmt.Sprint("exit ", failures))
		}
		return action.Outcome{Verdict: action.Succeeded}
	})
	e.start()
	e.create("one", func(j *v1.Job) {
		j.Spec.BackoffLimit, j.Spec.Backoff = new(int32(2)), &v1.Backoff{InitialSeconds: new(int32(0))}
	})
	if j := e.until("one", terminal); j.Status.Phase != v1.JobSucceeded || j.Status.Attempts != 3 || j.Status.Failures != 2 {
		t.Errorf("status = %+v", j.Status)
	}
}

func TestARerunKeepsTheHistory(t *testing.T) {
	fail := true
	e := newEnvironment(t, func(context.Context, action.Attempt, action.Sink) action.Outcome {
		if fail {
			return action.Fail(v1.ReasonExitCode, "exit 1")
		}
		return action.Outcome{Verdict: action.Succeeded}
	})
	e.start()
	e.create("one")
	e.until("one", terminal)
	fail = false
	e.update("one", func(j *v1.Job) { j.Spec.Reruns = 1 })
	j := e.until("one", terminal)
	if j.Status.Phase != v1.JobSucceeded || j.Status.Attempts != 2 || j.Status.Failures != 0 || len(j.Status.History) != 1 || j.Status.History[0].Message != "exit 1" {
		t.Errorf("status = %+v", j.Status)
	}
}

func TestForceFinishEndsAJobWhoseActionDoesNotStop(t *testing.T) {
	release := make(chan struct{})
	e := newEnvironment(t, func(ctx context.Context, _ action.Attempt, _ action.Sink) action.Outcome {
		<-ctx.Done()
		<-release // asked to stop, it goes on
		return action.Outcome{Verdict: action.Succeeded, Message: "done after all"}
	})
	e.start()
	e.create("one")
	e.until("one", running)
	e.update("one", func(j *v1.Job) { j.Spec.ForceFinish = &v1.ForceFinish{Phase: v1.JobFailed, Message: "stuck"} })
	j := e.until("one", terminal)
	if j.Status.Phase != v1.JobFailed || j.Status.Reason != v1.ReasonForceFinished || !strings.Contains(j.Status.Message, "stuck") {
		t.Errorf("status = %+v", j.Status)
	}
	close(release)
	j = e.until("one", func(j *v1.Job) bool { return j.Status.LateResult != nil })
	if j.Status.Phase != v1.JobFailed || j.Status.LateResult.Outcome != v1.JobSucceeded || j.Status.LateResult.Message != "done after all" {
		t.Errorf("late result = %+v", j.Status.LateResult)
	}
}

func TestARetryAfterHoldsUpTheWholeRateKey(t *testing.T) {
	e := newEnvironment(t, func(context.Context, action.Attempt, action.Sink) action.Outcome {
		o := action.Fail(v1.ReasonUnexpectedStatus, "429")
		o.RetryAfter = time.Hour
		return o
	})
	e.start()
	limited := func(j *v1.Job) {
		j.Spec.RateLimit = &v1.RateLimit{Key: "api", Limit: new(int32(100)), PerSeconds: 1}
	}
	e.create("throttled", limited)
	if j := e.until("throttled", terminal); j.Status.RetryAfterTime == nil {
		t.Fatalf("status = %+v", j.Status)
	}
	e.create("next", limited)
	if b := e.blocked("next", kind(v1.BlockedByLimit)); b.Until == nil || !strings.Contains(b.Message, "Retry-After") {
		t.Errorf("blocker = %+v", b)
	}
	e.stop()
	e.open() // after a restart it is known still
	e.start()
	e.blocked("next", kind(v1.BlockedByLimit))
}
