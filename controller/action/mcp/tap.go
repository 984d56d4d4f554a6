package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action"
)

const (
	// tapLine is the longest message that is looked at; a notification is far shorter.
	tapLine = 128 << 10
	// maxFrame is the longest message that a server may send over stdio, in bytes. The
	// largest honest ones are images and files in base64; a decoder holds twice as much,
	// for each of a server's sessions.
	maxFrame = 16 << 20
)

// errFrame is why a session is given up whose server sends too long a message.
var errFrame = fmt.Errorf("it sent a message of more than %d MiB, which is the limit", maxFrame>>20)

// tap reads a server's messages, lines of JSON or of an event stream, on their way to the SDK and takes notifications
// in the order in which the server wrote them. The SDK itself hands a result over at
// once while notifications before it still wait in a queue, so that a tool's last
// progress would be lost.
//
// Over stdio it also passes on only what is a message. Servers say all kinds of things
// on stdout that belong to stderr, a package manager's greeting first of all, and the
// SDK gives up a connection at the first word that is no JSON-RPC.
type tap struct {
	from    io.Closer
	lines   *bufio.Reader
	rest    []byte // read, and not handed over yet
	partial bool   // rest is the middle of a line that is too long
	see     func(method string, params json.RawMessage)

	words   func(string) // takes what is no message; nil: this is no stdout
	skipped bool         // the line that is too long is no message
	frame   int          // its length so far

	answered atomic.Bool // something, so that the server speaks the protocol
}

func newTap(r io.ReadCloser, see func(string, json.RawMessage)) *tap {
	return &tap{from: r, lines: bufio.NewReaderSize(r, tapLine), see: see}
}

// newStdoutTap is a tap for the stdout of a program.
func newStdoutTap(r io.ReadCloser, see func(string, json.RawMessage), words func(string)) *tap {
	t := newTap(r, see)
	t.words = words
	return t
}

// Read implements io.Reader.
func (t *tap) Read(p []byte) (int, error) {
	for len(t.rest) == 0 {
		line, err := t.lines.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if t.words == nil {
			t.peek(line, err == nil)
		} else if line, err = t.message(line, full, err); errors.Is(err, errFrame) {
			return 0, err
		}
		t.partial = full
		if len(line) == 0 && err != nil && !full {
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

// peek looks for a notification in a line of an event stream.
func (t *tap) peek(line []byte, whole bool) {
	if !whole || t.partial || !bytes.Contains(line, []byte(`"notifications/`)) && !bytes.Contains(line, introduced) {
		return
	}
	var m wire
	if line = bytes.TrimPrefix(line, []byte("data:")); json.Unmarshal(line, &m) == nil {
		t.met(&m, line)
	}
}

// introduced is in what a server says of itself at the start.
var introduced = []byte(`"protocolVersion"`)

// met hands over a notification, or under no name what a server says of itself.
func (t *tap) met(m *wire, line []byte) {
	switch {
	case m.Method != "":
		t.see(m.Method, m.Params)
	case bytes.Contains(line, introduced):
		t.see("", line)
	}
}

// message returns what of a line of stdout is for the SDK.
func (t *tap) message(line []byte, full bool, err error) ([]byte, error) {
	if !t.partial {
		t.frame, t.skipped = 0, !t.look(line, full)
	} else if t.skipped {
		t.say(line)
	}
	if t.skipped {
		return nil, err
	}
	if t.frame += len(line); t.frame > maxFrame {
		return nil, errFrame
	}
	return line, err
}

// wire is a message of JSON-RPC, as far as it tells what it is.
type wire struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

// look reports whether a line, or the beginning of one that is too long to look at, is
// a message for the SDK. Of what is not, notifications are seen and the rest is said.
func (t *tap) look(line []byte, cut bool) bool {
	text := bytes.TrimSpace(line)
	switch {
	case len(text) == 0:
		return false
	case cut && text[0] == '{':
		return true
	case text[0] == '[': // a batch, which protocols before 2025-06-18 have
		var batch []wire
		if cut || json.Unmarshal(text, &batch) == nil && len(batch) > 0 && batch[0].Version == "2.0" {
			return true
		}
	case text[0] == '{':
		var m wire
		if json.Unmarshal(text, &m) != nil || m.Version != "2.0" {
			break
		}
		if len(m.ID) == 0 && strings.HasPrefix(m.Method, "notifications/") {
			t.see(m.Method, m.Params)
			return forSDK[m.Method]
		}
		if m.Method != "" {
			return true
		}
		if answersSomeone(m.ID) {
			t.answered.Store(true)
			t.met(&m, text)
			return true
		}
	}
	t.say(line)
	return false
}

// forSDK are the notifications that the SDK acts on itself. It queues every other one
// without a bound.
var forSDK = map[string]bool{"notifications/cancelled": true, "notifications/elicitation/complete": true}

// answersSomeone reports whether an answer's id can be that of a request: JSON-RPC says
// null where the server could not read it.
func answersSomeone(id json.RawMessage) bool {
	return len(id) > 0 && (id[0] == '"' || id[0] == '-' || id[0] >= '0' && id[0] <= '9')
}

// say hands over words, in pieces that a line of output may be long.
func (t *tap) say(line []byte) {
	line = bytes.TrimRight(line, "\r\n")
	for {
		n := min(len(line), action.MaxLine)
		if n > 0 {
			t.words(strings.ToValidUTF8(string(line[:n]), "\uFFFD"))
		}
		if line = line[n:]; len(line) == 0 {
			return
		}
	}
}

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
	case "notifications/tasks/status":
		select {
		case s.changed <- struct{}{}:
		default:
		}
	case "":
		var m struct {
			Result struct {
				Capabilities struct {
					Tasks struct {
						Requests struct {
							Tools struct {
								Call *struct{} `json:"call"`
							} `json:"tools"`
						} `json:"requests"`
					} `json:"tasks"`
				} `json:"capabilities"`
			} `json:"result"`
		}
		if json.Unmarshal(params, &m) == nil && m.Result.Capabilities.Tasks.Requests.Tools.Call != nil {
			s.mu.Lock()
			s.tasks = true
			s.mu.Unlock()
		}
	case "notifications/tools/list_changed":
		s.mu.Lock()
		s.stale = true
		s.mu.Unlock()
	}
}
