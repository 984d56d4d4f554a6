package wire

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
)

// breaking is a connection that breaks: before the request's head was written, or after.
type breaking struct {
	written bool
	bodies  []string
}

// RoundTrip implements http.RoundTripper.
func (b *breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	b.bodies = append(b.bodies, string(body))
	if r.GetBody != nil && strings.Contains(string(body), "tools/call") {
		return nil, errors.New("the body of a call can be had again")
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && b.written {
		trace.WroteHeaders()
	}
	return nil, errors.New("broken")
}

// TestACallIsSentAgainOnlyIfNothingOfItWasWritten, and never by Go's transport itself.
func TestACallIsSentAgainOnlyIfNothingOfItWasWritten(t *testing.T) {
	for name, tc := range map[string]struct {
		method  string
		written bool
		sent    int
	}{
		"the head of a call was written":     {"tools/call", true, 1},
		"nothing of a call was written":      {"tools/call", false, 2},
		"a call as a task":                   {OwnPrefix + "tools/call", true, 1},
		"what is no call is left to the SDK": {"tools/list", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			next := &breaking{written: tc.written}
			peer := NewPeer(Options{See: func(string, json.RawMessage) {}})
			ex := NewExchange()
			request, err := http.NewRequestWithContext(With(t.Context(), ex), http.MethodPost, "http://127.0.0.1/", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+tc.method+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := peer.HTTP(Once(next)).RoundTrip(request); err == nil || err.Error() != "broken" {
				t.Errorf("error %v", err)
			}
			if len(next.bodies) != tc.sent || strings.Contains(next.bodies[0], OwnPrefix) {
				t.Errorf("sent %q, want it %d times", next.bodies, tc.sent)
			}
			if f := ex.Failure(); f == nil || !strings.Contains(f.Text, "the connection broke before an answer came: broken") {
				t.Errorf("failure %v", f)
			}
		})
	}
}
