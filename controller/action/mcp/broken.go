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
)

// callFailed is the outcome of a call without a result. A JSON-RPC error leaves the
// session sound; anything else does not.
func (r *Runner) callFailed(pool *pool, s *session, tool, name string, err error) action.Outcome {
	if rpc, ok := refusal(err); ok && s.Alive() {
		pool.put(s)
		reason := v1.ReasonProtocolError
		if rpc.Code == jsonrpc.CodeInvalidParams {
			reason = v1.ReasonInvalidArguments
		}
		outcome := action.Fail(reason, fmt.Sprintf("MCP server %q refused the call of tool %s: %s (JSON-RPC error %d)", name, tool, rpc.Message, rpc.Code))
		outcome.RPCCode = rpc.Code
		return outcome
	}
	r.metrics.failed(name, failedCall)
	cause := s.cause(err)
	pool.drop(s, 0)
	return action.Fail(v1.ReasonProtocolError, fmt.Sprintf("MCP server %q broke off the call of tool %s: %s", name, tool, cause))
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
	switch {
	case s.proc == nil:
		return err.Error()
	case errors.Is(err, errFrame):
		return errFrame.Error()
	case !s.broken(err):
		return "its answer is no result of a tool: " + err.Error()
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
