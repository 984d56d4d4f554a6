package wire

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

const (
	// MaxMessage is the longest message that is read, in bytes. The largest honest ones are
	// images and files in base64; a decoder holds twice as much, for each session.
	MaxMessage = 16 << 20
	// strayTime is how long a request waits for its own answer after an answer came that
	// belongs to none: longer than a server takes to write one after the other.
	strayTime = 5 * time.Second
	// OwnPrefix begins methods that the SDK knows by no other name, since it lets nobody
	// send a standard method by hand. The server gets them without it.
	OwnPrefix = "jobwright/"
)

// Versions are the versions of the protocol that are spoken, the newest first.
var Versions = []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// Options are the callbacks of a Peer to its session.
type Options struct {
	// See takes the server's notifications, in their order, and with an empty method the
	// result of initialize. Required.
	See func(method string, params json.RawMessage)
	// Words takes the lines of a program's stdout that are no messages.
	Words func(line []byte)
	// Alive is called for a sign of life that says nothing else.
	Alive func()
	// Note takes a line for the log of the job that waits.
	Note func(text string)
	// Redact takes secrets out of the text of a server.
	Redact func(string) string
	// Delivered is called when a cancellation was delivered over HTTP; it does not block.
	Delivered func()
}

// Peer is the server at the other end of one session: the requests that it has not
// answered yet, and the meaning of its bytes.
type Peer struct {
	opts Options
	// answered is set by the first answer to a request.
	answered atomic.Bool
	// listening is set while a stream of events is open that belongs to no request.
	listening atomic.Bool

	mu      sync.Mutex
	waiting map[int64]*Exchange
	latest  int64    // the greatest id that was asked with
	failure *Failure // of the last request
	ended   *Failure // of all: nothing more can be read
	inject  func(jsonrpc.Message)
}

// NewPeer is the server of a session that begins.
func NewPeer(opts Options) *Peer {
	if opts.Words == nil {
		opts.Words = func([]byte) {}
	}
	if opts.Alive == nil {
		opts.Alive = func() {}
	}
	if opts.Note == nil {
		opts.Note = func(string) {}
	}
	if opts.Redact == nil {
		opts.Redact = func(s string) string { return s }
	}
	if opts.Delivered == nil {
		opts.Delivered = func() {}
	}
	return &Peer{opts: opts, waiting: map[int64]*Exchange{}}
}

// Answered reports whether the server has answered a request, so that it speaks the protocol.
// A notification is no answer: loggers write some before anything was asked.
func (p *Peer) Answered() bool { return p.answered.Load() }

// Failure is why the last request got no answer; nil: nothing is known.
func (p *Peer) Failure() *Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		return p.ended
	}
	return p.failure
}

func (p *Peer) fail(ex *Exchange, f *Failure) {
	ex.fail(f)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = f
}

// sending registers a message that goes to the server, and gives it its real method.
func (p *Peer) sending(ctx context.Context, m jsonrpc.Message) (jsonrpc.Message, *Exchange) {
	request, ok := m.(*jsonrpc.Request)
	if !ok {
		return m, nil
	}
	if method, own := strings.CutPrefix(request.Method, OwnPrefix); own {
		renamed := *request
		renamed.Method = method
		m = &renamed
	}
	if request.Method == "notifications/cancelled" {
		var canceled struct {
			ID int64 `json:"requestId"`
		}
		if json.Unmarshal(request.Params, &canceled) == nil {
			p.forget(canceled.ID)
		}
	}
	id, ok := request.ID.Raw().(int64)
	if !ok {
		return m, nil
	}
	ex := exchangeOf(ctx)
	ex.method, ex.id = request.Method, id
	p.mu.Lock()
	p.waiting[id], p.latest, p.failure = ex, max(p.latest, id), nil
	p.mu.Unlock()
	return m, ex
}

// askedWith reports whether a request had the id: its answer may come late, or twice.
func (p *Peer) askedWith(id int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return id > 0 && id <= p.latest
}

func (p *Peer) forget(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
}

// stray is told of an answer that belongs to no request: the only one that waits for an
// answer fails when it has waited for strayTime after that. answered tells that it was a
// result, so that something was carried out.
func (p *Peer) stray(what string, answered bool) {
	ex := p.only()
	if ex == nil || p.inject == nil {
		return
	}
	time.AfterFunc(strayTime, func() {
		if p.only() != ex {
			return
		}
		f := &Failure{Text: what, Answered: answered}
		if !answered {
			f.Text = "it answered " + what
		}
		p.fail(ex, f)
		p.forget(ex.id)
		p.inject(broken(ex.id, f))
	})
}

// only is the only request that waits for an answer; nil: there are none or several.
func (p *Peer) only() *Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 1 {
		for _, ex := range p.waiting {
			return ex
		}
	}
	return nil
}

// codeRejected is the SDK's code of a request that a transport refused. A connection
// outlives it.
const codeRejected = -32005

// Refusal is a server's own JSON-RPC error.
func Refusal(err error) (*jsonrpc.Error, bool) {
	rpc, ok := errors.AsType[*jsonrpc.Error](err)
	return rpc, ok && (rpc.Code != codeRejected || rpc.Message != "rejected by transport")
}

// broken is the answer that the SDK gets for a request that has none.
func broken(id int64, f *Failure) *jsonrpc.Response {
	return &jsonrpc.Response{ID: number(id), Error: &jsonrpc.Error{Code: codeRejected, Message: f.Error()}}
}

// number is an id. One that is made of a number is valid.
func number(id int64) jsonrpc.ID {
	made, _ := jsonrpc.MakeID(float64(id))
	return made
}
