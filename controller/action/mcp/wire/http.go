package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

const (
	sessionHeader = "Mcp-Session-Id"
	resumeHeader  = "Last-Event-Id"
	eventStream   = "text/event-stream"
)

// Transport is HTTP below the SDK's own transport. It hands up streams of events, with
// messages without a fault, or JSON-RPC errors.
type Transport struct {
	peer *Peer
	next http.RoundTripper
	// sse tells that answers come on the one stream of events that the session is, as in
	// the protocol of 2024-11-05.
	sse bool

	mu      sync.Mutex
	session string
}

// HTTP is the peer's transport over HTTP.
func (p *Peer) HTTP(next http.RoundTripper) *Transport { return &Transport{peer: p, next: next} }

// SSE is the peer's transport over HTTP as it was in 2024-11-05.
func (p *Peer) SSE(next http.RoundTripper) *Transport {
	return &Transport{peer: p, next: next, sse: true}
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.Method == http.MethodPost:
		return t.post(r)
	case t.sse:
		response, err := t.next.RoundTrip(r)
		if err != nil || good(response) {
			return t.received(response, err, NewExchange())
		}
		return t.refused(response, NewExchange()), nil
	case r.Method == http.MethodGet && r.Header.Get(resumeHeader) == "":
		return t.listen(r), nil
	case r.Method == http.MethodGet:
		response, err := t.next.RoundTrip(r)
		return t.received(response, err, exchangeOf(r.Context()))
	}
	response, err := t.next.RoundTrip(r)
	if err == nil && r.Method == http.MethodDelete && !good(response) && response.StatusCode != http.StatusNotFound {
		response.Body.Close()
		return nil, fmt.Errorf("the end of the session was answered with HTTP %d", response.StatusCode)
	}
	return response, err
}

func good(r *http.Response) bool { return r.StatusCode >= 200 && r.StatusCode < 300 }

func (t *Transport) post(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, err
	}
	m, err := jsonrpc.DecodeMessage(data)
	if err != nil {
		return nil, fmt.Errorf("a message that is to be sent: %w", err)
	}
	m, ex := t.peer.sending(r.Context(), m)
	if data, err = jsonrpc.EncodeMessage(m); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.ContentLength = int64(len(data))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	r.Body, _ = r.GetBody()
	request, _ := m.(*jsonrpc.Request)
	if request != nil && request.Method == "tools/call" {
		r = r.WithContext(context.WithValue(r.Context(), onceKey{}, true))
	}
	response, err := t.next.RoundTrip(r)
	switch {
	case ex == nil:
		return t.notified(request, response, err)
	case t.sse && err == nil:
		return t.accepted(response, ex), nil
	}
	return t.received(response, err, ex)
}

// accepted is the response to a request whose answer comes on the session's stream.
func (t *Transport) accepted(response *http.Response, ex *Exchange) *http.Response {
	if !good(response) {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 4*bodyShown)) // what can be read of it
		t.peer.fail(ex, t.peer.refused(response, body, time.Now()))
	}
	return response
}

// notified is the response to a message that wants no answer. A server that refuses it
// says so with its answer to the next request.
func (t *Transport) notified(request *jsonrpc.Request, response *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	switch {
	case good(response):
		if request != nil && request.Method == "notifications/cancelled" {
			t.peer.opts.Delivered()
		}
		t.sameSession(response, nil)
		return response, nil
	case response.StatusCode == http.StatusNotFound && response.Request.Header.Get(sessionHeader) != "",
		response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return response, nil
	}
	response.Body.Close()
	return t.reply(response, http.StatusAccepted, "", http.NoBody), nil
}

// received is the response to a request, or to a request that continues it.
func (t *Transport) received(response *http.Response, err error, ex *Exchange) (*http.Response, error) {
	if err != nil {
		failure := &Failure{Text: "the connection broke before an answer came: " + err.Error()}
		if unsent, ok := errors.AsType[Unsent](err); ok {
			failure.Text = unsent.Error()
		}
		t.peer.fail(ex, failure)
		return nil, err
	}
	switch {
	case response.StatusCode == http.StatusTemporaryRedirect, response.StatusCode == http.StatusPermanentRedirect:
		return response, nil // the client sends the request again, or says why it does not
	case !good(response):
		return t.refused(response, ex), nil
	}
	t.sameSession(response, ex)
	body, kind := t.peer.sniffed(response)
	stream := &stream{peer: t.peer, ex: ex, response: response, ctx: response.Request.Context()}
	switch {
	case response.StatusCode == http.StatusAccepted || response.StatusCode == http.StatusNoContent:
		response.Body.Close()
		stream.fill = stream.elsewhere
	case response.Header.Get("Content-Encoding") != "":
		t.peer.fail(ex, &Failure{Text: "with Content-Encoding " + short(response.Header.Get("Content-Encoding"), 50) + ", which it was not asked for", Status: response.StatusCode, Answered: true})
		stream.fill = stream.broken
	case kind == eventStream:
		stream.events = newEvents(body, t.peer.opts.Alive)
		stream.fill = stream.event
	case kind == "application/json":
		stream.body = body
		stream.fill = stream.whole
	default:
		stream.body, stream.kind = body, kind
		stream.fill = stream.foreign
	}
	return t.reply(response, http.StatusOK, eventStream, stream), nil
}

// refused is a response whose status says that it is no answer: with a JSON-RPC error for
// the SDK, which outlives that. The status stays, since a client may know a way in.
func (t *Transport) refused(response *http.Response, ex *Exchange) *http.Response {
	const most = 64 << 10 // of a JSON-RPC error
	body, _ := io.ReadAll(io.LimitReader(response.Body, most))
	response.Body.Close()
	f := t.peer.refused(response, body, time.Now())
	t.peer.fail(ex, f)
	if ex.id == 0 {
		return t.reply(response, response.StatusCode, "text/plain", io.NopCloser(bytes.NewReader(body)))
	}
	if messages, is := t.peer.receive(body, ex); is && len(messages) == 1 && ex.Refusal() != nil && !f.Session {
		f.Session = unknownSession(response, ex.Refusal())
		return t.json(response, keptStatus(response.StatusCode), messages[0])
	}
	t.peer.forget(ex.id)
	if f.Session {
		return t.reply(response, response.StatusCode, "text/plain", http.NoBody) // the SDK knows that one
	}
	return t.json(response, keptStatus(response.StatusCode), broken(ex.id, f))
}

// codeNoSession is the code that servers give an unknown session.
const codeNoSession = -32001

// unknownSession reports whether an error says that the server does not know the session
// that the request came with, in the words of several servers. Tools have sessions of their
// own to complain about, and have done something by then; so an error without the status of
// a refusal counts only if it says nothing else, and one of a server that failed never does.
func unknownSession(response *http.Response, e *jsonrpc.Error) bool {
	if response.Request == nil || response.Request.Header.Get(sessionHeader) == "" {
		return false
	}
	text := strings.ToLower(e.Message)
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
	}
	switch {
	case good(response):
		return e.Code == codeNoSession && slices.ContainsFunc([]string{"session not found", "unknown session", "invalid session", "session expired"},
			func(words string) bool { return strings.HasPrefix(text, words) })
	case response.StatusCode >= http.StatusInternalServerError:
		return false
	}
	return says("session") && (e.Code == codeNoSession || says("not found", "no valid", "invalid", "unknown", "expired"))
}

// keptStatus is the status that the SDK gets: of those that it takes for temporary it does
// not read the body.
func keptStatus(status int) int {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return status
	}
	return http.StatusOK
}

func (t *Transport) json(response *http.Response, status int, m jsonrpc.Message) *http.Response {
	data, err := jsonrpc.EncodeMessage(m)
	if err != nil {
		data = nil
	}
	return t.reply(response, status, "application/json", io.NopCloser(bytes.NewReader(data)))
}

// reply is a response with another body.
func (t *Transport) reply(response *http.Response, status int, kind string, body io.ReadCloser) *http.Response {
	out := *response
	out.Header = response.Header.Clone()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Type"} {
		out.Header.Del(name)
	}
	if kind != "" {
		out.Header.Set("Content-Type", kind)
	}
	out.StatusCode, out.Status = status, fmt.Sprintf("%d %s", status, http.StatusText(status))
	out.Body, out.ContentLength, out.Uncompressed = body, -1, false
	return &out
}

// sameSession keeps the session that the server began with: one that it names later is
// another's, and giving the connection up would lose the answer that came with it.
func (t *Transport) sameSession(response *http.Response, ex *Exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := response.Header.Get(sessionHeader)
	switch {
	case id == "" || id == t.session:
	case t.session == "" && response.Request.Header.Get(sessionHeader) == "":
		t.session = id
	default:
		if sent := response.Request.Header.Get(sessionHeader); sent != id {
			response.Header.Del(sessionHeader)
			if ex != nil {
				ex.remark("it named another session")
			}
		}
	}
}
