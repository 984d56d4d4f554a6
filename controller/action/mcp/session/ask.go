package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/wire"
)

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
