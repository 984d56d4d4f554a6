package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

// TestNoTextForgesALogEntry: whatever a job, a tool, a client or an error says, in the
// message, a key, a value or an error, it stays in the one line of its entry, and no control
// character reaches a terminal.
func TestNoTextForgesALogEntry(t *testing.T) {
	texts := map[string]string{
		"a line end":           "x\ntime=2026-11-28T00:00:00Z level=INFO msg=\"the job succeeded\"",
		"a carriage return":    "x\r\nlevel=ERROR msg=forged",
		"a quote and a field":  `x" level=ERROR msg="forged`,
		"an escape sequence":   "\x1b]0;title\x07\x1b[2J",
		"C1":                   "\u009b2J\u0085next",
		"C1 as a byte":         "\x9b2J",
		"a line separator":     "x\u2028level=ERROR\u2029msg=forged",
		"text that turns":      "\u202egpj.exe\u2066",
		"DEL and backspaces":   "x\x7f\b\b\bforged",
		"NUL and invalid text": "x\x00\xff\xfe",
		"JSON":                 "x\"}\n{\"level\":\"ERROR\",\"msg\":\"forged\"}",
	}
	for _, format := range []string{"text", "json"} {
		for name, text := range texts {
			t.Run(format+": "+name, func(t *testing.T) {
				for place, say := range map[string]func(*bytes.Buffer){
					"a value":     func(out *bytes.Buffer) { newLogger(format, out).Info("told", "job", text) },
					"the message": func(out *bytes.Buffer) { newLogger(format, out).Info(text, "job", "one") },
					"a key":       func(out *bytes.Buffer) { newLogger(format, out).Info("told", text, "one") },
					"a name":      func(out *bytes.Buffer) { newLogger(format, out).WithName(text).Info("told") },
					"an error": func(out *bytes.Buffer) {
						newLogger(format, out).Error(fmt.Errorf("run: %w", errors.New(text)), "failed")
					},
					"a slice": func(out *bytes.Buffer) { newLogger(format, out).Info("told", "all", []string{text, text}) },
					"bytes":   func(out *bytes.Buffer) { newLogger(format, out).Info("told", "output", []byte(text)) },
					"a request": func(out *bytes.Buffer) {
						server := &http.Server{}
						logErrors(server, newLogger(format, out))
						server.ErrorLog.Print("http: panic serving ", text)
					},
				} {
					var out bytes.Buffer
					say(&out)
					entry, whole := strings.CutSuffix(out.String(), "\n")
					if !whole || strings.ContainsFunc(entry, shows) {
						t.Errorf("%s: %q", place, out.String())
					}
					var fields map[string]any
					if format == "json" && (json.Unmarshal(out.Bytes(), &fields) != nil || fields["level"] == nil || fields["msg"] == "forged") {
						t.Errorf("%s is no entry: %q", place, out.String())
					}
					if format == "text" && strings.Contains(unquoted(entry), "forged") {
						t.Errorf("%s stands beside its quotes: %s", place, entry)
					}
				}
			})
		}
	}
}

// shows reports whether a terminal does something with a character other than to show it.
func shows(r rune) bool {
	return unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}

// unquoted is what of a line stands in no quotes.
func unquoted(line string) string {
	var out strings.Builder
	in, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			escaped = false
		case in && r == '\\':
			escaped = true
		case r == '"':
			in = !in
		case !in:
			out.WriteRune(r)
		}
	}
	return out.String()
}
