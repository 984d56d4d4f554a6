package outcome

import (
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/wire"
)

// NotFound is the outcome of a job whose server is not in the operator's file, or cannot
// be used in that definition.
func NotFound(err error) action.Outcome {
	if _, known := errors.AsType[*config.Unusable](err); known {
		return action.Fail(v1.ReasonServerUnavailable, display.Short(err.Error(), display.MaxMessage))
	}
	return action.Fail(v1.ReasonInvalidArguments, err.Error())
}

// Unavailable is the outcome of a server that could not be talked to, with the HTTP status
// and the JSON-RPC error code that it gave, if any.
func Unavailable(err error, message string) action.Outcome {
	outcome := action.Fail(v1.ReasonServerUnavailable, message)
	if f, ok := errors.AsType[*wire.Failure](err); ok {
		outcome = Failure(f, v1.ReasonServerUnavailable, message)
		outcome.Answered = false // no tool was called
	}
	if rpc, ok := wire.Refusal(err); ok {
		outcome.Facts = outcome.Facts.With(v1.FactRPCCode, rpc.Code)
	}
	return outcome
}

// NotCalled is the outcome of an attempt that was stopped before it called its tool.
func NotCalled(tool string) action.Outcome {
	return action.Outcome{Verdict: action.Stopped, Message: fmt.Sprintf("Tool %s had not been called yet.", tool), Repeatable: true}
}

// Failure is an outcome with the facts of a failure.
func Failure(f *wire.Failure, reason, message string) action.Outcome {
	outcome := action.Fail(reason, message)
	outcome.Facts, outcome.RetryAfter, outcome.Answered = WithStatus(outcome.Facts, f), f.RetryAfter, f.Answered
	return outcome
}

// WithStatus adds the status of a failure that came by HTTP.
func WithStatus(facts action.Facts, f *wire.Failure) action.Facts {
	if f.Status == 0 {
		return facts
	}
	return facts.With(v1.FactHTTPStatus, f.Status)
}

// Coded is a JSON-RPC error's code, for a message. Servers that give none mean nothing by 0.
func Coded(e *jsonrpc.Error) string {
	if e.Code == 0 {
		return " (a JSON-RPC error)"
	}
	return fmt.Sprintf(" (JSON-RPC error %d)", e.Code)
}
