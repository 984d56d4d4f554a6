package mcp

import (
	"context"
	"fmt"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/memory"
	"jobwright.dev/controller/action/mcp/servers"
	"jobwright.dev/controller/action/mcp/session"
	"jobwright.dev/controller/action/mcp/tasks"
)

// recoverTime bounds how long a server is asked whether its tool may be called twice.
const recoverTime = 15 * time.Second

// Recover implements action.Runner. The programs of a dead worker ended when they were
// reaped at the start, and nobody can tell what the tool came to. Whether the tool may be
// called again is for its annotations to say.
func (r *Runner) Recover(ctx context.Context, a action.Attempt) (action.Outcome, error) {
	lost := action.Outcome{Verdict: action.Lost}
	build := a.Job.Spec.Build
	if build == nil {
		return lost, nil
	}
	ctx, cancel := context.WithTimeout(ctx, recoverTime)
	defer cancel()
	if err := r.SweepOf(ctx, build.Server); err != nil {
		return lost, err
	}
	if found := r.recoverTask(ctx, a); found != nil {
		return *found, nil
	}
	if a.Job.Spec.OnInterruption != "" {
		return lost, nil // decided by the job
	}
	if found := r.notBegun(a); found != nil {
		return *found, nil
	}
	lost.Repeatable, lost.Message = r.repeatable(ctx, a.Job)
	return lost, nil
}

// repeatable asks the server of a job whether its tool may be called twice, and says what
// the server tells.
func (r *Runner) repeatable(ctx context.Context, job *v1.Job) (repeatable bool, says string) {
	build := job.Spec.Build
	name, err := r.Find(build.Server)
	if err != nil {
		return false, err.Error()
	}
	server, s, err := r.Take(ctx, name, servers.User{Workspace: job.Namespace})
	if err != nil {
		return false, fmt.Sprintf("It is not known whether tool %s was called, and MCP server %q could not be asked whether it may be called twice: %v", build.Action, name, err)
	}
	defer server.Put(s)
	if s.Catalog().Repeatable(build.Action) {
		return true, fmt.Sprintf("Tool %s is marked idempotent or read-only.", build.Action)
	}
	return false, fmt.Sprintf("Tool %s is marked neither idempotent nor read-only.", build.Action)
}

// recoverTask finds out whether a task that a dead worker left goes on; the next attempt
// takes it over then. A task that nobody will take over is canceled. Nil: there is none.
func (r *Runner) recoverTask(ctx context.Context, a action.Attempt) *action.Outcome {
	old := r.left(a.Job)
	if old == nil {
		return nil
	}
	server, s, err := r.Take(ctx, old.Server, servers.User{Workspace: a.Job.Namespace, Left: &session.Left{ID: old.Session, Protocol: old.Protocol}})
	if err != nil {
		return &action.Outcome{Verdict: action.Lost, Message: fmt.Sprintf("MCP server %q could not be asked for task %s of tool %s: %v", old.Server, old.Task, old.Tool, err)}
	}
	defer func() {
		s.KeepThere() // the session goes on with its task
		server.Drop(s, 0)
	}()
	spec := &a.Job.Spec
	if spec.Cancel || spec.Suspend || spec.OnInterruption == v1.InterruptionFail {
		r.forget(a.Job.UID)
		return cancelLeft(ctx, s, old)
	}
	t, err := tasks.Get(ctx, s, old.Task)
	switch {
	case tasks.Unknown(err):
		r.forget(a.Job.UID)
		return nil // as if it had been no task
	case err != nil:
		return &action.Outcome{Verdict: action.Lost, Message: fmt.Sprintf("MCP server %q does not tell of task %s of tool %s: %v", old.Server, old.Task, old.Tool, err)}
	}
	// The tool is not called again.
	return &action.Outcome{Verdict: action.Lost, Repeatable: true, Message: fmt.Sprintf("Task %s of tool %s is %s on MCP server %q; the next attempt goes on with it.", old.Task, old.Tool, t.Status, old.Server)}
}

func cancelLeft(ctx context.Context, s *session.Session, old *memory.Task) *action.Outcome {
	lost := &action.Outcome{Verdict: action.Lost, Message: fmt.Sprintf("Task %s of tool %s was canceled.", old.Task, old.Tool)}
	if canceled, err := tasks.Cancel(ctx, s, old.Task); !canceled {
		lost.Message = fmt.Sprintf("Task %s of tool %s could not be canceled: %v", old.Task, old.Tool, err)
	}
	return lost
}
