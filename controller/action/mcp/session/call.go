package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/answer"
	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/wire"
)

// maxRounds bounds how often a server may ask before it answers one call.
const maxRounds = 10

// Call calls a tool, and answers the server's questions meanwhile. Since protocol 2026-07-28
// a server asks with a result that wants input, and the call is repeated with the answers.
func (s *Session) Call(ctx context.Context, params *sdk.CallToolParams) (*answer.Reply, error) {
	for range maxRounds {
		result, reply, err := s.once(ctx, params)
		if err != nil || reply != nil {
			return reply, err
		}
		again := *params
		again.RequestState, again.InputResponses = result.RequestState, sdk.InputResponseMap{}
		for id, request := range result.InputRequests {
			switch p := request.(type) {
			case *sdk.ListRootsParams:
				again.InputResponses[id] = s.tellRoots()
			case *sdk.ElicitParams:
				again.InputResponses[id] = s.answer(p)
			default:
				return nil, fmt.Errorf("the call cannot go on: %w", errors.New(s.declineSampling().Error()))
			}
		}
		params = &again
	}
	return nil, fmt.Errorf("it asked back %d times and did not answer", maxRounds)
}

// once calls a tool once. A reply is there unless the server asks before it answers.
func (s *Session) once(ctx context.Context, params *sdk.CallToolParams) (*sdk.CallToolResult, *answer.Reply, error) {
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
	s.Hide(reply)
	return result, reply, nil
}

// withoutURL is an error of a client over HTTP without its URL, which may hold secrets, and
// without the words that the SDK puts around the cause.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// reason is why a request has no result: the server's own answer, where one is known. A
// JSON-RPC error that came with an HTTP status is both a refusal and a failure.
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

// rawResult is a result as the server wrote it.
type rawResult struct {
	sdk.ResultBase
	raw json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *rawResult) UnmarshalJSON(data []byte) error {
	r.raw = append(r.raw[:0], data...)
	return nil
}

// Ask sends a method that the SDK does not know, and decodes the result into answer.
func Ask[P interface {
	*T
	sdk.Params
}, T any](ctx context.Context, s *Session, method string, params P, answer any) error {
	ex := wire.NewExchange()
	result, err := within(ctx, s, func() (*rawResult, error) {
		return sdk.CallCustomMethod[P, *rawResult](wire.With(ctx, ex), s.client, method, params)
	})
	if err != nil {
		return reason(ex, err)
	}
	if err := json.Unmarshal(result.raw, answer); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// ErrAnswer is why an answer that came is of no use.
var ErrAnswer = errors.New("the answer cannot be read")

// AddMethod has a client send a method that the SDK does not know, by Ask.
func AddMethod[P interface {
	*T
	sdk.Params
}, T any](c *sdk.Client, method string) error {
	return sdk.AddSendingCustomMethod[P, *rawResult](c, method)
}

// ListTools asks for the server's tools. The log of the job that waits names the faults of
// the list; the tools that can be read are used.
func (s *Session) ListTools(ctx context.Context) error {
	s.mu.Lock()
	s.stale = false
	s.mu.Unlock()
	list, err := within(ctx, s, func() (*catalog.Catalog, error) { return catalog.List(ctx, s.opts.Name, s.opts.Server, s.page) })
	if err != nil {
		s.catalog = catalog.New(s.opts.Name, s.opts.Server)
		return err
	}
	s.catalog = list
	if s.opts.Listed != nil {
		s.opts.Listed(list.Notes)
	}
	for _, note := range list.Notes {
		s.Note(fmt.Sprintf("MCP server %s lists its tools otherwise than the protocol has it: %s", s.opts.Name, note))
	}
	return nil
}

// page asks for one page of the list.
func (s *Session) page(ctx context.Context, cursor string) (catalog.Page, error) {
	ex := wire.NewExchange()
	listed, err := s.client.ListTools(wire.With(ctx, ex), &sdk.ListToolsParams{Cursor: cursor})
	if err != nil {
		return catalog.Page{}, s.because(err)
	}
	return catalog.Page{ListToolsResult: listed, Written: ex.Result(), Remarks: ex.Remarks()}, nil
}
