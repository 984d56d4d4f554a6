package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Why a session is given up whose server does not frame its messages as the protocol has
// it.
var (
	// ErrTooLong is why an answer is not read.
	ErrTooLong = errors.New("it answered, but " + tooLong)
	errFramed  = errors.New("it frames its messages with Content-Length headers, as language servers do; over stdio MCP has one JSON message a line")
)

// frames cuts a program's stdout into candidates for messages. Servers write text there that
// belongs to stderr, a package manager's greeting first of all; a line that cannot be part of
// a message goes to words at once and is not held.
type frames struct {
	lines *bufio.Reader
	words func([]byte)
	// message takes a frame, and reports whether it was a message.
	message func([]byte) bool

	spoke  bool // a message has come
	parts  []byte
	depth  int // of the braces and brackets that are open in parts
	string bool
}

// tooLong is the fault of a message that is not read.
var tooLong = fmt.Sprintf("with a message of more than %d MiB, which is the limit", MaxMessage>>20)

const lineBuffer = 64 << 10

func newFrames(r io.Reader, message func([]byte) bool, words func([]byte)) *frames {
	return &frames{lines: bufio.NewReaderSize(r, lineBuffer), message: message, words: words}
}

// run reads to the end, or to a fault that makes the rest unreadable.
func (f *frames) run() error {
	for {
		line, held, err := f.line()
		if held && len(line) > 0 {
			if err := f.take(line); err != nil {
				return err
			}
		}
		if err != nil {
			f.give()
			return err
		}
	}
}

// line reads a line that may belong to a message. Another line has gone to words, and held is
// false.
func (f *frames) line() (line []byte, held bool, err error) {
	piece, err := f.lines.ReadSlice('\n')
	if !f.candidate(piece) {
		for f.words(piece); errors.Is(err, bufio.ErrBufferFull); f.words(piece) {
			piece, err = f.lines.ReadSlice('\n')
		}
		return nil, false, err
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return piece, true, err
	}
	line = bytes.Clone(piece)
	for errors.Is(err, bufio.ErrBufferFull) {
		piece, err = f.lines.ReadSlice('\n')
		if line = append(line, piece...); len(line) > MaxMessage {
			return nil, false, ErrTooLong
		}
	}
	return line, true, err
}

// candidate reports whether a line that begins so may be a message or a part of one.
func (f *frames) candidate(line []byte) bool {
	if len(f.parts) > 0 || header(line) {
		return true
	}
	text := trimmed(line)
	if len(text) == 0 {
		return false
	}
	next := bytes.TrimSpace(text[1:])
	switch text[0] {
	case '{':
		return len(next) == 0 || next[0] == '"' || next[0] == '}'
	case '[':
		return len(next) == 0 || next[0] == '{'
	}
	return false
}

// header reports whether a line is a Content-Length header.
func header(line []byte) bool {
	name, length, ok := bytes.Cut(line, []byte(":"))
	if !ok || !bytes.EqualFold(bytes.TrimSpace(name), []byte("content-length")) {
		return false
	}
	length = bytes.TrimSpace(length)
	return len(length) > 0 && len(bytes.TrimLeft(length, "0123456789")) == 0
}

// take takes a line.
func (f *frames) take(line []byte) error {
	if len(f.parts) > 0 {
		if !bytes.Contains(line, []byte(`"jsonrpc"`)) || !json.Valid(trimmed(line)) {
			return f.more(line)
		}
		f.give() // a message in one line: what came before was none
	}
	switch {
	case f.message(line):
		f.spoke = true
	case header(line):
		if !f.spoke {
			return errFramed
		}
		f.words(line)
	case f.begins(line):
		f.parts = append(f.parts, line...)
	default:
		f.words(line)
	}
	return nil
}

// begins reports whether a line is the beginning of JSON that goes on.
func (f *frames) begins(line []byte) bool {
	f.depth, f.string = 0, false
	f.count(line)
	if f.depth <= 0 || f.string {
		return false
	}
	var whole json.RawMessage
	err := json.NewDecoder(bytes.NewReader(trimmed(line))).Decode(&whole)
	return errors.Is(err, io.ErrUnexpectedEOF)
}

// more takes the next line of JSON that has begun.
func (f *frames) more(line []byte) error {
	if len(f.parts)+len(line) > MaxMessage {
		return ErrTooLong
	}
	f.parts = append(f.parts, line...)
	f.count(line)
	switch {
	case f.string || f.depth < 0: // a string does not go over several lines
		f.give()
	case f.depth == 0:
		if f.message(f.parts) {
			f.spoke, f.parts = true, nil
		}
		f.give()
	}
	return nil
}

// count follows braces and brackets.
func (f *frames) count(line []byte) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case f.string && c == '\\':
			i++
		case c == '"':
			f.string = !f.string
		case f.string:
		case c == '{' || c == '[':
			f.depth++
		case c == '}' || c == ']':
			f.depth--
		}
	}
}

// give hands over the held lines as words.
func (f *frames) give() {
	for line := range bytes.Lines(f.parts) {
		f.words(line)
	}
	f.parts = nil
}
