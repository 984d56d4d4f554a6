package wire

import (
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// onceKey marks the context of a call of a tool.
type onceKey struct{}

// Once is a transport that sends a call of a tool at most once. Go's transport sends a
// request with a body that it can have again by itself, unseen: when a connection breaks and
// a header says that the request may be repeated, and over HTTP/2 when the server refuses
// the stream. So it gets no second body. Whoever stands above may send the call again when
// the server's answer says that it was not carried out, as for want of a token.
func Once(next http.RoundTripper) http.RoundTripper { return once{next} }

type once struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper. A connection that was closed before the head of
// the request was written is another matter: nothing has been sent, and the request is given
// to the transport again.
func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Context().Value(onceKey{}) == nil || r.GetBody == nil {
		return o.next.RoundTrip(r)
	}
	defer r.Body.Close()
	var written atomic.Bool
	traced := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})
	for try := 0; ; try++ {
		again := r.Clone(traced)
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body, again.GetBody = body, nil
		response, err := o.next.RoundTrip(again)
		if err == nil || written.Load() || try > 0 || r.Context().Err() != nil {
			return response, err
		}
	}
}
