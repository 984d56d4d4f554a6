package apicall

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// speaks serves each connection with what say does, on a listener of its own.
func speaks(t *testing.T, say func(net.Conn)) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				say(c)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// TestServersThatBreakTheRules: each ends its call with what is known of it.
func TestServersThatBreakTheRules(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, text)
		}
	}
	hold := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			say(text)(c)
			_, _ = io.Copy(io.Discard, c) // until the caller has enough
		}
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = nil
	for name, tc := range map[string]struct {
		url     string
		reason  string
		message string
		status  int64
	}{
		"answers nothing and closes":                {speaks(t, say("")), v1.ReasonInterrupted, "EOF. The receiver may have acted on it; it was not sent again", 0},
		"answers with what is no HTTP":              {speaks(t, say("220 mail.example ESMTP\r\n")), v1.ReasonProtocolError, "malformed HTTP", 0},
		"answers with another protocol":             {speaks(t, say("HTTP/9.9 what\r\n\r\n")), v1.ReasonProtocolError, "malformed HTTP", 0},
		"closes in the middle of the body":          {speaks(t, say(head+"half")), v1.ReasonConnectionFailed, "unexpected EOF", 200},
		"never answers":                             {speaks(t, hold("")), v1.ReasonTimeout, "spec.apiCall.timeoutSeconds allows 5 s", 0},
		"stops in the middle of the body":           {speaks(t, hold(head+"half")), v1.ReasonTimeout, "spec.apiCall.timeoutSeconds allows 5 s", 200},
		"speaks HTTP where HTTPS is asked":          {"https" + strings.TrimPrefix(speaks(t, say("HTTP/1.1 400 Bad Request\r\n\r\n")), "http"), v1.ReasonConnectionFailed, "HTTP", 0},
		"has a certificate that nobody vouches for": {secure.URL, v1.ReasonConnectionFailed, "certificate", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := &v1.APICallAction{URL: tc.url}
			if tc.reason == v1.ReasonTimeout {
				call.TimeoutSeconds = new(patience)
			}
			o := New(Options{Network: private()}).Run(t.Context(), attempt(call), &recorder{})
			if o.Verdict != action.Failed || o.Reason != tc.reason || !strings.Contains(o.Message, tc.message) || o.Facts.Number(v1.FactHTTPStatus) != tc.status {
				t.Errorf("%+v, want %s with %q and status %d", o, tc.reason, tc.message, tc.status)
			}
		})
	}
}
