package endpoint

import (
	"net/http"
	"net/url"
)

// headers adds the operator's headers to each request.
type headers struct {
	values map[string]string
	// endpoint is the server that the headers are for; no other host gets them.
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
