package mcp

import (
	"context"
	"errors"
	"net/url"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/wire"
)

// call calls a tool. A reply is there unless the server asks back before it answers.
func (s *session) call(ctx context.Context, params *sdk.CallToolParams) (*sdk.CallToolResult, *answer.Reply, error) {
	ex := wire.NewExchange()
	result, err := within(ctx, s, func() (*sdk.CallToolResult, error) { return s.client.CallTool(wire.With(ctx, ex), params) })
	if err != nil {
		return nil, nil, reason(ex, err)
	}
	if result.NeedsInput() {
		return result, nil, nil
	}
	reply := &answer.Reply{Answer: answer.Read(ex.Result()), Remarks: ex.Remarks()}
	reply.Changes, reply.Written = ex.Changes()
	return result, reply, nil
}

// withoutURL is an error of a client over HTTP without its URL, which may hold secrets, and
// without what the SDK says around it.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// reason is why a request has no result: what the server answered instead, where that is
// known. A JSON-RPC error that came with an HTTP status is both.
func reason(ex *wire.Exchange, err error) error {
	f := ex.Failure()
	switch refusal := ex.Refusal(); {
	case f == nil:
		return withoutURL(err)
	case refusal != nil && !f.Session:
		return errors.Join(refusal, f)
	}
	return f
}
