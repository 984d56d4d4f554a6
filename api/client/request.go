package client

import (
	"context"
	"net/http"
	"net/url"
)

// Request is an HTTP request for callers that read the answer themselves, such as package
// store/wire.
type Request struct {
	Method string
	// Path is the elements of the address below the server's, unescaped.
	Path  []string
	Query url.Values
	Body  []byte
	// MediaType is that of Body.
	MediaType string
}

// Do sends a request. It returns a StatusError for a refusal and an UnreachableError
// without an answer; otherwise the caller closes the response's body.
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) {
	return c.do(ctx, r.Method, r.Path, r.Query, r.Body, r.MediaType)
}

// Path is the address of the object, or with an empty name of its collection; a
// namespaced collection without a namespace is that of all workspaces.
func (k Key) Path(sub ...string) []string { return k.path(sub...) }
