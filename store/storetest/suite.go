package storetest

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// Engine is an engine under test.
type Engine struct {
	// Open opens the engine over dir, a folder that belongs to the test and keeps
	// what an earlier Open of the same test has stored. An engine that is an
	// io.Closer is closed by the suite.
	Open func(t *testing.T, dir string) store.Store
	// Power is set for an engine whose disk can lose unsynced data.
	Power Power
}

// Power is the power supply of the machine with an engine's disk.
type Power interface {
	// Cut cuts the power soon, while the engine below dir writes.
	Cut(dir string, seed uint64)
	// Return makes dir what the cut has left of it; the engine s is given up.
	Return(s store.Store, dir string)
}

// Run runs the suite. features are what the engine must have: it is an error when it does
// not declare just these.
func Run(t *testing.T, engine Engine, features store.Features) {
	topics := []struct {
		name string
		run  func(t *testing.T, f *fixture)
	}{
		{"create", testCreate},
		{"get", testGet},
		{"update", testUpdate},
		{"status", testStatus},
		{"delete", testDelete},
		{"list", testList},
		{"pages", testPages},
		{"watch", testWatch},
		{"count", testCount},
		{"concurrency", testConcurrency},
		{"restart", testRestart},
		{"random history", testRandom},
		{"linearizability", testLinearizable},
	}
	for _, topic := range topics {
		t.Run(topic.name, func(t *testing.T) {
			topic.run(t, &fixture{T: t, engine: engine, features: features, ctx: t.Context()})
		})
	}
}

// fixture opens engines for one topic.
type fixture struct {
	*testing.T
	engine   Engine
	features store.Features
	ctx      context.Context
}

// run runs one case over a new, empty engine and checks the invariants at its end.
func (f *fixture) run(name string, test func(c *testCase)) {
	f.Run(name, func(t *testing.T) {
		c := &testCase{T: t, ctx: t.Context(), engine: f.engine, has: f.features, dir: t.TempDir()}
		c.open()
		test(c)
		Check(t, c.s)
		c.close()
	})
}

// testCase is one case with its engine.
type testCase struct {
	*testing.T
	ctx    context.Context
	engine Engine
	has    store.Features
	dir    string
	s      store.Store
}

func (c *testCase) open() {
	c.s = c.engine.Open(c.T, c.dir)
	if got := c.s.Features(); got != c.has {
		c.Errorf("the engine declares %+v, want %+v", got, c.has)
	}
}

func (c *testCase) close() {
	if closer, ok := c.s.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			c.Errorf("close: %v", err)
		}
	}
}

// reopen closes the engine and opens it again.
func (c *testCase) reopen() {
	c.close()
	c.open()
}

// workspaces are those in which the suite has jobs; an engine that looks for them has them
// from the start.
var workspaces = []string{"acme", "beta", "other"}

// Workspaces are the names of the workspaces that an engine without store.Features.Verbatim
// has to have when it is opened.
func Workspaces() []string { return slices.Clone(workspaces) }

// job makes a job that is queued, and as validation and defaults would have it.
func job(namespace, name string) *v1.Job {
	j := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
	}
	j.Spec.Type = v1.JobTypeAPICall
	j.Spec.APICall = &v1.APICallAction{URL: "http://127.0.0.1:9/"}
	j.Default()
	j.Status = j.InitialStatus()
	return j
}

// at moves j to a phase, as its life would have led there; an empty phase is one that no
// controller has looked at.
func at(j *v1.Job, phase v1.JobPhase) *v1.Job {
	s := &j.Status
	if phase == "" {
		*s = v1.JobStatus{}
		return j
	}
	s.Phase, s.Reason = phase, v1.ReasonQueued
	if phase == v1.JobQueued {
		return j
	}
	now := metav1.NewMicroTime(time.Unix(1_800_000_000, 0))
	s.Reason, s.Attempts, s.StartTime = v1.ReasonStarted, 1, &now
	if phase == v1.JobRunning {
		s.CurrentAttempt = &v1.Attempt{ID: "attempt-1", StartTime: now, Worker: "worker"}
		return j
	}
	s.CurrentAttempt, s.CompletionTime, s.Reason = nil, &now, v1.ReasonCompleted
	switch phase {
	case v1.JobSucceeded:
		s.Pct = 100
	case v1.JobFailed:
		s.Reason, s.Failures = v1.ReasonExitCode, 1
	default:
		s.Reason = v1.ReasonCancelRequested
	}
	for _, condition := range []string{v1.TerminalCondition(phase), v1.ConditionFinished} {
		s.SetCondition(condition, metav1.ConditionTrue, s.Reason, "", j.Generation, metav1.NewTime(now.Time))
	}
	return j
}

// jobKey is the key of a job.
func jobKey(namespace, name string) store.Key {
	return store.Key{Kind: v1.KindJob, Namespace: namespace, Name: name}
}

// workspace makes a workspace.
func workspace(name string) *v1.Workspace {
	return &v1.Workspace{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
}
