package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// tapLine is the longest message that is looked at; a notification is far shorter.
const tapLine = 128 << 10

// tap reads a server's messages, lines of JSON or of an event stream, on their way to the SDK and takes notifications
// in the order in which the server wrote them. The SDK itself hands a result over at
// once while notifications before it still wait in a queue, so that a tool's last
// progress would be lost.
type tap struct {
	from    io.Closer
	lines   *bufio.Reader
	rest    []byte // read, and not handed over yet
	partial bool   // rest is the middle of a line that is too long
	see     func(method string, params json.RawMessage)
}

func newTap(r io.ReadCloser, see func(string, json.RawMessage)) *tap {
	return &tap{from: r, lines: bufio.NewReaderSize(r, tapLine), see: see}
}

// Read implements io.Reader.
func (t *tap) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		line, err := t.lines.ReadSlice('\n')
		if err == nil && !t.partial && bytes.Contains(line, []byte(`"notifications/`)) {
			var message struct {
				Method string          `json:"method"`
				Params json.RawMessage `json:"params"`
			}
			if json.Unmarshal(bytes.TrimPrefix(line, []byte("data:")), &message) == nil {
				t.see(message.Method, message.Params)
			}
		}
		t.partial = errors.Is(err, bufio.ErrBufferFull)
		if len(line) == 0 {
			return 0, err
		}
		t.rest = line // the reader's own; it is not read again before it is handed over
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (t *tap) Close() error { return t.from.Close() }

// notification takes one that the tap saw.
func (s *session) notification(method string, params json.RawMessage) {
	switch method {
	case "notifications/progress":
		var p sdk.ProgressNotificationParams
		if json.Unmarshal(params, &p) == nil {
			s.progressed(&p)
		}
	case "notifications/message":
		var p sdk.LoggingMessageParams
		if json.Unmarshal(params, &p) == nil {
			s.logged(&p)
		}
	}
}
