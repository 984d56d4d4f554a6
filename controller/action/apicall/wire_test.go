package apicall

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestWhatIsWrittenOnTheWire reads requests as they come, and answers each with what other
// clients have stumbled over. The numbers are those of the reports.
func TestWhatIsWrittenOnTheWire(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	hints := func(n int) string { return strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", n) }
	for name, tc := range map[string]struct {
		call    v1.APICallAction
		path    string
		answer  string
		has     []string // of the request
		hasNot  []string
		reason  string
		message string
	}{
		// snoyberg/http-client#521
		"hints before the answer":  {answer: hints(3) + ok},
		"hints without an end":     {answer: hints(5000) + ok, reason: v1.ReasonProtocolError, message: "the headers of the response are larger than"},
		"an answer before the 100": {call: v1.APICallAction{Body: raw(`1`), Headers: map[string]v1.HeaderValue{"Expect": {Value: "100-continue"}}}, answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok, has: []string{"\r\n\r\n1"}},
		// dotnet/corefx#30102
		"100 without a body": {call: v1.APICallAction{Headers: map[string]v1.HeaderValue{"Expect": {Value: "100-continue"}}}, answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok},
		// cheald/manticore#116, RapidAPI/rapidql#41
		"a GET without a body":    {answer: ok, hasNot: []string{"Content-Length", "Transfer-Encoding", "Content-Type"}},
		"a DELETE without a body": {call: v1.APICallAction{Method: "DELETE"}, answer: ok, hasNot: []string{"Content-Length", "Transfer-Encoding", "Content-Type"}},
		// request/request#89
		"a POST without a body": {call: v1.APICallAction{Method: "POST"}, answer: ok, has: []string{"Content-Length: 0\r\n"}},
		"an empty text":         {call: v1.APICallAction{Body: raw(`""`)}, answer: ok, has: []string{"POST ", "Content-Length: 0\r\n"}},
		"null":                  {call: v1.APICallAction{Body: raw(`null`)}, answer: ok, has: []string{"Content-Length: 4\r\n", "\r\n\r\nnull"}},
		// nodejs/node#3009
		"a GET with a body":    {call: v1.APICallAction{Method: "GET", Body: raw(`{"q":1}`)}, answer: ok, has: []string{"GET ", "Content-Length: 7\r\n", `{"q":1}`}},
		"a DELETE with a body": {call: v1.APICallAction{Method: "DELETE", Body: raw(`[1]`)}, answer: ok, has: []string{"Content-Length: 3\r\n"}},
		// n8n-io/n8n#26925, JetClient/jet-client-support#141
		"long numbers": {call: v1.APICallAction{Body: raw(`{"p_id":7615917337495251231,"n":123456789012345.123456}`)}, answer: ok, has: []string{`{"p_id":7615917337495251231,"n":123456789012345.123456}`}},
		// line/armeria#1417, tolgee/tolgee-platform#3709
		"a path as it is written":    {path: "/one%2Ftwo//three%20four/%3a", answer: ok, has: []string{"GET /one%2Ftwo//three%20four/%3a HTTP/1.1"}},
		"a query as it is written":   {path: "/?p=576%3Ab&p=%252F", answer: ok, has: []string{"GET /?p=576%3Ab&p=%252F HTTP/1.1"}},
		"a path with a space":        {path: "/a b/ü", answer: ok, has: []string{"GET /a%20b/%C3%BC HTTP/1.1"}},
		"a fragment stays":           {path: "/a#secret", answer: ok, has: []string{"GET /a HTTP/1.1"}, hasNot: []string{"secret"}},
		"one connection, one answer": {answer: ok + ok, has: []string{"Connection: close\r\n"}},
		// python-hyper/hyperlink#61
		"a percent sign by itself": {path: "/%%%", reason: v1.ReasonInvalidArguments, message: "spec.apiCall.url: has a % that two hexadecimal digits must follow"},
		"two lengths":              {answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk", reason: v1.ReasonInterrupted},
		"a line that is folded":    {answer: "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok"},
		"more than its length":     {answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more"},
		"a body without a length":  {answer: "HTTP/1.0 200 OK\r\n\r\nok"},
		"a chunk that is none":     {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok", reason: v1.ReasonConnectionFailed, message: "broke off"},
		"an upgrade nobody asked":  {answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", reason: v1.ReasonUnexpectedStatus, message: "101"},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 10)
			base := speaks(t, func(c net.Conn) {
				var seen bytes.Buffer
				r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(c, &seen)))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				got <- seen.String()
				_, _ = io.WriteString(c, tc.answer)
			})
			tc.call.URL = base + tc.path
			out := &recorder{}
			o := New(Options{Network: private()}).Run(t.Context(), attempt(&tc.call), out)
			if o.Reason != tc.reason || (o.Verdict == action.Succeeded) != (tc.reason == "") || !strings.Contains(o.Message, tc.message) {
				t.Errorf("%+v; want %q with %q\n%v", o, tc.reason, tc.message, out.lines)
			}
			if tc.reason == "" && (o.Result == nil || !strings.Contains(string(o.Result.Raw), `"ok"`)) {
				t.Errorf("result %+v", o.Result)
			}
			if tc.reason == v1.ReasonInvalidArguments {
				return
			}
			request := <-got
			for _, text := range tc.has {
				if !strings.Contains(request, text) {
					t.Errorf("%q is not in\n%s", text, request)
				}
			}
			for _, text := range tc.hasNot {
				if strings.Contains(request, text) {
					t.Errorf("%q is in\n%s", text, request)
				}
			}
			if len(got) > 0 {
				t.Errorf("it was sent again: %s", <-got)
			}
		})
	}
}

// TestAddressesInDisguise: OneUptime/oneuptime#2578 and its like.
func TestAddressesInDisguise(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Errorf("%s was let in", conn.RemoteAddr())
			conn.Close()
		}
	}()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "localhost", "LOCALHOST.", "0"} {
		o := New(Options{}).Run(t.Context(), attempt(&v1.APICallAction{URL: fmt.Sprintf("http://%s:%s/", host, port)}), &recorder{})
		if o.Reason != v1.ReasonAddressRefused && o.Reason != v1.ReasonConnectionFailed {
			t.Errorf("%s: %+v", host, o)
		}
	}
}
