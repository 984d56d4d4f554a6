package mcp

import (
	"bytes"
	"io"
	"net/http"
)

// The SDK knows nothing of tasks (protocol 2025-11-25): it drops the fields that a call
// and a tool have for them, and lets nobody send a standard method by hand. So what needs
// those fields is sent as a method of our own, which gets its real name on the wire.
const (
	ownPrefix = "jobwright/"
	ownCall   = ownPrefix + "tools/call"
	ownList   = ownPrefix + "tools/list"
)

var (
	ownMethod  = []byte(`"method":"` + ownPrefix)
	realMethod = []byte(`"method":"`)
)

// renamed is a message with the real name of its method. The SDK writes the method before
// the parameters, so that the first one is the message's.
func renamed(message []byte) []byte {
	at := bytes.Index(message, realMethod)
	if at < 0 || !bytes.HasPrefix(message[at:], ownMethod) {
		return message
	}
	out := make([]byte, 0, len(message))
	return append(append(append(out, message[:at]...), realMethod...), message[at+len(ownMethod):]...)
}

// renamingWriter renames over stdio, where the SDK writes each message at once.
type renamingWriter struct{ io.WriteCloser }

func (w renamingWriter) Write(p []byte) (int, error) {
	if message := renamed(p); len(message) != len(p) {
		if _, err := w.WriteCloser.Write(message); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	return w.WriteCloser.Write(p)
}

// renamingTransport renames over HTTP.
type renamingTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t renamingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || r.GetBody == nil {
		return t.next.RoundTrip(r)
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	if message := renamed(body); len(message) != len(body) {
		r = r.Clone(r.Context())
		r.ContentLength = int64(len(message))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(message)), nil }
		r.Body, _ = r.GetBody()
	}
	return t.next.RoundTrip(r)
}

// readBody is a copy of a request's body, which the SDK holds in memory.
func readBody(r *http.Request) ([]byte, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}
