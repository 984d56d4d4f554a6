package work

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Begin implements dispatch.Worker.
func (w *Worker) Begin(ctx context.Context, uid uuid.UUID, job *v1.Job, again time.Duration) {
	ctx, cancel := context.WithCancelCause(ctx)
	x := newExecution(uid, job, cancel, time.Now())
	attempt := action.Attempt{ID: x.id, Job: job, Grace: w.CancelGrace}
	sink := &sink{w: w, x: x, begun: job.Status.Attempts}
	x.sink, x.holding = sink, sink
	w.add(x, again)
	go func() {
		defer cancel(nil)
		outcome := w.carryOut(ctx, attempt, sink)
		sink.end(outcome)
		w.end(x, outcome)
	}()
}

// carryOut runs the action; a panic in it is the attempt's failure, not the server's end.
func (w *Worker) carryOut(ctx context.Context, a action.Attempt, sink *sink) (outcome action.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			w.Log.Error(fmt.Errorf("panic: %v", p), "an action panicked", "job", a.Job.Namespace+"/"+a.Job.Name,
				"attempt", a.ID, "stack", string(debug.Stack()))
			outcome = action.Fail(v1.ReasonInternalError, fmt.Sprintf("The action panicked: %v. The server's log has the stack.", p))
		}
	}()
	t, ok := w.Actions.Find(a.Job.Spec.Type)
	if !ok {
		return action.Fail(v1.ReasonInvalidArguments, fmt.Sprintf("This server runs no jobs of type %q.", a.Job.Spec.Type))
	}
	outcome = t.Runner.Run(ctx, a, sink)
	outcome.Message = v1.BoundMessage(outcome.Message)
	return outcome
}

// end notes what an attempt came to.
func (w *Worker) end(x *execution, outcome action.Outcome) {
	x.end(outcome)
	w.queue.AddFirst(x)
}
