package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/outcome"
	"jobwright.dev/controller/action/mcp/tasks"
	"jobwright.dev/controller/action/mcp/wire"
)

// callTool calls the tool, and waits for its answer.
func (a *attempt) callTool(ctx context.Context) (*answer.Reply, error) {
	a.session.Begin(a.out, a.ID)
	// Since 2026-07-28 the log level goes with each request.
	params := &sdk.CallToolParams{Meta: sdk.Meta{"io.modelcontextprotocol/logLevel": "info"}, Name: a.build.Action, Arguments: a.arguments}
	params.SetProgressToken(a.ID)
	return a.session.Call(ctx, params)
}

// notCalled reports whether the tool was not called though the call was sent: the server's
// program ended before it had read the call, or the server knew the session no more.
func (a *attempt) notCalled(err error) bool {
	if a.again || a.task.ID != "" {
		return false
	}
	return unknownSession(err) || a.session.NeverRead(err)
}

func unknownSession(err error) bool {
	f, ok := errors.AsType[*wire.Failure](err)
	return ok && f.Session
}

// callAgain calls the tool in a new session, once.
func (a *attempt) callAgain(ctx context.Context, err error) action.Outcome {
	if f, ok := errors.AsType[*wire.Failure](err); ok && f.Session {
		a.out.Line(action.System, fmt.Sprintf("MCP server %s does not know the session any more (%s); the tool is called in a new one", a.name, f.Text))
	} else {
		a.server.EndedIdle()
		a.out.Line(action.System, fmt.Sprintf("MCP server %s ended (%s) before it had read the call; the tool is called in a new session", a.name, a.session.Ended()))
	}
	a.server.Drop(a.session, 0)
	next := a.attempt(a.Attempt, a.name, a.out)
	next.again = true
	return next.run(ctx)
}

// failed is the outcome of a call without an answer. The session is used again where the
// server is seen to be sound.
func (a *attempt) failed(err error) action.Outcome {
	a.forgetTask()
	if _, left := errors.AsType[gone](err); left || errors.Is(err, tasks.ErrCanceled) {
		a.server.Put(a.session)
		return a.taskFailed(err)
	}
	asked := a.session.Asked()
	ended, sound := a.failure(err)
	if sound {
		a.server.Put(a.session)
	} else {
		a.server.Drop(a.session, 0)
	}
	return asked.Remark(ended)
}

// failure is what a call without an answer means for the job, and for the session: a
// JSON-RPC error and an answer that came and cannot be used leave the session sound;
// anything else does not.
func (a *attempt) failure(err error) (ended action.Outcome, sound bool) {
	s, tool := a.session, a.build.Action
	f, known := errors.AsType[*wire.Failure](err)
	if rpc, ok := wire.Refusal(err); ok && s.Alive() {
		return a.refused(rpc, f), true
	}
	if known && f.Status >= 400 {
		return outcome.Failure(f, v1.ReasonServerUnavailable, fmt.Sprintf(notTaken(f.Status), a.name, tool, f.Text)), s.Alive() && !f.Session
	}
	a.server.CallBroke()
	if known && f.Answered {
		return outcome.Failure(f, v1.ReasonProtocolError, fmt.Sprintf("MCP server %q answered the call of tool %s, but %s", a.name, tool, f.Text)), f.Status > 0 && s.Alive()
	}
	message := fmt.Sprintf("MCP server %q broke off the call of tool %s: %s", a.name, tool, s.Cause(err))
	if known {
		return outcome.Failure(f, v1.ReasonProtocolError, message), false
	}
	return action.Fail(v1.ReasonProtocolError, message), false
}

// notTaken is what is said of a call that was answered with an HTTP error. With 4xx the tool was
// not called; with 5xx nobody can tell, whatever the body says.
func notTaken(status int) string {
	if status >= http.StatusInternalServerError {
		return "MCP server %q failed at the call of tool %s, which may have been carried out: %s"
	}
	return "MCP server %q did not take the call of tool %s: %s"
}

// refused is the outcome of a JSON-RPC error; f is the HTTP failure that the error came
// with, if any.
func (a *attempt) refused(rpc *jsonrpc.Error, f *wire.Failure) action.Outcome {
	reason := v1.ReasonProtocolError
	if rpc.Code == jsonrpc.CodeInvalidParams {
		reason = v1.ReasonInvalidArguments
	}
	ended := action.Fail(reason, fmt.Sprintf("MCP server %q refused the call of tool %s: %s%s", a.name, a.build.Action, a.session.Redact(rpc.Message), outcome.Coded(rpc)))
	ended.Facts = ended.Facts.With(v1.FactRPCCode, rpc.Code)
	if f != nil {
		ended.Facts, ended.RetryAfter = outcome.WithStatus(ended.Facts, f), f.RetryAfter
	}
	return ended
}
