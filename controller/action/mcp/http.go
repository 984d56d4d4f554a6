package mcp

import (
	"net/http"
	"net/url"
	"time"

	"jobwright.dev/controller/action/mcp/config"
)

// wrapped is HTTP with what the SDK cannot say, and with the session that is adopted.
func (s *session) wrapped(next http.RoundTripper, kind string) http.RoundTripper {
	if kind == config.TypeSSE {
		return s.peer.SSE(next)
	}
	next = s.peer.HTTP(next)
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

// headers adds the operator's headers to each request.
type headers struct {
	values map[string]string
	// endpoint is the server that they are for; no other host gets them.
	endpoint *url.URL
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (h headers) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(h.values) == 0 || !sameOrigin(r.URL, h.endpoint) {
		return h.next.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	for name, value := range h.values {
		r.Header.Set(name, value)
	}
	return h.next.RoundTrip(r)
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
