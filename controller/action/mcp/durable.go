package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/memory"
	"jobwright.dev/controller/action/mcp/outcome"
	"jobwright.dev/controller/action/mcp/wire"
)

// durableCall is one attempt's call of a tool as a task.
type durableCall struct {
	*Runner
	attempt action.Attempt
	pool    *pool
	session *session
	tool    string
	out     action.Sink
	task    task
}

// callTask calls a tool as a task, or goes on with the task of an attempt whose worker
// died, and waits for its end. again is run's.
func (r *Runner) callTask(ctx context.Context, a action.Attempt, pool *pool, s *session, arguments map[string]any, old *memory.Task, out action.Sink, again bool) action.Outcome {
	c := &durableCall{Runner: r, attempt: a, pool: pool, session: s, tool: a.Job.Spec.Build.Action, out: out}
	s.begin(out, a.ID)
	var result *answer.Reply
	var err error
	if old != nil {
		s.begin(out, old.Attempt) // the token that the task was begun with
		c.task.ID = old.Task      // to be canceled, whatever the server says of it
		var now task
		if now, err = s.getTask(ctx, old.Task); err == nil {
			c.task = now
		}
		if unknown(err) {
			if a.Job.Spec.OnInterruption != v1.InterruptionRerun && !s.catalog.Repeatable(c.tool) {
				r.forget(a.Job.UID)
				pool.put(s)
				return action.Fail(v1.ReasonProtocolError, fmt.Sprintf("MCP server %q does not know task %s of attempt %s any more, so nobody can tell what tool %s came to: %v. It is called again only where the tool is marked idempotent or spec.onInterruption is Rerun.",
					pool.name, old.Task, old.Attempt, c.tool, err))
			}
			out.Line(action.System, fmt.Sprintf("task %s of attempt %s is gone; tool %s is called again", old.Task, old.Attempt, c.tool))
			old, err, c.task = nil, nil, task{}
			s.begin(out, a.ID)
		} else if err == nil {
			out.Line(action.System, fmt.Sprintf("going on with task %s, which attempt %s began", old.Task, old.Attempt))
		}
	}
	if old == nil && err == nil {
		if c.task, result, err = s.createTask(ctx, c.tool, a.ID, arguments); err == nil && result == nil {
			out.Line(action.System, "the call is task "+c.task.ID)
			c.remember()
		}
		if err != nil && !again && ctx.Err() == nil && s.neverRead(err) {
			return r.callElsewhere(ctx, a, pool, s, out)
		}
	}
	if err == nil && result == nil {
		result, err = c.wait(ctx)
	}
	return c.end(ctx, result, err)
}

// remember writes the task down, where it outlives this worker.
func (c *durableCall) remember() {
	if c.session.proc != nil {
		return
	}
	err := c.memory().KeepTask(c.attempt.Job.UID, memory.Task{
		Namespace: c.attempt.Job.Namespace, Job: c.attempt.Job.Name,
		Attempt: c.attempt.ID, Server: c.pool.name, URL: c.pool.server.URL, Session: c.session.client.ID(),
		Protocol: c.session.client.InitializeResult().ProtocolVersion, Tool: c.tool, Task: c.task.ID,
	})
	if err != nil { // it costs the way back after a crash, not the call
		c.opts.Log.Error(err, "remember the task of a job", "job", c.attempt.Job.Namespace+"/"+c.attempt.Job.Name)
	}
}

// wait asks for the task's state until it has ended.
func (c *durableCall) wait(ctx context.Context) (*answer.Reply, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	said := ""
	for {
		if c.task.Message != "" && c.task.Message != said {
			said = c.task.Message
			c.out.Progress(-1, said)
			c.out.Line(action.Server, said)
		}
		switch {
		case c.task.Status == taskCanceled:
			return nil, errCanceledThere
		case c.task.terminal():
			return c.result(ctx)
		case c.task.Status == taskInput:
			// The server puts its question where the result is waited for, and the client
			// answers it by its policy.
			return c.result(ctx)
		}
		timer.Reset(c.task.poll())
		select {
		case <-timer.C:
		case <-c.session.changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		now, err := patiently(ctx, c, func() (task, error) { return c.session.getTask(ctx, c.task.ID) })
		if err != nil {
			return nil, err
		}
		c.task = now
	}
}

func (c *durableCall) result(ctx context.Context) (*answer.Reply, error) {
	return patiently(ctx, c, func() (*answer.Reply, error) { return c.session.taskResult(ctx, c.task.ID) })
}

// patiently asks a server again that cannot be reached, for as long as patience lasts.
func patiently[T any](ctx context.Context, c *durableCall, ask func() (T, error)) (T, error) {
	value, err := ask()
	if !c.unreachable(ctx, err) {
		return value, err
	}
	c.out.Line(action.System, fmt.Sprintf("MCP server %s cannot be reached, and is asked again for up to %s: %v", c.pool.name, patience, err))
	first, until, pause := err, time.Now().Add(patience), c.task.poll()
	for time.Now().Before(until) {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return value, ctx.Err()
		}
		if value, err = ask(); err == nil || ctx.Err() != nil {
			return value, err
		}
		if !c.unreachable(ctx, err) {
			break
		}
		pause = min(2*pause, mostPoll)
	}
	if errors.Is(err, sdk.ErrConnectionClosed) {
		err = first // it says why
	}
	return value, err
}

// unreachable reports whether a request did not come through, over a session that is
// sound otherwise.
func (c *durableCall) unreachable(ctx context.Context, err error) bool {
	_, refused := wire.Refusal(err)
	if f, ok := errors.AsType[*wire.Failure](err); ok && (f.Answered || f.Session || f.Status >= 400 && f.Status < 500 && f.Status != http.StatusTooManyRequests) {
		return false
	}
	return err != nil && ctx.Err() == nil && c.session.proc == nil && c.session.Alive() && !refused && !errors.Is(err, errAnswer)
}

// errCanceledThere is why a task has no result that nobody here has canceled.
var errCanceledThere = errors.New("the server canceled the task")

// end makes an outcome of how the task ended.
func (c *durableCall) end(ctx context.Context, result *answer.Reply, err error) action.Outcome {
	s, pool := c.session, c.pool
	if ctx.Err() != nil && err != nil {
		return c.stop()
	}
	if c.task.ID != "" {
		c.forget(c.attempt.Job.UID)
	}
	if errors.Is(err, errCanceledThere) {
		pool.put(s)
		return action.Fail(v1.ReasonToolError, fmt.Sprintf("MCP server %q canceled task %s of tool %s: %s", pool.name, c.task.ID, c.tool, c.task.Message))
	}
	asked := s.asking()
	if err != nil {
		return asked.Remark(c.callFailed(pool, s, c.tool, pool.name, err))
	}
	output := s.catalog.Output(c.tool)
	pool.put(s)
	return asked.Remark(outcome.Answered(result, c.tool, output, c.out))
}

// stop cancels the task, and then does with the session what is done after any call that
// was canceled.
func (c *durableCall) stop() action.Outcome {
	s := c.session
	c.out.Line(action.System, fmt.Sprintf("asked to stop; the server gets %s before it is killed", c.attempt.Grace))
	again := s.catalog.Repeatable(c.tool)
	confirmed := false
	if c.task.ID != "" {
		ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
		confirmed, _ = s.cancelTask(ctx, c.task.ID) // unconfirmed is what an error means
		cancel()
		c.forget(c.attempt.Job.UID)
	}
	c.pool.drop(s, c.attempt.Grace)
	message := s.stopped(c.tool, c.pool.name)
	if confirmed && s.proc == nil {
		message = fmt.Sprintf("Tool %s of MCP server %q was told to stop, and the server has confirmed that task %s is canceled; what it had done until then was left as it is.", c.tool, c.pool.name, c.task.ID)
	}
	return action.Outcome{Verdict: action.Stopped, Message: message, Repeatable: again}
}

// unknown reports whether a server says that it has no such task.
func unknown(err error) bool {
	rpc, ok := wire.Refusal(err)
	return ok && (rpc.Code == jsonrpc.CodeInvalidParams || rpc.Code == -32002)
}

// recoverTask finds out whether a task that a dead worker left goes on; the next attempt
// takes it over then. A task that nobody will take over is canceled. Nil: there is none.
func (r *Runner) recoverTask(ctx context.Context, a action.Attempt) *action.Outcome {
	old := r.left(a.Job)
	if old == nil {
		return nil
	}
	lost := &action.Outcome{Verdict: action.Lost}
	pool, s, err := r.take(ctx, old.Server, user{workspace: a.Job.Namespace, left: old})
	if err != nil {
		lost.Message = fmt.Sprintf("MCP server %q could not be asked for task %s of tool %s: %v", old.Server, old.Task, old.Tool, err)
		return lost
	}
	defer func() {
		s.adopted.Keep() // the session goes on with its task
		pool.drop(s, 0)
	}()
	spec := &a.Job.Spec
	if spec.Cancel || spec.Suspend || spec.OnInterruption == v1.InterruptionFail {
		r.forget(a.Job.UID)
		if canceled, err := s.cancelTask(ctx, old.Task); !canceled {
			lost.Message = fmt.Sprintf("Task %s of tool %s could not be canceled: %v", old.Task, old.Tool, err)
			return lost
		}
		lost.Message = fmt.Sprintf("Task %s of tool %s was canceled.", old.Task, old.Tool)
		return lost
	}
	t, err := s.getTask(ctx, old.Task)
	if unknown(err) {
		r.forget(a.Job.UID)
		return nil // as if it had been no task
	}
	if err != nil {
		lost.Message = fmt.Sprintf("MCP server %q does not tell of task %s of tool %s: %v", old.Server, old.Task, old.Tool, err)
		return lost
	}
	lost.Repeatable = true // it is not called again
	lost.Message = fmt.Sprintf("Task %s of tool %s is %s on MCP server %q; the next attempt goes on with it.", old.Task, old.Tool, t.Status, old.Server)
	return lost
}
