package wire

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

const (
	// leastPause and mostPause bound how long a stream of events that has ended is waited
	// for before it is opened again.
	leastPause = time.Second
	mostPause  = 30 * time.Second
	// listenTries is how often in a row it may fail to open before it is let be.
	listenTries = 5
)

// listener is the stream of events that belongs to no request, as the SDK reads it: one
// that never ends before the session. It is opened when it is first read, so that a
// server that does not answer it keeps no session from its begin.
type listener struct {
	transport *Transport
	request   *http.Request
	cancel    context.CancelFunc

	body   io.ReadCloser
	events *events
	last   []byte        // the last event's id
	pause  time.Duration // before it is opened again
	retry  time.Duration // what the server asks for
	failed int
	out    bytes.Buffer
}

// listen answers the SDK's request for that stream.
func (t *Transport) listen(r *http.Request) *http.Response {
	ctx, cancel := context.WithCancel(r.Context())
	l := &listener{transport: t, request: r.Clone(ctx), cancel: cancel, pause: leastPause, retry: leastPause}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {eventStream}}, Body: l, ContentLength: -1, Request: r,
	}
}

// Read implements io.Reader.
func (l *listener) Read(p []byte) (int, error) {
	for l.out.Len() == 0 {
		if l.request.Context().Err() != nil {
			return 0, l.request.Context().Err()
		}
		if l.events == nil && !l.open() {
			l.wait()
			continue
		}
		l.take()
	}
	return l.out.Read(p)
}

// Close implements io.Closer. The body is closed by the end of its request.
func (l *listener) Close() error {
	l.cancel()
	return nil
}

// open opens the stream, and reports whether the server has one. Where it has none, it
// waits for the end of the session.
func (l *listener) open() bool {
	request := l.request.Clone(l.request.Context())
	if len(l.last) > 0 {
		request.Header.Set(resumeHeader, string(l.last))
	}
	response, err := l.transport.next.RoundTrip(request)
	if err == nil {
		kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
		if good(response) && kind == eventStream {
			l.body, l.events, l.failed = response.Body, newEvents(response.Body, func() {}), 0
			l.transport.peer.listening.Store(true)
			return true
		}
		response.Body.Close()
	}
	temporary := err != nil || response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests
	if l.failed++; !temporary || l.failed >= listenTries {
		<-l.request.Context().Done()
	}
	return false
}

// take takes the next event.
func (l *listener) take() {
	e, err := l.events.next()
	if len(e.id) > 0 {
		l.last = e.id
	}
	if ms, parseErr := strconv.Atoi(string(e.retry)); parseErr == nil {
		l.retry = min(max(time.Duration(ms)*time.Millisecond, leastPause/10), mostPause)
	}
	if err == nil {
		l.pause = l.retry
	}
	if len(e.data) > 0 && (len(e.name) == 0 || string(e.name) == "message") {
		messages, _ := l.transport.peer.receive(e.data, nil)
		for _, m := range messages {
			if data, err := jsonrpc.EncodeMessage(m); err == nil {
				(&event{data: data}).write(&l.out)
			}
		}
	}
	if err != nil {
		l.body.Close()
		l.events = nil
		l.transport.peer.listening.Store(false)
		l.wait()
	}
}

// wait waits before the stream is opened again, longer each time that nothing comes of it.
func (l *listener) wait() {
	timer := time.NewTimer(l.pause)
	defer timer.Stop()
	l.pause = min(2*l.pause, mostPause)
	select {
	case <-timer.C:
	case <-l.request.Context().Done():
	}
}
