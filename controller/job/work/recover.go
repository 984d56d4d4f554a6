package work

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
)

// recoveries is how long to wait until the Runner is asked again.
var recoveries = controller.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second}

// Recover implements dispatch.Worker.
func (w *Worker) Recover(ctx context.Context, uid uuid.UUID, job *v1.Job) {
	ctx, cancel := context.WithCancelCause(ctx)
	x := newExecution(uid, job, untilShutdown(cancel), job.Status.CurrentAttempt.StartTime.Time)
	attempt := action.Attempt{ID: x.id, Job: job, Grace: w.CancelGrace}
	outcome, kept := w.keptOutcome(x.id)
	x.spooled, x.spooledStatus = kept, kept
	w.add(x, 0)
	go func() {
		defer cancel(nil)
		sink := &sink{w: w, x: x}
		if kept {
			sink.Line(action.System, "the server ended before it could write what the attempt had come to; it is written now")
		} else {
			var sure bool
			if outcome, sure = w.recoverUntilSure(ctx, attempt); !sure {
				w.remove(x) // the attempt stays in the store for the next start
				w.dispatcher.Gone(x.uid)
				return
			}
			sink.Line(action.System, "the server ended while the attempt was running; nothing of it is left")
		}
		sink.end(outcome)
		w.end(x, outcome)
	}()
	w.queue.Add(x)
}

// untilShutdown lets nothing but the end of the server stop a recovery: what a dead worker
// has left is to be ended whatever becomes of the job.
func untilShutdown(cancel context.CancelCauseFunc) context.CancelCauseFunc {
	return func(cause error) {
		if errors.Is(cause, errShutdown) {
			cancel(cause)
		}
	}
}

// recoverUntilSure asks the Runner until it can tell that nothing of the attempt is
// left, or until ctx ends; false: it could not.
func (w *Worker) recoverUntilSure(ctx context.Context, a action.Attempt) (outcome action.Outcome, sure bool) {
	t, ok := w.Actions.Find(a.Job.Spec.Type)
	if !ok {
		return action.Outcome{Verdict: action.Lost}, true
	}
	for tries := 1; ; tries++ {
		outcome, err := t.Runner.Recover(ctx, a)
		if err == nil {
			return outcome, true
		}
		wait := recoveries.After(tries)
		w.Log.Error(err, "recover; trying again", "job", a.Job.Namespace+"/"+a.Job.Name, "attempt", a.ID, "in", wait.String())
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return action.Outcome{}, false
		}
	}
}
