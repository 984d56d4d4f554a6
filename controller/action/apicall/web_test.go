package apicall

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

func compressed(t *testing.T, text string, writer func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := writer(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// web is a server that answers in a way of its own at each path.
func web(t *testing.T) string {
	t.Helper()
	zlibbed := compressed(t, `{"ok":true}`, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	deflated := compressed(t, `{"ok":true}`, func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
	zipped := compressed(t, `{"ok":true}`, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	bomb := compressed(t, strings.Repeat(" ", 64<<20), func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	encoded := func(coding string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", coding)
			_, _ = w.Write(body)
		}
	}
	says := func(media, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			_, _ = io.WriteString(w, text)
		}
	}
	goesOn := func(media, piece string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", media)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, piece); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				if len(piece) > 1000 {
					continue
				}
				select {
				case <-time.After(50 * time.Millisecond):
				case <-r.Context().Done():
				}
			}
		}
	}
	mux := http.NewServeMux()
	for path, handler := range map[string]http.HandlerFunc{
		"/final": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"method":%q,"length":%d}`, r.Method, r.ContentLength)
		},
		"/big":      says("application/json", `{"id":9007199254740993,"snow":174322306148984899,"price":0.10,"amount":12345678901234567890.12}`),
		"/endless":  goesOn("text/plain", strings.Repeat("x", 1<<16)),
		"/drip":     goesOn("text/plain", "x"),
		"/sse":      goesOn("text/event-stream", "data: 1\n\n"),
		"/n204":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"/bomb":     encoded("gzip", bomb),
		"/gzip":     encoded("gzip", zipped),
		"/xgzip":    encoded("X-GZIP", zipped),
		"/deflate":  encoded("deflate", zlibbed),
		"/raw":      encoded("deflate", deflated),
		"/notgzip":  encoded("gzip", []byte(`{"ok":true}`)),
		"/halfgzip": encoded("gzip", zipped[:len(zipped)-9]),
		"/badgzip":  encoded("gzip", append(bytes.Clone(zipped[:len(zipped)-8]), 0, 0, 0, 0, 0, 0, 0, 0)),
		"/twice":    encoded("gzip, gzip", zipped),
		"/br":       encoded("br", []byte{0x8b, 0x05, 0x80, 'x', 0x03}),
		"/zstd":     encoded("zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}),
		"/latin1":   says("text/html; charset=iso-8859-1", "caf\xe9 \xfcber"),
		"/cp1252":   says("application/json; charset=windows-1252", "{\"price\":\"5\x80\"}"),
		"/sjis":     says("text/plain; charset=Shift_JIS", "\x83e\x83X\x83g"),
		"/utf16":    says("application/json", "\xff\xfe{\x00\"\x00o\x00k\x00\"\x00:\x00t\x00r\x00u\x00e\x00}\x00"),
		"/klingon":  says("text/plain; charset=klingon", "nuqneH"),
		"/bomjson":  says("application/json", "\ufeff{\"ok\":true}"),
		"/ndjson":   says("application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n"),
		"/dupkeys":  says("application/json", `{"status":"pending","status":"ok"}`),
		"/errok":    says("application/json", `{"status":"error","error":"card declined"}`),
		"/binary":   says("application/octet-stream", "a\x00b"),
		"/query": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%q %s", r.URL.Query().Get("q"), r.URL.RawQuery)
		},
		"/hdr":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Big", strings.Repeat("h", 1<<20)) },
		"/hdrs": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Big", strings.Repeat("h", 30<<10)) },
		"/trunc": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"a":`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"/tr": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Checksum")
			_, _ = io.WriteString(w, "body")
			w.Header().Set("X-Checksum", "bad")
		},
		"/cookie": func(w http.ResponseWriter, r *http.Request) {
			if cookie, err := r.Cookie("sid"); err == nil {
				_, _ = io.WriteString(w, cookie.Value)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "one", Path: "/"})
			http.Redirect(w, r, "/cookie", http.StatusFound)
		},
		"/ra": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"/loc": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/jobs/1")
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"state":"queued"}`)
		},
		"/nowhere": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) },
	} {
		mux.HandleFunc(path, handler)
	}
	for _, code := range []int{301, 302, 303, 307, 308} {
		mux.Handle(fmt.Sprintf("/r%d", code), http.RedirectHandler("/final", code))
	}
	return answers(t, mux.ServeHTTP)
}

// TestEveryAnswerHasItsVerdict goes through the ways in which the field's servers answer.
func TestEveryAnswerHasItsVerdict(t *testing.T) {
	base := web(t)
	is := func(path, value string) *v1.APICallExpect {
		return &v1.APICallExpect{Body: []v1.BodyExpectation{{Path: path, Equals: raw(value)}}}
	}
	post := raw(`{"n":1}`)
	few := new(int32(10))
	for name, tc := range map[string]struct {
		path     string
		body     *v1.JSON
		method   string
		follow   *int32
		seconds  int32
		expect   *v1.APICallExpect
		take     map[string]string
		statuses []int32

		reason  string // empty: it succeeds
		message string
		status  int64
		log     string
		result  string
		wait    bool
	}{
		"a POST and 301":                 {path: "r301", body: post, reason: v1.ReasonUnexpectedStatus, message: "answered 301 Moved Permanently; expected is 2xx. It redirects to /final, which would be asked by GET, without the method and the body of the job. Set spec.apiCall.maxRedirects if that is wanted, or call what does the work itself. The receiver may have acted on it.", status: 301},
		"a POST and 302":                 {path: "r302", body: post, reason: v1.ReasonUnexpectedStatus, message: "redirects to /final", status: 302},
		"a POST and 303":                 {path: "r303", body: post, reason: v1.ReasonUnexpectedStatus, message: "redirects to /final", status: 303},
		"a PUT and 302":                  {path: "r302", method: "PUT", body: post, reason: v1.ReasonUnexpectedStatus, message: "redirects to /final", status: 302},
		"a DELETE and 303":               {path: "r303", method: "DELETE", reason: v1.ReasonUnexpectedStatus, message: "redirects to /final", status: 303},
		"a POST whose 303 is expected":   {path: "r303", body: post, statuses: []int32{303}, status: 303},
		"a POST and 302 that is allowed": {path: "r302", body: post, follow: few, status: 200, log: `302 Found: goes on as GET http://`, result: `"{\"method\":\"GET\",\"length\":0}"`},
		"a POST and 307":                 {path: "r307", body: post, status: 200, log: "307 Temporary Redirect: goes on as POST http://", result: `"{\"method\":\"POST\",\"length\":7}"`},
		"a PUT and 308":                  {path: "r308", method: "PUT", body: post, status: 200, result: `"{\"method\":\"PUT\",\"length\":7}"`},
		"a GET and 302":                  {path: "r302", status: 200, result: `"{\"method\":\"GET\",\"length\":0}"`},
		"a HEAD and 302":                 {path: "r302", method: "HEAD", status: 200},
		"none may be followed":           {path: "r302", follow: new(int32(0)), reason: v1.ReasonUnexpectedStatus, message: "It redirects to /final; spec.apiCall.maxRedirects is 0.", status: 302},
		"a redirect that leads nowhere":  {path: "nowhere", reason: v1.ReasonUnexpectedStatus, message: "answered 302 Found; expected is 2xx.", status: 302},
		"cookies along redirects":        {path: "cookie", status: 200, result: `"one"`},

		"a number of 54 bits":             {path: "big", expect: is(".id", "9007199254740993"), take: map[string]string{"id": ".id", "snow": ".snow", "price": ".price", "amount": ".amount"}, status: 200, log: `"id":9007199254740993,"snow":174322306148984899`, result: `"values":{"amount":12345678901234567890.12,"id":9007199254740993,"price":0.10,"snow":174322306148984899}`},
		"its neighbour is not it":         {path: "big", expect: is(".id", "9007199254740992"), reason: v1.ReasonUnexpectedResponse, message: ".id is 9007199254740993; expected is 9007199254740992", status: 200},
		"nor that of a snowflake":         {path: "big", expect: is(".snow", "174322306148984900"), reason: v1.ReasonUnexpectedResponse, message: "174322306148984899", status: 200},
		"nor of an amount":                {path: "big", expect: is(".amount", "12345678901234567890.13"), reason: v1.ReasonUnexpectedResponse, message: "12345678901234567890.12", status: 200},
		"one that is written differently": {path: "big", expect: is(".price", "1e-1"), status: 200},

		"an endless body": {path: "endless", status: 200, log: "more than 1048576 bytes, of which the rest was not read", result: "more than 1048576 bytes"},
		"an endless body of which something is expected": {path: "endless", expect: is(".a", "1"), reason: v1.ReasonUnexpectedResponse, message: "larger than the 1048576 bytes that the server reads (--max-response-bytes)", status: 200},
		"a bomb":                                 {path: "bomb", expect: is(".a", "1"), reason: v1.ReasonUnexpectedResponse, message: "larger than the 1048576 bytes", status: 200},
		"a body that drips":                      {path: "drip", seconds: patience, reason: v1.ReasonTimeout, message: "spec.apiCall.timeoutSeconds allows 5 s", status: 200, log: "xx"},
		"a stream of events":                     {path: "sse", seconds: patience, reason: v1.ReasonTimeout, message: "answered 200 OK, but the body did not end", status: 200, log: "data: 1"},
		"no content":                             {path: "n204", status: 204},
		"no content where some is expected":      {path: "n204", expect: is(".a", "1"), reason: v1.ReasonUnexpectedResponse, message: "the body is empty, where JSON is expected", status: 204},
		"a body that ends early":                 {path: "trunc", reason: v1.ReasonConnectionFailed, message: "answered 200 OK, but the body broke off after 5 bytes: unexpected EOF", status: 200, log: `{"a":`},
		"gzip":                                   {path: "gzip", expect: is(".ok", "true"), status: 200},
		"x-gzip":                                 {path: "xgzip", expect: is(".ok", "true"), status: 200},
		"deflate":                                {path: "deflate", expect: is(".ok", "true"), status: 200, log: `{"ok":true}`},
		"deflate without its head":               {path: "raw", expect: is(".ok", "true"), status: 200, log: `{"ok":true}`},
		"what is called gzip and is not":         {path: "notgzip", reason: v1.ReasonProtocolError, message: "is not what its Content-Encoding says: gzip: invalid header", status: 200},
		"half of a gzip":                         {path: "halfgzip", reason: v1.ReasonConnectionFailed, message: "broke off after", status: 200},
		"gzip with a wrong sum":                  {path: "badgzip", reason: v1.ReasonProtocolError, message: "gzip: invalid checksum", status: 200},
		"gzip in gzip":                           {path: "twice", expect: is(".ok", "true"), reason: v1.ReasonUnexpectedResponse, message: `the body is encoded with "gzip, gzip", which was not asked for and cannot be read (gzip and deflate can)`, status: 200},
		"brotli":                                 {path: "br", status: 200, log: `5 bytes in the encoding "br", which cannot be read`},
		"brotli of which something is expected":  {path: "br", expect: is(".ok", "true"), reason: v1.ReasonUnexpectedResponse, message: `encoded with "br"`, status: 200},
		"zstd of which something is expected":    {path: "zstd", expect: is(".ok", "true"), reason: v1.ReasonUnexpectedResponse, message: `encoded with "zstd"`, status: 200},
		"Latin-1":                                {path: "latin1", status: 200, log: "café über", result: `"café über"`},
		"JSON in a code page":                    {path: "cp1252", expect: is(".price", `"5€"`), status: 200},
		"Shift JIS":                              {path: "sjis", status: 200, log: "テスト"},
		"UTF-16 by its mark":                     {path: "utf16", expect: is(".ok", "true"), status: 200, log: `{"ok":true}`},
		"a charset that nobody knows":            {path: "klingon", status: 200, log: "nuqneH"},
		"a byte order mark":                      {path: "bomjson", expect: is(".ok", "true"), status: 200, result: `"{\"ok\":true}"`},
		"several values":                         {path: "ndjson", expect: is(".a", "1"), reason: v1.ReasonUnexpectedResponse, message: "(application/x-ndjson, 16 bytes): it has several values one after another", status: 200},
		"a member that comes twice":              {path: "dupkeys", expect: is(".status", `"ok"`), reason: v1.ReasonUnexpectedResponse, message: `the member "status" comes twice`, status: 200},
		"one of which nothing is expected":       {path: "dupkeys", status: 200},
		"an error in the body":                   {path: "errok", expect: is(".status", `"ok"`), reason: v1.ReasonUnexpectedResponse, message: `.status is "error"; expected is "ok"`, status: 200},
		"what is no text":                        {path: "binary", status: 200, log: "(3 bytes, no text)"},
		"a query with a space":                   {path: "query?q=a b&x=%20ü{}", status: 200, result: `"\"a b\" q=a%20b\u0026x=%20%C3%BC%7B%7D"`},
		"a query that is escaped":                {path: "query?q=576%3Ab&r=100%&s=%zz&t=%41", status: 200, result: `q=576%3Ab\u0026r=100%25\u0026s=%25zz\u0026t=%41`},
		"a header of a megabyte":                 {path: "hdr", reason: v1.ReasonProtocolError, message: "the headers of the response are larger than 65536 bytes"},
		"a header of 30 KiB":                     {path: "hdrs", status: 200},
		"a trailer":                              {path: "tr", status: 200, log: "body"},
		"a trailer that is expected as a header": {path: "tr", expect: &v1.APICallExpect{Headers: map[string]string{"X-Checksum": "good"}}, reason: v1.ReasonUnexpectedResponse, message: "came behind the body as a trailer only", status: 200},
		"Retry-After as a date":                  {path: "ra", reason: v1.ReasonUnexpectedStatus, message: "429", status: 429, wait: true},
		"202 that nobody asked to poll":          {path: "loc", status: 202},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := &recorder{}
			call := &v1.APICallAction{URL: base + "/" + tc.path, Method: tc.method, Body: tc.body, MaxRedirects: tc.follow, Expect: tc.expect, Result: tc.take, ExpectStatus: tc.statuses}
			if tc.seconds > 0 {
				call.TimeoutSeconds = &tc.seconds
			}
			o := New(Options{Network: private()}).Run(t.Context(), attempt(call), out)
			if o.Reason != tc.reason || (o.Verdict == action.Succeeded) != (tc.reason == "") || !strings.Contains(o.Message, tc.message) || o.Facts.Number(v1.FactHTTPStatus) != tc.status {
				t.Errorf("%+v; want reason %q, status %d and %q", o, tc.reason, tc.status, tc.message)
			}
			if log := strings.Join(out.lines, "\n"); !strings.Contains(log, tc.log) {
				t.Errorf("log %.500q; want %q in it", log, tc.log)
			}
			if tc.result != "" && (o.Result == nil || !strings.Contains(string(o.Result.Raw), tc.result)) {
				t.Errorf("result %+v; want %s in it", o.Result, tc.result)
			}
			if tc.wait != (o.RetryAfter > 50*time.Minute) {
				t.Errorf("to wait %s", o.RetryAfter)
			}
		})
	}
}

// FuzzAnswer reads bodies of any kind: they end, stay within the bound, and say so.
func FuzzAnswer(f *testing.F) {
	f.Add("gzip", "application/json", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	f.Add("deflate", "text/plain; charset=utf-16", []byte("\x78\x9c\xab\x56\xca\xcf\x56\xb2\x2a\x29\x2a\x4d\xad\x05\x00"))
	f.Add("", "text/html; charset=iso-2022-jp", []byte("\x1b$B%F%9%H"))
	f.Fuzz(func(t *testing.T, coding, media string, wire []byte) {
		const limit = 1 << 10
		a := &answer{response: &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Encoding": {coding}, "Content-Type": {media}}}}
		a.read(bytes.NewReader(wire), limit)
		if len(a.body) > 4*limit { // of UTF-8 for a byte of another charset
			t.Errorf("%d bytes were kept", len(a.body))
		}
		keep := func(text string) string { return text }
		if head := a.head(keep, 100); len(head) > 400 {
			t.Errorf("a head of %d bytes", len(head))
		}
		for _, line := range lines(a.head(keep, limit)) {
			if len(line) > action.MaxLine || strings.ContainsRune(line, '\n') {
				t.Errorf("a line %q", line)
			}
		}
		if _, problem := a.value(keep); problem == "" && (a.more || a.coding != "") {
			t.Error("a value of half a body")
		}
	})
}
