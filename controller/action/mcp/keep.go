package mcp

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/memory"
)

func (r *Runner) memory() memory.Folder { return memory.Folder(r.opts.StateDir) }

// Kept calls visit with each job of which a task is remembered.
func (r *Runner) Kept(ctx context.Context, visit func(action.JobRef) error) error {
	return r.memory().Tasks(ctx, func(uid types.UID, task *memory.Task) error {
		return visit(action.JobRef{Namespace: task.Namespace, Name: task.Job, UID: uid})
	})
}

// Forget removes what is remembered of a job.
func (r *Runner) Forget(_ context.Context, job action.JobRef) error {
	if err := r.memory().Forget(job.UID); err != nil {
		return fmt.Errorf("forget the task of job %s/%s: %w", job.Namespace, job.Name, err)
	}
	return nil
}

func (r *Runner) forget(job types.UID) {
	if err := r.memory().ForgetTask(job); err != nil {
		r.opts.Log.Error(err, "forget the task of a job", "job", string(job))
	}
}

// left is the task that an attempt of the job left on its server; nil: there is none, or
// the server is defined in another way now.
func (r *Runner) left(job *v1.Job) *memory.Task {
	old, err := r.memory().Task(job.UID)
	if err != nil {
		r.opts.Log.Error(err, "read the task of a job", "job", job.Namespace+"/"+job.Name)
		return nil
	}
	if old == nil {
		return nil
	}
	if server := r.Get(old.Server); server == nil || server.Definition().URL != old.URL || old.Tool != job.Spec.Build.Action {
		r.forget(job.UID)
		return nil
	}
	return old
}

// notBegun is the outcome of an attempt that a dead worker left before it had called its
// tool; nil: that is not known. No server is needed to tell.
func (r *Runner) notBegun(a action.Attempt) *action.Outcome {
	attempt, err := r.memory().Marked(a.Job.UID)
	if err != nil {
		r.opts.Log.Error(err, "read whether a job's tool was called", "job", a.Job.Namespace+"/"+a.Job.Name)
		return nil
	}
	if attempt == "" || attempt != a.ID {
		return nil
	}
	return &action.Outcome{Verdict: action.Lost, Repeatable: true, Message: fmt.Sprintf("Tool %s had not been called yet: its server was still starting.", a.Job.Spec.Build.Action)}
}

// calls tells that the attempt is about to call its tool; with an outcome it must not.
func (r *Runner) calls(a action.Attempt) *action.Outcome {
	if err := r.memory().Unmark(a.Job.UID); err != nil {
		r.opts.Log.Error(err, "note that a job's tool is called", "job", a.Job.Namespace+"/"+a.Job.Name)
		failed := action.Fail(v1.ReasonInternalError, fmt.Sprintf("Tool %s was not called: that it is about to be could not be written down. The server's log has the error.", a.Job.Spec.Build.Action))
		return &failed
	}
	return nil
}

// settled removes the mark of an attempt that has an outcome.
func (r *Runner) settled(a action.Attempt) {
	if err := r.memory().Unmark(a.Job.UID); err != nil {
		r.opts.Log.Error(err, "remove the mark of an attempt that has ended", "job", a.Job.Namespace+"/"+a.Job.Name)
	}
}

// starts tells that the attempt waits for its server to start. An error costs what is known
// after a crash, not the call.
func (r *Runner) starts(a action.Attempt, left *memory.Task) {
	if left != nil {
		return // an attempt before has called it
	}
	if err := r.memory().Mark(a.Job.UID, a.ID); err != nil {
		r.opts.Log.Error(err, "note that a job's tool is not called yet", "job", a.Job.Namespace+"/"+a.Job.Name)
	}
}
