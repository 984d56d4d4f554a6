package endpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// Adoption lets a client go on with a session over HTTP that a dead worker has left on
// the server: the server is not asked to begin another, and its answers of then are
// repeated here. Tasks belong to the session that they were begun in.
type Adoption struct {
	id, protocol string
	next         http.RoundTripper
	keep         atomic.Bool // the end of the client is not the end of the session
}

// Adopt names a session on the server by its id, and the protocol that it speaks.
func Adopt(id, protocol string) *Adoption { return &Adoption{id: id, protocol: protocol} }

// Keep leaves the session on the server when the client ends. A nil Adoption keeps nothing.
func (a *Adoption) Keep() {
	if a != nil {
		a.keep.Store(true)
	}
}

// RoundTrip implements http.RoundTripper.
func (a *Adoption) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodDelete && a.keep.Load() {
		return replayed(r, http.StatusNoContent, ""), nil
	}
	if r.Method != http.MethodPost || r.GetBody == nil {
		return a.next.RoundTrip(r)
	}
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return a.next.RoundTrip(r) // a batch, or none of the SDK's
	}
	switch m.Method {
	case "server/discover":
		return replayed(r, http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"Method not found"}}`, m.ID)), nil
	case "initialize":
		const known = `{"protocolVersion":%q,"capabilities":{"tools":{},"tasks":{"cancel":{},"requests":{"tools":{"call":{}}}}},"serverInfo":{"name":"adopted","version":""}}`
		response := replayed(r, http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":`+known+`}`, m.ID, a.protocol))
		response.Header.Set("Mcp-Session-Id", a.id)
		return response, nil
	case "notifications/initialized":
		return replayed(r, http.StatusAccepted, ""), nil
	}
	return a.next.RoundTrip(r)
}

// replayed is an answer that no server gave.
func replayed(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte(body))),
		ContentLength: int64(len(body)), Request: r,
	}
}

// bodyOf is a copy of a request's body, which the SDK holds in memory.
func bodyOf(r *http.Request) ([]byte, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}
