package mcp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/wire"
)

// callFailed is the outcome of a call without a result. A JSON-RPC error and an answer that
// came and cannot be used leave the session sound; anything else does not.
func (r *Runner) callFailed(pool *pool, s *session, tool, name string, err error) action.Outcome {
	f, known := errors.AsType[*wire.Failure](err)
	if rpc, ok := refusal(err); ok && s.Alive() {
		pool.put(s)
		reason := v1.ReasonProtocolError
		if rpc.Code == jsonrpc.CodeInvalidParams {
			reason = v1.ReasonInvalidArguments
		}
		outcome := action.Fail(reason, fmt.Sprintf("MCP server %q refused the call of tool %s: %s%s", name, tool, s.redact(rpc.Message), coded(rpc)))
		outcome.Facts = outcome.Facts.With(v1.FactRPCCode, rpc.Code)
		if known {
			outcome.Facts, outcome.RetryAfter = answered(outcome.Facts, f), f.RetryAfter
		}
		return outcome
	}
	if known && f.Status >= 400 {
		if s.Alive() && !f.Session {
			pool.put(s)
		} else {
			pool.drop(s, 0)
		}
		return failure(f, v1.ReasonServerUnavailable, fmt.Sprintf("MCP server %q did not take the call of tool %s: %s", name, tool, f.Text))
	}
	r.metrics.failed(name, failedCall)
	if known && f.Answered {
		message := fmt.Sprintf("MCP server %q answered the call of tool %s, but %s", name, tool, f.Text)
		if f.Status > 0 && s.Alive() {
			pool.put(s)
		} else {
			pool.drop(s, 0)
		}
		return failure(f, v1.ReasonProtocolError, message)
	}
	cause := s.cause(err)
	pool.drop(s, 0)
	message := fmt.Sprintf("MCP server %q broke off the call of tool %s: %s", name, tool, cause)
	if known {
		return failure(f, v1.ReasonProtocolError, message)
	}
	return action.Fail(v1.ReasonProtocolError, message)
}

// failure is an outcome with what is known of a failure.
func failure(f *wire.Failure, reason, message string) action.Outcome {
	outcome := action.Fail(reason, message)
	outcome.Facts, outcome.RetryAfter, outcome.Answered = answered(outcome.Facts, f), f.RetryAfter, f.Answered
	return outcome
}

// answered adds the status of a failure that came by HTTP.
func answered(facts action.Facts, f *wire.Failure) action.Facts {
	if f.Status == 0 {
		return facts
	}
	return facts.With(v1.FactHTTPStatus, f.Status)
}

// coded is a JSON-RPC error's code, for a message. Servers that give none mean nothing by 0.
func coded(e *jsonrpc.Error) string {
	if e.Code == 0 {
		return " (a JSON-RPC error)"
	}
	return fmt.Sprintf(" (JSON-RPC error %d)", e.Code)
}

// notSent is the code of an error that is not the server's: the SDK's word for a request
// that did not come through over HTTP.
const notSent = -32005

// refusal is a server's own JSON-RPC error.
func refusal(err error) (*jsonrpc.Error, bool) {
	rpc, ok := errors.AsType[*jsonrpc.Error](err)
	return rpc, ok && (rpc.Code != notSent || rpc.Message != "rejected by transport")
}

// cause says in words why a call has no result.
func (s *session) cause(err error) string {
	if f, ok := errors.AsType[*wire.Failure](err); ok {
		return f.Error()
	}
	switch {
	case s.proc == nil:
		return err.Error()
	case !s.broken(err):
		return "its answer cannot be read: " + err.Error()
	}
	words := s.lastWords()
	select {
	case <-s.proc.Done():
		return "the connection ended" + words
	default:
		return "it closed its stdout or stdin, and went on running" + words
	}
}

// broken reports whether it is the connection that broke, not the answer.
func (s *session) broken(err error) bool {
	switch {
	case errors.Is(err, errDied), errors.Is(err, sdk.ErrConnectionClosed), errors.Is(err, os.ErrClosed), errors.Is(err, syscall.EPIPE):
		return true
	case !errors.Is(err, io.EOF):
		return false
	}
	// The decoder says so too of an answer that lacks its result.
	timer := time.NewTimer(lastWordsTime)
	defer timer.Stop()
	select {
	case <-s.lost:
		return true
	case <-s.proc.Done():
		return true
	case <-timer.C:
		return false
	}
}

// neverRead reports whether the session's program, whose call has failed with err, has
// ended without having read the call to its end: then the tool was not called. It is
// asked before the session is closed.
func (s *session) neverRead(err error) bool {
	return s.proc != nil && s.broken(err) && s.proc.UnreadCall()
}
