package print

import (
	"fmt"
	"io"
	"os"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// Terminal writes to a terminal what jobs, tools and containers have said, with every
// control character made visible: none of them moves the cursor, clears the screen, sets
// the title or forges a line. Line ends and tabs stay.
type Terminal struct {
	file *os.File
	// held is the beginning of a character whose rest comes with the next Write.
	held []byte
}

// Safe is file, or a Terminal when it is one.
func Safe(file *os.File) io.Writer {
	if !term.IsTerminal(int(file.Fd())) {
		return file
	}
	return &Terminal{file: file}
}

// Raw is the terminal behind a Terminal, for a program that draws on it itself; any other
// writer is returned as it is.
func Raw(w io.Writer) io.Writer {
	if t, ok := w.(*Terminal); ok {
		return t.file
	}
	return w
}

// Write implements io.Writer.
func (t *Terminal) Write(b []byte) (int, error) {
	var out []byte
	out, t.held = visible(append(t.held, b...))
	if _, err := t.file.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// visible is text with its control characters written out, and the beginning of a character
// that is not whole.
func visible(text []byte) (out, rest []byte) {
	for len(text) > 0 {
		if !utf8.FullRune(text) {
			return out, text
		}
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, text[0])
		case r == '\n', r == '\t':
			out = append(out, text[:size]...)
		case r < 0x20 || r == 0x7f:
			out = append(out, '^', byte(r)^0x40)
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return out, nil
}

// terminal reports whether w is a terminal that may show colours and a moving bar.
func terminal(w io.Writer) bool {
	_, ok := w.(*Terminal)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
