package mcp

import (
	"context"
	"fmt"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/memory"
	"jobwright.dev/controller/action/mcp/outcome"
	"jobwright.dev/controller/action/mcp/questions"
	"jobwright.dev/controller/action/mcp/servers"
	"jobwright.dev/controller/action/mcp/session"
	"jobwright.dev/controller/action/mcp/tasks"
)

// attempt is one attempt of a job: one call of one tool.
type attempt struct {
	*Runner
	action.Attempt
	build *v1.BuildAction
	name  string // the server's
	out   action.Sink
	left  *memory.Task // the task that an attempt before has left; nil: none
	again bool         // the call was sent once, and the tool was not called

	server    *servers.Server
	session   *session.Session
	arguments map[string]any
	task      tasks.Task // the task that the call is; without an ID: none
}

func (r *Runner) attempt(a action.Attempt, name string, out action.Sink) *attempt {
	return &attempt{Runner: r, Attempt: a, build: a.Job.Spec.Build, name: name, out: out, left: r.left(a.Job)}
}

// run carries out the attempt. With an error, or an outcome, a step has left the session to
// its server; call does so in any case.
func (a *attempt) run(ctx context.Context) action.Outcome {
	if ended := a.connect(ctx); ended != nil {
		return *ended
	}
	if ended := a.prepare(ctx); ended != nil {
		return *ended
	}
	return a.limited(ctx, a.call)
}

// connect takes a session with the server that offers the tool.
func (a *attempt) connect(ctx context.Context) *action.Outcome {
	a.out.Progress(0, "mcp:connect")
	user := servers.User{
		Workspace: a.Job.Namespace, Session: a.build.Session, Sink: a.out, Fresh: a.again,
		Starts: func() { a.starts(a.Attempt, a.left) },
	}
	if a.left != nil {
		user.Left = &session.Left{ID: a.left.Session, Protocol: a.left.Protocol}
	}
	var err error
	if a.server, a.session, err = a.TakeTurn(ctx, a.name, user); err != nil {
		return a.unavailable(ctx, err, "is not available")
	}
	if a.session.Catalog().Has(a.build.Action) {
		return nil
	}
	// A server may offer more tools than when the session began.
	if err := a.session.ListTools(ctx); err != nil {
		a.server.Drop(a.session, 0)
		return a.unavailable(ctx, err, "does not list its tools")
	}
	return nil
}

// unavailable is the outcome of a server that could not be talked to.
func (a *attempt) unavailable(ctx context.Context, err error, what string) *action.Outcome {
	ended := outcome.Unavailable(err, fmt.Sprintf("MCP server %q %s: %v", a.name, what, err))
	if ctx.Err() != nil {
		ended = outcome.NotCalled(a.build.Action)
	}
	return &ended
}

// prepare checks the arguments, and notes on disk that the tool is about to be called.
func (a *attempt) prepare(ctx context.Context) *action.Outcome {
	arguments, notes, problems := a.session.Catalog().Arguments(a.build)
	var ended *action.Outcome
	switch {
	case len(problems) > 0:
		refused := action.Fail(v1.ReasonInvalidArguments, catalog.Unfit(a.build.Action, a.name, problems))
		ended = &refused
	case ctx.Err() != nil:
		stopped := outcome.NotCalled(a.build.Action)
		ended = &stopped
	default:
		ended = a.calls(a.Attempt)
	}
	if ended != nil {
		a.server.Put(a.session)
		return ended
	}
	a.arguments = arguments
	for _, note := range notes {
		a.out.Line(action.System, note)
	}
	return nil
}

// limited carries out the call, within what the operator's file allows the server for one.
func (a *attempt) limited(ctx context.Context, call func(context.Context) action.Outcome) action.Outcome {
	limit := a.server.Definition().Timeout
	if limit == 0 {
		return call(ctx)
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ended := call(within)
	if ended.Verdict == action.Stopped && ctx.Err() == nil {
		return action.Fail(v1.ReasonAttemptTimeout, fmt.Sprintf("Tool %s of MCP server %q was stopped: it had not answered after %s, which is the server's timeout in the --mcp-config file.", a.build.Action, a.name, limit))
	}
	return ended
}

// call calls the tool, by itself or as a task, and makes an outcome of what came of it.
func (a *attempt) call(ctx context.Context) action.Outcome {
	a.out.Line(action.System, fmt.Sprintf("calling tool %s of MCP server %s", a.build.Action, a.name))
	a.out.Progress(0, "mcp:run")
	a.session.Answering(questions.New(a.build.Answers))
	a.session.Tells(told(a.build))
	send := a.callTool
	if a.left != nil || tasks.Apply(a.session, a.build.Action) {
		send = a.callTask
	}
	reply, err := send(ctx)
	switch {
	case err == nil:
		return a.answered(reply)
	case ctx.Err() != nil:
		return a.stopped()
	case a.notCalled(err):
		return a.callAgain(ctx, err)
	}
	return a.failed(err)
}

// answered is the outcome of an answer.
func (a *attempt) answered(reply *answer.Reply) action.Outcome {
	a.forgetTask()
	asked, output := a.session.Asked(), a.session.Catalog().Output(a.build.Action)
	a.server.Put(a.session)
	return asked.Remark(outcome.Answered(reply, a.build.Action, output, a.out))
}

// stopped is the outcome of a call that was canceled, whose session is used no more.
func (a *attempt) stopped() action.Outcome {
	s := a.session
	a.out.Line(action.System, fmt.Sprintf("asked to stop; the server gets %s before it is killed", a.Grace))
	repeatable := s.Catalog().Repeatable(a.build.Action)
	confirmed := a.cancelTask()
	if a.task.ID == "" {
		s.AwaitCancel(min(a.Grace, session.LeaveTime))
	}
	a.server.Drop(s, a.Grace)
	message := s.Stopped(a.build.Action, a.name)
	if confirmed && !s.Local() {
		message = fmt.Sprintf("Tool %s of MCP server %q was told to stop, and the server has confirmed that task %s is canceled; what it had done until then was left as it is.", a.build.Action, a.name, a.task.ID)
	}
	return action.Outcome{Verdict: action.Stopped, Message: message, Repeatable: repeatable}
}
