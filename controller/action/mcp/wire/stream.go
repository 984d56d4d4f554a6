package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// stream is a response as the SDK reads it: a stream of events.
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

// over is the end of the stream. Bytes after the answer belong to no request. An answer that
// came by another stream may still be on its way to the SDK, and the SDK would take the end
// of this stream for a missing answer; so this stream ends with its request.
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
	if refusal := s.ex.Refusal(); refusal != nil && unknownSession(s.response, refusal) {
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
			s.ex.remark("an event held no message: " + short(string(e.data), bodyShown))
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
	head := make([]byte, 4*bodyShown)
	n, _ := io.ReadFull(s.body, head)
	if n == 0 {
		return s.failed(&Failure{Text: fmt.Sprintf("with HTTP %d and an empty body", s.response.StatusCode), Status: s.response.StatusCode, Answered: true})
	}
	return s.failed(s.peer.unlike(s.response, s.kind, head[:n]))
}

// elsewhere waits for an answer that does not come with the response: on the stream of
// events that the session listens to, where there is one.
func (s *stream) elsewhere() error {
	timer := time.NewTimer(strayTime)
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

// sniffed is the media type of a body: of one that says none, or text/plain, the type
// that it looks like.
func (p *Peer) sniffed(response *http.Response) (io.Reader, string) {
	// A type that cannot be read is none.
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if kind == eventStream || kind == "application/json" || response.StatusCode == http.StatusAccepted {
		return response.Body, kind
	}
	head := make([]byte, bodyShown)
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
