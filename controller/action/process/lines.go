package process

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"jobwright.dev/controller/action"
)

// Lines calls line with each line of r until its end, without line ends. A line
// longer than action.MaxLine comes in pieces; invalid UTF-8 is replaced.
func Lines(r io.Reader, line func(string)) error {
	reader := bufio.NewReaderSize(r, action.MaxLine)
	for {
		part, err := reader.ReadSlice('\n')
		if len(part) > 0 {
			text := strings.TrimRight(string(part), "\r\n")
			line(strings.ToValidUTF8(text, "\uFFFD"))
		}
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// Text is Lines for a text that is in memory: it needs no buffer, and cuts a line that is
// too long at the edge of a rune.
func Text(text string, line func(string)) {
	for one := range strings.Lines(text) {
		rest := strings.ToValidUTF8(strings.TrimRight(one, "\r\n"), "\uFFFD")
		for len(rest) > action.MaxLine {
			n := action.MaxLine
			for !utf8.RuneStart(rest[n]) {
				n--
			}
			line(rest[:n])
			rest = rest[n:]
		}
		line(rest)
	}
}

// Tail remembers the last lines of an output, for messages. The zero Tail remembers
// none; it is used by one goroutine.
type Tail struct {
	N     int
	lines []string
}

// Add remembers a line.
func (t *Tail) Add(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	t.lines = append(t.lines, line)
	if len(t.lines) > t.N {
		t.lines = t.lines[1:]
	}
}

// String is the remembered lines.
func (t *Tail) String() string { return strings.Join(t.lines, "\n") }
