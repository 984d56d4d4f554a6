package serve

import (
	"fmt"
	"io"
	"log/slog" //nolint:depguard // the logger is made here, once
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/go-logr/logr"
)

// newLogger returns the logger of --log-format. An entry is one line without control
// characters, whatever jobs, tools and clients have said: nothing forges another entry, or
// does something to a terminal that shows the log.
func newLogger(format string, out io.Writer) logr.Logger {
	if format == "json" {
		return logr.FromSlogHandler(slog.NewJSONHandler(controlsEscaped{out}, nil))
	}
	return logr.FromSlogHandler(slog.NewTextHandler(out, nil))
}

// controlsEscaped escapes the control characters that JSON allows within a string: DEL, those
// of C1 and those that turn the direction of text. slog writes each entry with one Write.
type controlsEscaped struct{ out io.Writer }

// Write implements io.Writer.
func (w controlsEscaped) Write(entry []byte) (int, error) {
	escaped := make([]byte, 0, len(entry))
	for rest := entry; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r >= 0x7f && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		} else {
			escaped = append(escaped, rest[:size]...)
		}
		rest = rest[size:]
	}
	if _, err := w.out.Write(escaped); err != nil {
		return 0, err
	}
	return len(entry), nil
}

// logErrors has a server report its errors to the logger.
func logErrors(s *http.Server, to logr.Logger) {
	s.ErrorLog = slog.NewLogLogger(logr.ToSlogHandler(to), slog.LevelWarn)
}
