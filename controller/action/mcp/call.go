package mcp

import (
	"context"
	"errors"
	"net/url"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/wire"
)

// reply is what came of a call: what the server asks back with, and what the tool answered
// as it was written.
type reply struct {
	*sdk.CallToolResult
	Answer answer.Answer
	// remarks are what was wrong with the message that it came in, changes what was changed
	// in it, and written the message before that.
	remarks, changes []string
	written          []byte
}

// NeedsInput reports whether the server asks back before it answers.
func (r *reply) NeedsInput() bool { return r.CallToolResult != nil && r.CallToolResult.NeedsInput() }

// call calls a tool.
func (s *session) call(ctx context.Context, params *sdk.CallToolParams) (*reply, error) {
	ex := wire.NewExchange()
	result, err := within(ctx, s, func() (*sdk.CallToolResult, error) { return s.client.CallTool(wire.With(ctx, ex), params) })
	if err != nil {
		return nil, reason(ex, err)
	}
	r := &reply{CallToolResult: result, Answer: answer.Read(ex.Result()), remarks: ex.Remarks()}
	r.changes, r.written = ex.Changes()
	return r, nil
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
