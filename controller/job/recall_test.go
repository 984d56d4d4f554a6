package job_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/spool"
	"jobwright.dev/store"
)

// outcomes opens the spool of the environment.
func (e *environment) outcomes() *spool.Spool {
	e.t.Helper()
	s, unread, err := spool.Open(filepath.Join(e.dir, "outcomes"))
	if err != nil || len(unread) > 0 {
		e.t.Fatal(err, unread)
	}
	return s
}

// runUntil runs a controller until during has returned, and stops it then.
func (e *environment) runUntil(during func()) {
	e.t.Helper()
	c, err := job.New(e.opts)
	if err != nil {
		e.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	during()
	cancel()
	if err := <-done; err != nil {
		e.t.Errorf("Run: %v", err)
	}
}

// TestAnOutcomeOutlivesAStopWhileTheStoreIsAway ends an attempt, which must not run twice,
// while the store is away, and stops the server before it is back. The next start tells
// what the attempt has come to.
func TestAnOutcomeOutlivesAStopWhileTheStoreIsAway(t *testing.T) {
	failed := action.Fail(v1.ReasonExitCode, "exit 1")
	for name, test := range map[string]struct {
		outcome   action.Outcome
		untilStop bool          // the attempt ends with the stop, not before it
		answers   bool          // the status is written, its answer is lost
		meanwhile func(*v1.Job) // before the next start, by somebody else
		deleted   bool          // meanwhile
		want      v1.JobStatus
	}{
		"it succeeded": {
			outcome: action.Outcome{Verdict: action.Succeeded, Message: "done"},
			want:    v1.JobStatus{Phase: v1.JobSucceeded, Reason: v1.ReasonCompleted, Message: "done", Attempts: 1},
		},
		"it failed": {
			outcome: failed, want: v1.JobStatus{Phase: v1.JobFailed, Reason: v1.ReasonExitCode, Message: "exit 1", Attempts: 1, Failures: 1},
		},
		"it came to its end while it was interrupted": {
			outcome: action.Outcome{Verdict: action.Succeeded, Message: "just in time"}, untilStop: true,
			want: v1.JobStatus{Phase: v1.JobSucceeded, Reason: v1.ReasonCompleted, Message: "just in time", Attempts: 1},
		},
		"the status was written, and the answer lost": {
			outcome: failed, answers: true,
			want: v1.JobStatus{Phase: v1.JobFailed, Reason: v1.ReasonExitCode, Message: "exit 1", Attempts: 1, Failures: 1},
		},
		"the job was finished by force meanwhile": {
			outcome: action.Outcome{Verdict: action.Succeeded, Message: "done"},
			meanwhile: func(j *v1.Job) {
				j.Spec.ForceFinish = &v1.ForceFinish{Phase: v1.JobFailed, Message: "enough"}
				j.Status = lifecycle.NextQueued(j, lifecycle.Observed{Worker: "another"}, time.Now()).Status
				j.Status.Message = "enough"
			},
			want: v1.JobStatus{
				Phase: v1.JobFailed, Reason: v1.ReasonForceFinished, Message: "enough", Attempts: 1,
				LateResult: &v1.LateResult{Worker: "w", Outcome: v1.JobSucceeded, Message: "done"},
			},
		},
		"the job was deleted meanwhile": {outcome: failed, deleted: true},
	} {
		t.Run(name, func(t *testing.T) {
			var release chan struct{} // of the bubble
			run := func(ctx context.Context, _ action.Attempt, _ action.Sink) action.Outcome {
				if test.untilStop {
					<-ctx.Done()
				} else {
					<-release
				}
				return test.outcome
			}
			synctest.Test(t, func(t *testing.T) {
				release = make(chan struct{})
				e := newEnvironment(t, run)
				e.runner.recover = func(action.Attempt) (action.Outcome, error) {
					t.Error("the attempt was recovered")
					return action.Outcome{Verdict: action.Lost}, nil
				}
				r := newRemote(e.store)
				e.opts.Store = r
				if test.answers {
					e.opts.Store = &deaf{Store: r, lose: map[v1.JobPhase]int{test.want.Phase: 1}, meanwhile: func(*v1.Job) { r.disconnect() }}
				}
				e.opts.Spool, e.opts.ShutdownGrace = e.outcomes(), 10*time.Second
				e.runUntil(func() {
					e.create("one")
					e.until("one", running)
					synctest.Wait()
					if !test.answers {
						r.disconnect()
					}
					close(release)
					time.Sleep(time.Minute)
				})
				r.connect()
				if test.meanwhile != nil {
					j := e.get("one")
					test.meanwhile(j)
					if _, err := e.store.UpdateStatus(t.Context(), j, store.Durable); err != nil {
						t.Fatal(err)
					}
				}
				if test.deleted {
					if _, err := e.store.Delete(t.Context(), key("one"), store.Preconditions{}); err != nil {
						t.Fatal(err)
					}
				}
				e.opts.Store, e.opts.Spool = e.store, e.outcomes()
				e.start()
				time.Sleep(time.Minute)
				if !test.deleted {
					s := e.get("one").Status
					got := v1.JobStatus{Phase: s.Phase, Reason: s.Reason, Message: s.Message, Attempts: s.Attempts, Failures: s.Failures, Interruptions: s.Interruptions, LateResult: s.LateResult}
					if got.LateResult != nil {
						got.LateResult = &v1.LateResult{Worker: s.LateResult.Worker, Outcome: s.LateResult.Outcome, Message: s.LateResult.Message}
					}
					if diff := cmp.Diff(test.want, got); diff != "" {
						t.Errorf("status (-want +got):\n%s", diff)
					}
				}
				if left, err := os.ReadDir(filepath.Join(e.dir, "outcomes")); err != nil || len(left) > 0 {
					t.Errorf("kept after all was told: %v, %v", left, err)
				}
				e.stop()
			})
		})
	}
}

// TestARecoveryThatIsNotSureEndsWithTheServer: nobody knows whether something of the attempt
// is left, so the job stays as it is for the next start, and the server ends all the same.
func TestARecoveryThatIsNotSureEndsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnvironment(t, succeed)
		tries := 0
		e.runner.recover = func(action.Attempt) (action.Outcome, error) {
			tries++
			return action.Outcome{}, errConnection
		}
		at := metav1.NowMicro()
		held := v1.JobStatus{
			Phase: v1.JobRunning, Reason: v1.ReasonStarted, Attempts: 1, StartTime: &at, LastUpdateTime: &at, ObservedGeneration: 1,
			CurrentAttempt: &v1.Attempt{ID: "u-1", Worker: "w", StartTime: at},
		}
		e.create("one", func(j *v1.Job) { j.Status = held })
		e.opts.ShutdownGrace = 10 * time.Second
		began := time.Now()
		e.runUntil(func() { time.Sleep(time.Minute) })
		if took := time.Since(began); took > 71*time.Second {
			t.Errorf("Run ended after %s; its grace is 10 s", took)
		}
		if tries < 2 {
			t.Errorf("it was tried %d times", tries)
		}
		if s := e.get("one").Status; s.CurrentAttempt == nil || s.Interruptions != 0 {
			t.Errorf("status = %+v", s)
		}
		if err := e.store.Close(); err != nil {
			t.Error(err)
		}
		e.archive.Close()
	})
}
