package job_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/store"
)

// deaf is the way to a store of which answers get lost: status writes happen, and the
// caller learns nothing.
type deaf struct {
	controller.Store
	mu   sync.Mutex
	lose map[v1.JobPhase]int // how many answers to writes of that phase
	drop map[v1.JobPhase]int // how many writes of that phase get lost on the way there
	// meanwhile happens after a write of which the answer is lost.
	meanwhile func(*v1.Job)
}

func (d *deaf) UpdateStatus(ctx context.Context, obj v1.Object, durability store.Durability) (store.Record, error) {
	j := obj.(*v1.Job)
	d.mu.Lock()
	lost, dropped := d.lose[j.Status.Phase] > 0, d.drop[j.Status.Phase] > 0
	switch {
	case dropped:
		d.drop[j.Status.Phase]--
	case lost:
		d.lose[j.Status.Phase]--
	}
	d.mu.Unlock()
	if dropped {
		return store.Record{}, fmt.Errorf("update: %w", errConnection)
	}
	record, err := d.Store.UpdateStatus(ctx, obj, durability)
	if !lost || err != nil {
		return record, err
	}
	if d.meanwhile != nil {
		d.meanwhile(j)
	}
	return store.Record{}, fmt.Errorf("update: %w", store.ErrUnknown)
}

// TestALostAnswerChangesNothing loses the answers to status writes, at each step of a job:
// what the job comes to is the same, nothing is called late or interrupted, and the action
// runs as often as it would.
func TestALostAnswerChangesNothing(t *testing.T) {
	retried := func(j *v1.Job) {
		j.Spec.BackoffLimit, j.Spec.Backoff = new(int32(1)), &v1.Backoff{InitialSeconds: new(int32)}
	}
	for name, test := range map[string]struct {
		lose, drop map[v1.JobPhase]int
		change     func(*v1.Job)
		meanwhile  func(*environment) func(*v1.Job)
		ends       []action.Outcome // of the attempts
		want       v1.JobStatus
	}{
		"of the start": {
			lose: map[v1.JobPhase]int{v1.JobRunning: 1}, ends: []action.Outcome{{Verdict: action.Succeeded}},
			want: v1.JobStatus{Phase: v1.JobSucceeded, Attempts: 1},
		},
		"of the outcome": {
			lose: map[v1.JobPhase]int{v1.JobSucceeded: 1}, ends: []action.Outcome{{Verdict: action.Succeeded}},
			want: v1.JobStatus{Phase: v1.JobSucceeded, Attempts: 1},
		},
		"of a failure that is retried": {
			lose: map[v1.JobPhase]int{v1.JobQueued: 1}, change: retried,
			ends: []action.Outcome{action.Fail(v1.ReasonExitCode, "exit 1"), {Verdict: action.Succeeded}},
			want: v1.JobStatus{Phase: v1.JobSucceeded, Attempts: 2, Failures: 1},
		},
		"of each write, after the write itself was lost twice": {
			lose: map[v1.JobPhase]int{v1.JobRunning: 1, v1.JobFailed: 1}, drop: map[v1.JobPhase]int{v1.JobRunning: 2, v1.JobFailed: 2},
			ends: []action.Outcome{action.Fail(v1.ReasonExitCode, "exit 1")},
			want: v1.JobStatus{Phase: v1.JobFailed, Attempts: 1, Failures: 1},
		},
		"of the outcome, and the job is run again meanwhile": {
			lose: map[v1.JobPhase]int{v1.JobFailed: 1}, ends: []action.Outcome{action.Fail(v1.ReasonExitCode, "exit 1"), {Verdict: action.Succeeded}},
			meanwhile: func(e *environment) func(*v1.Job) { return func(*v1.Job) { e.rerun("one") } },
			want:      v1.JobStatus{Phase: v1.JobSucceeded, Attempts: 2},
		},
		"of the start, and the job is canceled meanwhile": {
			lose: map[v1.JobPhase]int{v1.JobRunning: 1}, ends: []action.Outcome{{Verdict: action.Stopped}},
			meanwhile: func(e *environment) func(*v1.Job) { return func(*v1.Job) { e.cancel("one") } },
			want:      v1.JobStatus{Phase: v1.JobCanceled, Attempts: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			run := func(ctx context.Context, _ action.Attempt, _ action.Sink) action.Outcome {
				runs++
				end := test.ends[min(runs, len(test.ends))-1]
				if end.Verdict == action.Stopped {
					<-ctx.Done()
				}
				return end
			}
			inBubble(t, run, func(e *environment, r *remote) {
				e.runner.recover = func(action.Attempt) (action.Outcome, error) {
					return action.Outcome{Verdict: action.Lost}, nil // not repeatable
				}
				d := &deaf{Store: r, lose: test.lose, drop: test.drop}
				if test.meanwhile != nil {
					d.meanwhile = test.meanwhile(e)
				}
				e.opts.Store = d
				e.start()
				var changes []func(*v1.Job)
				if test.change != nil {
					changes = append(changes, test.change)
				}
				e.create("one", changes...)
				time.Sleep(time.Minute)
				j := e.until("one", func(*v1.Job) bool { return true })
				got := v1.JobStatus{
					Phase: j.Status.Phase, Attempts: j.Status.Attempts, Failures: j.Status.Failures,
					Interruptions: j.Status.Interruptions, LateResult: j.Status.LateResult,
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("status (-want +got):\n%s", diff)
				}
				if runs != len(test.ends) {
					t.Errorf("the action ran %d times, want %d", runs, len(test.ends))
				}
				for phase, n := range d.lose {
					if n > 0 {
						t.Errorf("no answer to a write of %s was lost", phase)
					}
				}
			})
		})
	}
}

// TestProgressThatCannotBeWrittenIsNotLost: the report goes with the next write.
func TestProgressThatCannotBeWrittenIsNotLost(t *testing.T) {
	inBubble(t, func(ctx context.Context, _ action.Attempt, out action.Sink) action.Outcome {
		out.Progress(40, "half")
		<-ctx.Done()
		return action.Outcome{Verdict: action.Stopped}
	}, func(e *environment, r *remote) {
		e.opts.ProgressInterval = time.Second
		e.start()
		e.create("one")
		e.until("one", running)
		r.err = store.ErrUnavailable
		r.disconnect()
		time.Sleep(time.Minute)
		r.connect()
		if j := e.until("one", func(j *v1.Job) bool { return j.Status.Pct > 0 }); j.Status.Pct != 40 || j.Status.Step != "half" {
			t.Errorf("status = %+v", j.Status)
		}
		e.cancel("one")
		e.until("one", terminal)
	})
}
