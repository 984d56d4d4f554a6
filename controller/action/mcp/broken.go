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
	"jobwright.dev/controller/action/mcp/outcome"
	"jobwright.dev/controller/action/mcp/wire"
)

// callFailed is the outcome of a call without a result. A JSON-RPC error and an answer that
// came and cannot be used leave the session sound; anything else does not.
func (r *Runner) callFailed(pool *pool, s *session, tool, name string, err error) action.Outcome {
	f, known := errors.AsType[*wire.Failure](err)
	if rpc, ok := wire.Refusal(err); ok && s.Alive() {
		pool.put(s)
		reason := v1.ReasonProtocolError
		if rpc.Code == jsonrpc.CodeInvalidParams {
			reason = v1.ReasonInvalidArguments
		}
		failed := action.Fail(reason, fmt.Sprintf("MCP server %q refused the call of tool %s: %s%s", name, tool, s.redact(rpc.Message), outcome.Coded(rpc)))
		failed.Facts = failed.Facts.With(v1.FactRPCCode, rpc.Code)
		if known {
			failed.Facts, failed.RetryAfter = outcome.WithStatus(failed.Facts, f), f.RetryAfter
		}
		return failed
	}
	if known && f.Status >= 400 {
		if s.Alive() && !f.Session {
			pool.put(s)
		} else {
			pool.drop(s, 0)
		}
		return outcome.Failure(f, v1.ReasonServerUnavailable, fmt.Sprintf("MCP server %q did not take the call of tool %s: %s", name, tool, f.Text))
	}
	r.metrics.failed(name, failedCall)
	if known && f.Answered {
		message := fmt.Sprintf("MCP server %q answered the call of tool %s, but %s", name, tool, f.Text)
		if f.Status > 0 && s.Alive() {
			pool.put(s)
		} else {
			pool.drop(s, 0)
		}
		return outcome.Failure(f, v1.ReasonProtocolError, message)
	}
	cause := s.cause(err)
	pool.drop(s, 0)
	message := fmt.Sprintf("MCP server %q broke off the call of tool %s: %s", name, tool, cause)
	if known {
		return outcome.Failure(f, v1.ReasonProtocolError, message)
	}
	return action.Fail(v1.ReasonProtocolError, message)
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
