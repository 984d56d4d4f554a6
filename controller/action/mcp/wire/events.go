package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// event is one of a stream of server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type event struct {
	id, name, retry []byte
	data            []byte
}

// events reads a stream of events, none longer than MaxMessage.
type events struct {
	lines *bufio.Reader
	alive func() // called for a comment
	begun bool
}

func newEvents(r io.Reader, alive func()) *events {
	return &events{lines: bufio.NewReaderSize(r, lineBuffer), alive: alive}
}

// maxTries bounds how often an event is looked at for whether it is whole already.
const maxTries = 100

// whole reports whether the data is a message.
func (e *event) whole() bool {
	text := trimmed(e.data)
	return len(text) > 1 && text[0] == '{' && text[len(text)-1] == '}' && json.Valid(text)
}

// next reads an event. One that the end of the stream cuts off is returned with the
// error: servers forget the last line end.
func (s *events) next() (e event, err error) {
	size, some, tries := 0, false, 0
	for {
		line, err := s.line(MaxMessage - size)
		if err != nil && !errors.Is(err, io.EOF) {
			return e, err
		}
		if !s.begun {
			line, s.begun = bytes.TrimPrefix(line, bom), true
		}
		size += len(line)
		switch name, value := field(line); {
		case len(line) == 0 && err == nil:
			if some {
				return e, nil
			}
			size = 0
		case len(line) == 0:
		case len(name) == 0:
			s.alive()
		default:
			some = e.set(name, value) || some
			if tries++; err == nil && tries <= maxTries && s.lines.Buffered() == 0 && e.whole() {
				return e, nil // some servers forget the empty line, and the stream goes on
			}
		}
		if err != nil {
			return e, err
		}
	}
}

// line is one line without its end, no longer than limit.
func (s *events) line(limit int) ([]byte, error) {
	line, err := s.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		whole := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = s.lines.ReadSlice('\n')
			if whole = append(whole, line...); len(whole) > limit {
				return nil, ErrTooLong
			}
		}
		line = whole
	}
	if len(line) > limit {
		return nil, ErrTooLong
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), err
}

func field(line []byte) (name, value []byte) {
	name, value, _ = bytes.Cut(line, []byte(":"))
	return name, bytes.TrimPrefix(value, []byte(" "))
}

// leastRetry is how soon a stream is opened again at the earliest, in milliseconds: a server
// that ends each one at once would be asked without a pause.
const leastRetry = 100

// set sets a field, and reports whether the event has it.
func (e *event) set(name, value []byte) bool {
	switch string(name) {
	case "id":
		e.id = bytes.Clone(value)
	case "event":
		e.name = bytes.Clone(value)
	case "retry":
		e.retry = bytes.Clone(value)
		if ms, err := strconv.Atoi(string(value)); err == nil && ms < leastRetry {
			e.retry = strconv.AppendInt(nil, leastRetry, 10)
		}
	case "data":
		if e.data != nil {
			e.data = append(e.data, '\n')
		}
		e.data = append(e.data, value...)
	default:
		return false
	}
	return true
}

// write appends an event in the form that the SDK reads.
func (e *event) write(out *bytes.Buffer) {
	for _, field := range []struct {
		name  string
		value []byte
	}{{"event", e.name}, {"id", e.id}, {"retry", e.retry}, {"data", e.data}} {
		if len(field.value) > 0 {
			out.WriteString(field.name + ": ")
			out.Write(field.value)
			out.WriteByte('\n')
		}
	}
	if len(e.data) == 0 {
		out.WriteString("data: \n")
	}
	out.WriteByte('\n')
}
