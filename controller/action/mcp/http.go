package mcp

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// wrapped is HTTP with what the SDK cannot say, and with the session that is adopted.
func (s *session) wrapped(next http.RoundTripper) http.RoundTripper {
	next = renamingTransport{next}
	if s.adopted == nil {
		return next
	}
	s.adopted.next = next
	return s.adopted
}

// keep has the end of the client leave the session on the server, if it was adopted.
func (s *session) keep() {
	if s.adopted != nil {
		s.adopted.keep.Store(true)
	}
}

// headers adds the operator's headers to each request, and a tap to each answer that
// is a stream of events.
type headers struct {
	values map[string]string
	// endpoint is the server that they are for; no other host gets them.
	endpoint *url.URL
	see      func(method string, params json.RawMessage)
	// canceled gets a value when a cancellation was delivered; it never blocks.
	canceled chan<- struct{}
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (h headers) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(h.values) > 0 && sameOrigin(r.URL, h.endpoint) {
		r = r.Clone(r.Context())
		for name, value := range h.values {
			r.Header.Set(name, value)
		}
	}
	cancels := cancels(r)
	response, err := h.next.RoundTrip(r)
	if err == nil && cancels {
		select {
		case h.canceled <- struct{}{}:
		default:
		}
	}
	if err != nil {
		return nil, err
	}
	// A type that cannot be read is none of these.
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind == "text/event-stream" || kind == "application/json" {
		response.Body = newTap(response.Body, h.see)
	}
	return response, nil
}

// cancels reports whether a request carries the cancellation of a call.
func cancels(r *http.Request) bool {
	const most = 4 << 10 // a cancellation is an id and a reason
	if r.GetBody == nil || r.ContentLength > most {
		return false
	}
	body, err := r.GetBody()
	if err != nil {
		return false
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, most))
	return err == nil && bytes.Contains(data, []byte(`"notifications/cancelled"`))
}

// awaitCancel waits until the server has taken the cancellation of a call, for patience
// at most. The client sends it in the background, and ending the session first would
// keep it from ever arriving; a tool behind HTTP would go on for nobody.
func (s *session) awaitCancel(patience time.Duration) {
	if s.proc != nil {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.canceled:
	case <-timer.C:
	}
}
