package mcp

import (
	"context"
	"errors"
	"fmt"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/memory"
	"jobwright.dev/controller/action/mcp/session"
	"jobwright.dev/controller/action/mcp/tasks"
)

// gone is the server's word that it does not know the task that an attempt before has left.
type gone struct{ error }

// callTask calls the tool as a task, or goes on with the task of an attempt whose worker
// died, and waits for its end.
func (a *attempt) callTask(ctx context.Context) (*answer.Reply, error) {
	if a.left != nil {
		known, err := a.takeOver(ctx)
		if err != nil {
			return nil, err
		}
		if known {
			return a.await(ctx)
		}
	}
	a.session.Begin(a.out, a.ID)
	task, reply, err := tasks.Create(ctx, a.session, a.build.Action, a.ID, a.arguments)
	if err != nil || reply != nil {
		return reply, err
	}
	a.task = task
	a.out.Line(action.System, "the call is task "+task.ID)
	a.keepTask()
	return a.await(ctx)
}

// takeOver goes on with the task that was left; false: the task is gone, and the tool may be
// called again.
func (a *attempt) takeOver(ctx context.Context) (bool, error) {
	a.session.Begin(a.out, a.left.Attempt) // the token that the task was begun with
	a.task.ID = a.left.Task                // to be canceled, whatever the server says of it
	now, err := tasks.Get(ctx, a.session, a.left.Task)
	switch {
	case err == nil:
		a.task = now
		a.out.Line(action.System, fmt.Sprintf("going on with task %s, which attempt %s began", a.left.Task, a.left.Attempt))
		return true, nil
	case !tasks.Unknown(err):
		return false, err
	case a.Job.Spec.OnInterruption != v1.InterruptionRerun && !a.session.Catalog().Repeatable(a.build.Action):
		return false, gone{err}
	}
	a.out.Line(action.System, fmt.Sprintf("task %s of attempt %s is gone; tool %s is called again", a.left.Task, a.left.Attempt, a.build.Action))
	a.left, a.task = nil, tasks.Task{}
	return false, nil
}

func (a *attempt) await(ctx context.Context) (*answer.Reply, error) {
	w := &tasks.Waiter{Session: a.session, Server: a.name, Task: a.task, Sink: a.out}
	reply, err := w.Wait(ctx)
	a.task = w.Task
	return reply, err
}

// taskFailed is the outcome of a task that has no result though nobody here has canceled
// it: the server canceled it, or does not know it any more.
func (a *attempt) taskFailed(err error) action.Outcome {
	if errors.Is(err, tasks.ErrCanceled) {
		return action.Fail(v1.ReasonToolError, fmt.Sprintf("MCP server %q canceled task %s of tool %s: %s", a.name, a.task.ID, a.build.Action, a.task.Message))
	}
	return action.Fail(v1.ReasonProtocolError, fmt.Sprintf("MCP server %q does not know task %s of attempt %s any more, so nobody can tell what tool %s came to: %v. It is called again only where the tool is marked idempotent or spec.onInterruption is Rerun.",
		a.name, a.left.Task, a.left.Attempt, a.build.Action, err))
}

// cancelTask cancels the call's task, if it is one, and reports whether the server has
// confirmed that.
func (a *attempt) cancelTask() bool {
	if a.task.ID == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), session.LeaveTime)
	defer cancel()
	confirmed, _ := tasks.Cancel(ctx, a.session, a.task.ID) // unconfirmed is what an error means
	a.forgetTask()
	return confirmed
}

// keepTask writes the task to disk, where it outlives this worker.
func (a *attempt) keepTask() {
	s := a.session
	if s.Local() {
		return
	}
	err := a.memory().KeepTask(a.Job.UID, memory.Task{
		Namespace: a.Job.Namespace, Job: a.Job.Name,
		Attempt: a.ID, Server: a.name, URL: a.server.Definition().URL, Session: s.ID(),
		Protocol: s.Introduction().ProtocolVersion, Tool: a.build.Action, Task: a.task.ID,
	})
	if err != nil { // it costs the way back after a crash, not the call
		a.opts.Log.Error(err, "remember the task of a job", "job", a.Job.Namespace+"/"+a.Job.Name)
	}
}

// forgetTask removes the task from the disk when its attempt has an outcome.
func (a *attempt) forgetTask() {
	if a.task.ID != "" {
		a.forget(a.Job.UID)
	}
}
