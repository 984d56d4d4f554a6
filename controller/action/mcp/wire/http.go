package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

const (
	sessionHeader = "Mcp-Session-Id"
	resumeHeader  = "Last-Event-Id"
	eventStream   = "text/event-stream"
)

// Transport is HTTP below the SDK's own transport: what it hands up are streams of events
// with messages without a fault, or JSON-RPC errors.
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
	send := t.next.RoundTrip
	if request != nil && request.Method == "tools/call" {
		send = t.once
	}
	response, err := send(r)
	if ex != nil && t.sse && err == nil {
		ex.answered(response.StatusCode)
		if !good(response) {
			body, _ := io.ReadAll(io.LimitReader(response.Body, 4*BodyShown))
			t.peer.fail(ex, t.peer.refused(response, body, time.Now()))
		}
		return response, nil
	}
	if ex == nil {
		return t.notified(request, response, err)
	}
	return t.received(response, err, ex)
}

// once sends a request at most once. Go's transport sends one with a body that it can have
// again by itself, unseen: when a connection breaks and a header says that the request may
// be repeated, and over HTTP/2 when the server refuses the stream. So it gets no second
// body. A connection that was closed before the request's head was written is another
// matter: nothing has been sent, and the request is given to the transport again.
func (t *Transport) once(r *http.Request) (*http.Response, error) {
	var written atomic.Bool
	traced := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})
	for try := 0; ; try++ {
		again := r.Clone(traced)
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body, again.GetBody = body, nil
		response, err := t.next.RoundTrip(again)
		if err == nil || written.Load() || try > 0 || r.Context().Err() != nil {
			return response, err
		}
	}
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

// received is the response to a request, or to what goes on with it.
func (t *Transport) received(response *http.Response, err error, ex *Exchange) (*http.Response, error) {
	if err != nil {
		failure := &Failure{Text: "the connection broke before an answer came: " + err.Error()}
		if unsent, ok := errors.AsType[Unsent](err); ok {
			failure.Text = unsent.Error()
		}
		t.peer.fail(ex, failure)
		return nil, err
	}
	ex.answered(response.StatusCode)
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
		f.Session = unknownSession(ex.Refusal())
		return t.json(response, keptStatus(response.StatusCode), messages[0])
	}
	t.peer.forget(ex.id)
	if f.Session {
		return t.reply(response, response.StatusCode, "text/plain", http.NoBody) // the SDK knows that one
	}
	return t.json(response, keptStatus(response.StatusCode), broken(ex.id, f))
}

// unknownSession reports whether an error says that the server does not know the session,
// in the words of several servers.
func unknownSession(e *jsonrpc.Error) bool {
	text := strings.ToLower(e.Message)
	return strings.Contains(text, "session") && (e.Code == -32001 || strings.Contains(text, "not found") ||
		strings.Contains(text, "no valid") || strings.Contains(text, "invalid") || strings.Contains(text, "unknown") || strings.Contains(text, "expired"))
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

// sniffed is the media type of a body: of one that says none, or text/plain, the type
// that it looks like.
func (p *Peer) sniffed(response *http.Response) (io.Reader, string) {
	// A type that cannot be read is none.
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if kind == eventStream || kind == "application/json" || response.StatusCode == http.StatusAccepted {
		return response.Body, kind
	}
	head := make([]byte, BodyShown)
	n, _ := io.ReadAtLeast(response.Body, head, 1)
	head = head[:n]
	body := io.MultiReader(bytes.NewReader(head), response.Body)
	if text := trimmed(head); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		return body, "application/json"
	}
	for _, field := range []string{"data:", "event:", "id:", "retry:", ":"} {
		if bytes.HasPrefix(trimmed(head), []byte(field)) {
			return body, eventStream
		}
	}
	if kind == "" {
		kind = "a body of no type"
	}
	return body, kind
}

// stream is what the SDK reads of a response: a stream of events.
type stream struct {
	peer     *Peer
	ex       *Exchange
	response *http.Response
	ctx      context.Context //nolint:containedctx // the request's, which a body outlives
	fill     func() error

	events *events
	body   io.Reader
	kind   string
	gave   bool // the answer has come by this stream
	out    bytes.Buffer
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	for s.out.Len() == 0 {
		if s.ex.finished() {
			return 0, s.over()
		}
		if err := s.fill(); err != nil && s.out.Len() == 0 {
			return 0, err
		}
	}
	return s.out.Read(p)
}

// over is the end of the stream. What comes after the answer is nobody's. An answer that
// came by another stream may still be on its way to the SDK, which would take the end of
// this one for an answer that never comes; so this one ends with its request.
func (s *stream) over() error {
	if !s.gave {
		<-s.ctx.Done()
		return s.ctx.Err()
	}
	return io.EOF
}

// Close implements io.Closer.
func (s *stream) Close() error { return s.response.Body.Close() }

// emit writes messages, each as an event like the one that they came in.
func (s *stream) emit(messages []jsonrpc.Message, e event) {
	if refusal := s.ex.Refusal(); refusal != nil && unknownSession(refusal) {
		s.peer.fail(s.ex, &Failure{Text: refusal.Message, Status: s.response.StatusCode, Session: true})
	}
	e.data, e.name = nil, nil
	if len(messages) == 0 && len(e.id)+len(e.retry) > 0 {
		e.write(&s.out)
	}
	for _, m := range messages {
		data, err := jsonrpc.EncodeMessage(m)
		if err != nil {
			continue // it was decoded, so it can be encoded
		}
		e.data = data
		e.write(&s.out)
		if response, ok := m.(*jsonrpc.Response); ok && response.ID == number(s.ex.id) {
			s.gave = true
		}
	}
}

// event takes the next event.
func (s *stream) event() error {
	e, err := s.events.next()
	other := len(e.name) > 0 && string(e.name) != "message"
	if other && s.ex.id == 0 {
		e.write(&s.out) // where requests go, in the protocol of 2024-11-05
	}
	if len(e.data) > 0 && !other {
		of := s.ex
		if of.id == 0 {
			of = nil // the stream belongs to no request
		}
		messages, is := s.peer.receive(e.data, of)
		if !is {
			s.ex.remark("an event held no message: " + short(string(e.data), BodyShown))
		}
		s.emit(messages, e)
	} else {
		s.emit(nil, e)
	}
	switch {
	case err == nil || s.ex.finished():
		return err
	case err == ErrTooLong: //nolint:errorlint // line returns it as it is
		return s.failed(&Failure{Text: tooLong, Status: s.response.StatusCode, Answered: true})
	}
	why := ""
	if err != io.EOF { //nolint:errorlint // bufio returns it as it is
		why = ": " + err.Error()
	}
	s.peer.fail(s.ex, &Failure{Text: "the stream of its events ended before an answer came" + why, Status: s.response.StatusCode})
	return err
}

// whole takes a body that is a message or a batch.
func (s *stream) whole() error {
	data, err := io.ReadAll(io.LimitReader(s.body, MaxMessage+1))
	switch {
	case len(data) > MaxMessage:
		return s.failed(&Failure{Text: tooLong, Status: s.response.StatusCode, Answered: true})
	case err != nil:
		return s.failed(&Failure{Text: "its answer broke off: " + err.Error(), Status: s.response.StatusCode, Answered: true})
	case len(trimmed(data)) == 0:
		return s.failed(&Failure{Text: fmt.Sprintf("with HTTP %d and an empty body", s.response.StatusCode), Status: s.response.StatusCode, Answered: true})
	}
	messages, is := s.peer.receive(data, s.ex)
	s.emit(messages, event{})
	switch {
	case !is:
		return s.failed(s.peer.unlike(s.response, "JSON", data))
	case !s.ex.finished():
		return s.failed(&Failure{Text: fmt.Sprintf("HTTP %d came without an answer to the request", s.response.StatusCode), Status: s.response.StatusCode, Answered: true})
	}
	return io.EOF
}

// foreign takes a body that is no message.
func (s *stream) foreign() error {
	head := make([]byte, 4*BodyShown)
	n, _ := io.ReadFull(s.body, head)
	if n == 0 {
		return s.failed(&Failure{Text: fmt.Sprintf("with HTTP %d and an empty body", s.response.StatusCode), Status: s.response.StatusCode, Answered: true})
	}
	return s.failed(s.peer.unlike(s.response, s.kind, head[:n]))
}

// elsewhere waits for an answer that does not come with the response: on the stream of
// events that the session listens to, where there is one.
func (s *stream) elsewhere() error {
	timer := time.NewTimer(StrayTime)
	defer timer.Stop()
	for {
		select {
		case <-s.ex.done:
			return s.over()
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-timer.C:
			if !s.peer.listening.Load() {
				return s.failed(&Failure{Text: fmt.Sprintf("it answered HTTP %d, so without an answer, and has no stream of events that one could come on", s.response.StatusCode), Status: s.response.StatusCode})
			}
		}
	}
}

func (s *stream) broken() error { return s.failed(s.ex.Failure()) }

// failed ends the stream with an error as the request's answer.
func (s *stream) failed(f *Failure) error {
	s.peer.fail(s.ex, f)
	s.peer.forget(s.ex.id)
	s.emit([]jsonrpc.Message{broken(s.ex.id, f)}, event{})
	s.ex.finish(nil, nil)
	return io.EOF
}
