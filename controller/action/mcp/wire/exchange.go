package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// Exchange is one request with its answer or failure, as on the wire.
type Exchange struct {
	method string
	id     int64

	mu      sync.Mutex
	done    chan struct{} // closed with the answer
	over    bool
	result  json.RawMessage
	refusal *jsonrpc.Error
	remarks []string // about the message
	changes []string // about what it says
	written []byte   // the message, where it was changed
	failure *Failure
}

// NewExchange is an exchange for the next request of a context.
func NewExchange() *Exchange { return &Exchange{done: make(chan struct{})} }

type exchangeKey struct{}

// With has the request that is made with the context be recorded.
func With(ctx context.Context, ex *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, ex)
}

// exchangeOf is the exchange of a context; one that has its answer serves no other request.
func exchangeOf(ctx context.Context) *Exchange {
	if ex, ok := ctx.Value(exchangeKey{}).(*Exchange); ok && !ex.finished() {
		return ex
	}
	return NewExchange()
}

// Result is the result as the server wrote it; nil: there was none.
func (ex *Exchange) Result() json.RawMessage {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.result
}

// Refusal is the server's own JSON-RPC error; nil: there was none.
func (ex *Exchange) Refusal() *jsonrpc.Error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.refusal
}

// Remarks are the faults of the message around an answer that have no consequence.
func (ex *Exchange) Remarks() []string {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return slices.Clone(ex.remarks)
}

// Changes are the changes without which the answer could not be read, and the message before
// them; none: the message was not changed.
func (ex *Exchange) Changes() (changes []string, written []byte) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return slices.Clone(ex.changes), ex.written
}

// Failure is why there is no answer; nil: nothing is known.
func (ex *Exchange) Failure() *Failure {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.failure
}

func (ex *Exchange) remark(text string) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if !slices.Contains(ex.remarks, text) {
		ex.remarks = append(ex.remarks, text)
	}
}

func (ex *Exchange) changed(changes []string, written []byte) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.changes, ex.written = changes, bytes.Clone(written)
}

func (ex *Exchange) fail(f *Failure) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.failure = f
}

// finish records the answer.
func (ex *Exchange) finish(result json.RawMessage, refusal *jsonrpc.Error) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.result, ex.refusal = result, refusal
	if !ex.over {
		ex.over = true
		close(ex.done)
	}
}

// finished reports whether the answer is there.
func (ex *Exchange) finished() bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.over
}
