package apicall

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/outbound"
)

// acceptEncoding is the value of the header Accept-Encoding. deflate is decoded as well.
const acceptEncoding = "gzip"

// wireSlack is how many bytes more than MaxResponse may come for it: compressed bytes that
// stand for nothing must not be read for ever.
const wireSlack = 64 << 10

// maxStatus bounds the words of a status line, which are the other side's.
const maxStatus = 100

// answer is a response whose body was read.
type answer struct {
	response *http.Response
	body     []byte // decompressed, in UTF-8 where it is text
	more     bool   // there is more of it than was read
	coding   string // a Content-Encoding that cannot be read; body is as it came then
	took     time.Duration

	broken      error // why it did not come to its end
	timedOut    bool  // because of the call's timeout
	undecodable bool  // because it is not what its Content-Encoding says
}

func (a *answer) status() int { return a.response.StatusCode }

// facts are the facts for failure policies.
func (a *answer) facts() action.Facts {
	return action.Facts(nil).With(v1.FactHTTPStatus, a.status())
}

// statusLine is the status with the other side's words for it, without secrets.
func (a *answer) statusLine(hide func(string) string) string {
	return cut(hide(strings.ToValidUTF8(a.response.Status, "")), maxStatus)
}

// read reads the body, of which at most limit bytes are kept.
func (a *answer) read(wire io.Reader, limit int64) {
	if a.response.StatusCode == http.StatusSwitchingProtocols {
		return // what follows is no body
	}
	raw := &io.LimitedReader{R: wire, N: limit + wireSlack}
	reader, err := a.decoded(bufio.NewReader(raw))
	if err == nil {
		a.body, err = io.ReadAll(io.LimitReader(reader, limit+1)) // one more tells that there is more
	}
	if int64(len(a.body)) > limit {
		a.body, a.more = a.body[:limit], true
	}
	if err != nil && raw.N <= 0 {
		err = nil
		a.more = true // compressed bytes went on without an end
	}
	if err != nil && !a.more {
		a.broken, a.undecodable = err, isCorrupt(err)
	}
	a.toUTF8()
}

// decoded undoes the Content-Encoding.
func (a *answer) decoded(wire *bufio.Reader) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(strings.Join(a.response.Header.Values("Content-Encoding"), ", ")))
	if _, err := wire.Peek(1); errors.Is(err, io.EOF) {
		return wire, nil // there is nothing to be undone
	}
	switch coding {
	case "", "identity":
		return wire, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(wire)
	case "deflate":
		// RFC 9110 means zlib, and some send what is in it without its head.
		if head, err := wire.Peek(2); err == nil && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			return zlib.NewReader(wire)
		}
		return flate.NewReader(wire), nil
	}
	a.coding = coding
	return wire, nil
}

func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary)
}

// toUTF8 brings a text to UTF-8 by its byte order mark, or else the charset that the
// Content-Type names. One that nobody knows is left as it is.
func (a *answer) toUTF8() {
	if a.coding != "" {
		return
	}
	_, params, _ := mime.ParseMediaType(a.response.Header.Get("Content-Type")) // what cannot be read names no charset
	label := params["charset"]
	switch {
	case bytes.HasPrefix(a.body, []byte{0xff, 0xfe}), bytes.HasPrefix(a.body, []byte{0xfe, 0xff}):
		label = "utf-16"
	case label == "" || strings.EqualFold(label, "utf-8") || bytes.HasPrefix(a.body, []byte{0xef, 0xbb, 0xbf}):
		return
	}
	encoding, err := htmlindex.Get(label)
	if err != nil {
		return
	}
	decoder := encoding.NewDecoder()
	if label == "utf-16" {
		decoder = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()
	}
	if text, err := decoder.Bytes(a.body); err == nil {
		a.body = text
	}
}

// size says how much came.
func (a *answer) size(hide func(string) string) string {
	switch {
	case a.more:
		return fmt.Sprintf("more than %d bytes, of which the rest was not read", len(a.body))
	case a.coding != "":
		return fmt.Sprintf("%d bytes in the encoding %q, which cannot be read", len(a.body), cut(hide(a.coding), maxStatus))
	}
	return fmt.Sprintf("%d bytes", len(a.body))
}

// head is the head of the body as text, without secrets; what is no text is only counted.
func (a *answer) head(hide func(string) string, limit int) string {
	body := bytes.TrimSpace(bytes.TrimPrefix(a.body, []byte("\ufeff")))
	if len(body) == 0 {
		return ""
	}
	if a.coding != "" || bytes.IndexByte(body, 0) >= 0 {
		return fmt.Sprintf("(%s, no text)", a.size(hide))
	}
	text := hide(strings.ToValidUTF8(string(body), "")) // before it is cut: half a secret would not be found
	if len(text) <= limit {
		if a.more {
			text += fmt.Sprintf("… (%s)", a.size(hide))
		}
		return text
	}
	all := fmt.Sprintf("%d bytes in all", len(body))
	if a.more {
		all = a.size(hide)
	}
	return strings.ToValidUTF8(text[:limit], "") + "… (" + all + ")"
}

// retryAfter is how long the other side asks to wait (RFC 9110, section 10.2.3).
func (a *answer) retryAfter(now time.Time) time.Duration {
	return outbound.RetryAfter(a.response.Header.Get("Retry-After"), now)
}

// lines are the lines of a text, each at most action.MaxLine long.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		for len(line) > action.MaxLine {
			at := action.MaxLine
			for !utf8.RuneStart(line[at]) {
				at--
			}
			out, line = append(out, line[:at]), line[at:]
		}
		out = append(out, line)
	}
	return out
}

// cut is a text of at most limit bytes.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
