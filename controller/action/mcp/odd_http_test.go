package mcp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// oddHTTP is a server behind HTTP that answers what a test does not without a fault.
type oddHTTP struct {
	scripted
	// answers answers a request before that, and reports whether it has.
	answers func(w http.ResponseWriter, r *http.Request, method, id string) bool

	mu       sync.Mutex
	requests []string // "POST tools/call", "GET", …
	sessions atomic.Int64
}

// ServeHTTP implements http.Handler.
func (s *oddHTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var m rawMessage
	_ = json.Unmarshal(body, &m) // a GET has none
	s.mu.Lock()
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+m.Method))
	s.mu.Unlock()
	if s.answers != nil && s.answers(w, r, m.Method, string(m.ID)) {
		return
	}
	switch {
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Method == http.MethodDelete:
	case len(m.ID) == 0:
		w.WriteHeader(http.StatusAccepted)
	default:
		if m.Method == "initialize" {
			w.Header().Set("Mcp-Session-Id", fmt.Sprintf("s%d", s.sessions.Add(1)))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, s.answer(body))
	}
}

// seen is how often a request came.
func (s *oddHTTP) seen(request string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r == request {
			n++
		}
	}
	return n
}

// runner is a runner of the server, which wants credentials.
func (s *oddHTTP) runner(t *testing.T, options ...func(*mcp.Server)) *mcp.Runner {
	t.Helper()
	listener := httptest.NewServer(s)
	t.Cleanup(listener.Close)
	server := mcp.Server{Type: "http", URL: listener.URL, Headers: map[string]string{"Authorization": "Bearer s3cret-token"}}
	for _, o := range options {
		o(&server)
	}
	return newRunner(t, map[string]mcp.Server{"odd": server})
}

// replies answers one method with a status, headers and a body.
func replies(method string, status int, body string, headers ...string) func(http.ResponseWriter, *http.Request, string, string) bool {
	return func(w http.ResponseWriter, _ *http.Request, m, id string) bool {
		if m != method {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, strings.ReplaceAll(body, "$id", id))
		return true
	}
}

// TestWhatAServerBehindHTTPAnswersInstead is told: its status, the beginning of its body
// and what to do, in the job's message and for its failure rules.
func TestWhatAServerBehindHTTPAnswersInstead(t *testing.T) {
	const challenge = `Bearer resource_metadata="http://127.0.0.1/x", error="invalid_token", error_description="The access token expired"`
	plain := []string{"Content-Type", "text/plain"}
	for name, tc := range map[string]struct {
		answers func(http.ResponseWriter, *http.Request, string, string) bool
		check
		status int64
		wait   time.Duration
	}{
		"401 at the start, with a challenge and a body": {
			replies("initialize", 401, `{"error":"invalid_token"}`, "WWW-Authenticate", challenge),
			check{reason: v1.ReasonServerUnavailable, says: `HTTP 401 Unauthorized (invalid_token: The access token expired): {"error":"invalid_token"}; it wants credentials, or others: set or renew them in the --mcp-config file`},
			401, 0,
		},
		"403 at the start":                  {replies("initialize", 403, "Your IP is not on the allow list", plain...), check{reason: v1.ReasonServerUnavailable, says: "HTTP 403 Forbidden: Your IP is not on the allow list"}, 403, 0},
		"404 at the start":                  {replies("initialize", 404, "404 page not found", plain...), check{reason: v1.ReasonServerUnavailable, says: "HTTP 404 Not Found: 404 page not found; check the url in the --mcp-config file"}, 404, 0},
		"a page to sign in":                 {replies("initialize", 200, "<html><body>Sign in to continue</body></html>", "Content-Type", "text/html"), check{reason: v1.ReasonServerUnavailable, says: "it answered with HTTP 200 and text/html, which is no message of the protocol: <html><body>Sign in to continue</body></html>; that is a page for people"}, 200, 0},
		"429 at the start":                  {replies("initialize", 429, "slow down", "Retry-After", "7"), check{reason: v1.ReasonServerUnavailable, says: "HTTP 429 Too Many Requests: slow down; it takes no more calls for now; it asks to wait 7s"}, 429, 7 * time.Second},
		"a redirect that loses the request": {replies("initialize", 301, "", "Location", "/elsewhere"), check{reason: v1.ReasonServerUnavailable, says: "HTTP 301 Moved Permanently, a redirect to /elsewhere, which would turn the call into a GET"}, 301, 0},
		"500 at the call":                   {replies("tools/call", 500, `{"detail":"database is locked"}`), check{reason: v1.ReasonServerUnavailable, says: `MCP server "odd" failed at the call of tool go, which may have been carried out: HTTP 500 Internal Server Error: {"detail":"database is locked"}; the fault is the server's, or a proxy's before it`}, 500, 0},
		"503 at the call, with a time":      {replies("tools/call", 503, "try later", "Retry-After", "3"), check{reason: v1.ReasonServerUnavailable, says: "HTTP 503 Service Unavailable: try later"}, 503, 3 * time.Second},
		"401 at the call":                   {replies("tools/call", 401, "", "WWW-Authenticate", challenge), check{reason: v1.ReasonServerUnavailable, says: "HTTP 401 Unauthorized (invalid_token: The access token expired); it wants credentials"}, 401, 0},
		"a body that repeats the token":     {replies("tools/call", 400, "bad header: Bearer s3cret-token"), check{reason: v1.ReasonServerUnavailable, says: "HTTP 400 Bad Request: bad header: ***"}, 400, 0},
		"a JSON-RPC error with a status":    {replies("tools/call", 400, `{"jsonrpc":"2.0","id":$id,"error":{"code":-32602,"message":"count is odd"}}`), check{reason: v1.ReasonInvalidArguments, says: "count is odd (JSON-RPC error -32602)"}, 400, 0},
		"an empty body":                     {replies("tools/call", 200, ""), check{reason: v1.ReasonProtocolError, says: "answered the call of tool go, but with HTTP 200 and an empty body", answered: true}, 200, 0},
		"JSON that is no message":           {replies("tools/call", 200, `{"ok":true}`), check{reason: v1.ReasonProtocolError, says: `answered the call of tool go, but with HTTP 200 and JSON, which is no message of the protocol: {"ok":true}`, answered: true}, 200, 0},
		"a body of a type nobody asked for": {replies("tools/call", 200, "done", "Content-Type", "application/pdf"), check{reason: v1.ReasonProtocolError, says: "but with HTTP 200 and application/pdf", answered: true}, 200, 0},
		"an encoding nobody asked for":      {replies("tools/call", 200, "?", "Content-Encoding", "br"), check{reason: v1.ReasonProtocolError, says: "but with Content-Encoding br, which it was not asked for", answered: true}, 200, 0},
		"202 and no stream to answer on":    {replies("tools/call", 202, ""), check{reason: v1.ReasonProtocolError, says: "it answered HTTP 202, so without an answer, and has no stream of events"}, 202, 0},
		"a stream that ends":                {replies("tools/call", 200, ": hello\n\n", "Content-Type", "text/event-stream"), check{reason: v1.ReasonProtocolError, says: "broke off the call of tool go: the stream of its events ended before an answer came"}, 200, 0},
		"a long body is cut":                {replies("tools/call", 500, strings.Repeat("x", 5000)), check{reason: v1.ReasonServerUnavailable, says: ": " + strings.Repeat("x", 500) + "…; the fault"}, 500, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, rec := &oddHTTP{answers: tc.answers}, newRecorder()
			out := server.runner(t).Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			tc.of(t, out, rec)
			if out.Facts.Number(v1.FactHTTPStatus) != tc.status || out.RetryAfter != tc.wait {
				t.Errorf("status %d, wait %s; want %d, %s", out.Facts.Number(v1.FactHTTPStatus), out.RetryAfter, tc.status, tc.wait)
			}
			if strings.Contains(out.Message, "s3cret") {
				t.Errorf("the message has a secret: %s", out.Message)
			}
			if n := server.seen("POST tools/call"); n > 1 {
				t.Errorf("the tool was called %d times", n)
			}
		})
	}
}

// TestAnswersOverHTTPAreReadInAnyForm of a body or of a stream of events.
func TestAnswersOverHTTPAreReadInAnyForm(t *testing.T) {
	const answer = `{"jsonrpc":"2.0","id":$id,"result":{"content":[{"type":"text","text":"done"}]}}`
	const events = "text/event-stream"
	zipped := func() string {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		fmt.Fprint(w, strings.ReplaceAll(answer, "$id", "4"))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for name, answers := range map[string]func(http.ResponseWriter, *http.Request, string, string) bool{
		"a body with a byte order mark":         replies("tools/call", 200, "\ufeff"+answer),
		"a body of no type":                     replies("tools/call", 200, answer, "Content-Type", ""),
		"a body as plain text":                  replies("tools/call", 200, answer, "Content-Type", "text/plain"),
		"a batch":                               replies("tools/call", 200, "["+answer+"]"),
		"a batch with a notification":           replies("tools/call", 200, `[{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}},`+answer+"]"),
		"compressed":                            replies("tools/call", 200, zipped(), "Content-Encoding", "gzip"),
		"the id as a string":                    replies("tools/call", 200, strings.ReplaceAll(answer, "$id", `"$id"`)),
		"another id":                            replies("tools/call", 200, strings.ReplaceAll(answer, "$id", "99")),
		"another session":                       replies("tools/call", 200, answer, "Mcp-Session-Id", "other"),
		"events with a byte order mark":         replies("tools/call", 200, "\ufeffdata: "+answer+"\n\n", "Content-Type", events),
		"events with the line ends of Windows":  replies("tools/call", 200, ": keep-alive\r\n\r\nevent: message\r\ndata: "+strings.ReplaceAll(answer, ",", ",\r\ndata: ")+"\r\n\r\n", "Content-Type", events+";charset=UTF-8"),
		"events of no type":                     replies("tools/call", 200, "data:"+answer+"\n\n", "Content-Type", ""),
		"an event without its last line end":    replies("tools/call", 200, "data: "+answer, "Content-Type", events),
		"fields without a colon and of others":  replies("tools/call", 200, "nonsense\nfoo: bar\ndata: "+answer+"\n\n", "Content-Type", events),
		"an event that is no message before it": replies("tools/call", 200, "data: [DONE]\n\nevent: ping\ndata: {}\n\ndata: "+answer+"\n\n", "Content-Type", events),
		"events without the empty line, on a stream that goes on": func(w http.ResponseWriter, r *http.Request, method, id string) bool {
			if method != "tools/call" {
				return false
			}
			w.Header().Set("Content-Type", events)
			fmt.Fprint(w, "event: message\ndata: "+strings.ReplaceAll(answer, "$id", id)+"\n")
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return true
		},
		"a notification refused with 400":      replies("notifications/initialized", 400, "no"),
		"a ping refused with a JSON-RPC error": replies("ping", 400, `{"jsonrpc":"2.0","id":$id,"error":{"code":-32601,"message":"no ping"}}`),
		"a log level that nobody sets":         replies("logging/setLevel", 500, "no"),
		"a GET answered with a page": func(w http.ResponseWriter, r *http.Request, _, _ string) bool {
			if r.Method == http.MethodGet {
				fmt.Fprint(w, "<html>home</html>")
			}
			return r.Method == http.MethodGet
		},
		"a GET that is not answered": func(_ http.ResponseWriter, r *http.Request, _, _ string) bool {
			if r.Method == http.MethodGet {
				<-r.Context().Done()
			}
			return r.Method == http.MethodGet
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &oddHTTP{answers: answers}
			r := server.runner(t)
			for range 2 { // the second time in a warm session
				rec := newRecorder()
				out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
				check{verdict: action.Succeeded, result: `{"text":"done"}`}.of(t, out, rec)
			}
			if n := server.seen("POST initialize"); n != 1 {
				t.Errorf("%d sessions were begun", n)
			}
			r.Close()
		})
	}
}

// TestASessionThatTheServerHasForgottenIsBegunAgain once, also when that shows only at the
// call; the tool was not called then.
func TestASessionThatTheServerHasForgottenIsBegunAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		status  int
		body    string
		forever bool
		check
		calls int
	}{
		"404 with an error":                     {404, `{"jsonrpc":"2.0","id":"","error":{"code":-32001,"message":"Session not found"}}`, false, check{verdict: action.Succeeded, result: `{"text":"done"}`}, 2},
		"404 with an error of another code":     {404, `{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}`, false, check{verdict: action.Succeeded, result: `{"text":"done"}`}, 2},
		"404 alone":                             {404, "", false, check{verdict: action.Succeeded, result: `{"text":"done"}`}, 2},
		"400 that says so":                      {400, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}`, false, check{verdict: action.Succeeded, result: `{"text":"done"}`}, 2},
		"200 with an error that says so":        {200, `{"jsonrpc":"2.0","id":$id,"error":{"code":-32001,"message":"Session not found"}}`, false, check{verdict: action.Succeeded, result: `{"text":"done"}`}, 2},
		"200 with the code and another session": {200, `{"jsonrpc":"2.0","id":$id,"error":{"code":-32001,"message":"The checkout session has expired"}}`, false, check{reason: v1.ReasonProtocolError, says: "The checkout session has expired"}, 1},
		"200 with another code":                 {200, `{"jsonrpc":"2.0","id":$id,"error":{"code":-32000,"message":"Invalid session of the bank; the transfer was begun"}}`, false, check{reason: v1.ReasonProtocolError, says: "the transfer was begun"}, 1},
		"500 with a session of its own":         {500, `{"jsonrpc":"2.0","id":$id,"error":{"code":-32603,"message":"database session not found"}}`, false, check{reason: v1.ReasonProtocolError, says: "database session not found"}, 1},
		"404 for ever":                          {404, "", true, check{reason: v1.ReasonServerUnavailable, says: "HTTP 404 Not Found; the server has ended the session"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var refused atomic.Bool
			server := &oddHTTP{}
			server.answers = func(w http.ResponseWriter, r *http.Request, method, id string) bool {
				if method != "tools/call" || refused.Swap(true) && !tc.forever {
					return false
				}
				return replies(method, tc.status, tc.body)(w, r, method, id)
			}
			rec := newRecorder()
			out := server.runner(t).Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			tc.of(t, out, rec)
			if calls, begun := server.seen("POST tools/call"), server.seen("POST initialize"); calls != tc.calls || begun != tc.calls {
				t.Errorf("%d calls in %d sessions, want %d in as many", calls, begun, tc.calls)
			}
		})
	}
}

// TestAnAnswerMayComeOnTheStreamOfTheSession, where the request itself was only accepted.
func TestAnAnswerMayComeOnTheStreamOfTheSession(t *testing.T) {
	answers := make(chan string, 1)
	server := &oddHTTP{}
	server.answers = func(w http.ResponseWriter, r *http.Request, method, id string) bool {
		switch {
		case r.Method == http.MethodGet:
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, ": hello\n\n")
			http.NewResponseController(w).Flush()
			select {
			case id := <-answers:
				fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"done\"}]}}\n\n", id)
				http.NewResponseController(w).Flush()
				<-r.Context().Done()
			case <-r.Context().Done():
			}
		case method == "tools/call":
			w.WriteHeader(http.StatusAccepted)
			answers <- id
		default:
			return false
		}
		return true
	}
	r, rec := server.runner(t), newRecorder()
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
	check{verdict: action.Succeeded, result: `{"text":"done"}`}.of(t, out, rec)
	r.Close()
}

// TestAnEndlessAnswerIsNotHeld over either transport: it is refused at the limit.
func TestAnEndlessAnswerIsNotHeld(t *testing.T) {
	endless := func(begin string) func(http.ResponseWriter, *http.Request, string, string) bool {
		return func(w http.ResponseWriter, _ *http.Request, method, id string) bool {
			if method != "tools/call" {
				return false
			}
			if strings.HasPrefix(begin, "data:") {
				w.Header().Set("Content-Type", "text/event-stream")
			} else {
				w.Header().Set("Content-Type", "application/json")
			}
			fmt.Fprint(w, strings.ReplaceAll(begin, "$id", id))
			chunk := strings.Repeat("x", 1<<20)
			for range 300 {
				if _, err := io.WriteString(w, chunk); err != nil {
					return true // it has been cut off
				}
			}
			fmt.Fprint(w, `"}]}}`+"\n\n")
			return true
		}
	}
	const begin = `{"jsonrpc":"2.0","id":$id,"result":{"content":[{"type":"text","text":"`
	for name, begin := range map[string]string{"a body": begin, "an event": "data: " + begin} {
		t.Run(name, func(t *testing.T) {
			rec := newRecorder()
			out := (&oddHTTP{answers: endless(begin)}).runner(t).Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			check{reason: v1.ReasonProtocolError, says: "answered the call of tool go, but with a message of more than 16 MiB, which is the limit", answered: true}.of(t, out, rec)
		})
	}
}

// TestACallIsWrittenOnce: Go's transport repeats a request by itself, unseen, when a
// connection that was used before breaks and a header says that it may. An operator's
// headers say so here.
func TestACallIsWrittenOnce(t *testing.T) {
	for _, header := range []string{"Idempotency-Key", "X-Idempotency-Key", "X-Other"} {
		t.Run(header, func(t *testing.T) {
			server := &oddHTTP{}
			server.answers = func(w http.ResponseWriter, _ *http.Request, method, _ string) bool {
				if method != "tools/call" {
					return false
				}
				connection, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return true
				}
				if tcp, ok := connection.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0)
				}
				connection.Close()
				return true
			}
			r := server.runner(t, func(s *mcp.Server) { s.Headers = map[string]string{header: "always-the-same"} })
			rec := newRecorder()
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
			check{reason: v1.ReasonProtocolError, says: "broke off the call of tool go: the connection broke before an answer came"}.of(t, out, rec)
			if n := server.seen("POST tools/call"); n != 1 {
				t.Errorf("the call was written %d times", n)
			}
		})
	}
}

// TestTheEndOfASessionIsConfirmedOnlyByTheServer: a DELETE that it refuses is no end.
func TestTheEndOfASessionIsConfirmedOnlyByTheServer(t *testing.T) {
	for status, says := range map[int]string{200: "the server has confirmed the end of the session", 404: "the server has confirmed the end of the session", 500: "the server has not confirmed the end of the session"} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			server, called := &oddHTTP{}, make(chan struct{})
			server.answers = func(w http.ResponseWriter, r *http.Request, method, _ string) bool {
				switch {
				case r.Method == http.MethodDelete:
					w.WriteHeader(status)
				case method == "tools/call":
					close(called)
					<-r.Context().Done()
				default:
					return false
				}
				return true
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, ended := server.runner(t), make(chan action.Outcome, 1)
			go func() { ended <- r.Run(ctx, attempt(&v1.BuildAction{Action: "go"}), newRecorder()) }()
			<-called
			cancel()
			if out := <-ended; out.Verdict != action.Stopped || !strings.Contains(out.Message, says) {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

// TestCommentsOfAStreamAreSignsOfLife: they say nothing, and end no attempt as idle.
func TestCommentsOfAStreamAreSignsOfLife(t *testing.T) {
	server, rec := &oddHTTP{answers: replies("tools/call", 200, ": keep-alive\n\n: keep-alive\n\ndata: "+common["tools/call"]+"\n\n", "Content-Type", "text/event-stream")}, newRecorder()
	out := server.runner(t).Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
	check{verdict: action.Succeeded, result: `{"text":"done"}`}.of(t, out, rec)
	alive := 0
	for _, pct := range rec.pcts {
		if pct == -1 {
			alive++
		}
	}
	if alive != 2 {
		t.Errorf("progress %v, want two signs of life (-1)", rec.pcts)
	}
}
