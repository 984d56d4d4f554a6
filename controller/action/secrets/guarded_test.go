package secrets

import (
	"encoding/json"
	"testing"
)

func TestWholeValuesAreHiddenFromThoseWhoDoNotKnowThem(t *testing.T) {
	w := NewGuarded(8, "first-value", "second-value", "short", "one line\nanother line")
	for name, tt := range map[string]struct{ words, text, want string }{
		"to whoever has written nothing":     {"", "first-value second-value", "*** ***"},
		"one that the reader has written":    {"say first-value", "first-value second-value", "first-value ***"},
		"one that was written in base64":     {"Zmlyc3QtdmFsdWU=", "first-value", "first-value"},
		"all that the reader has written":    {"first-value second-value one line another line", "first-value second-value", "first-value second-value"},
		"no part of a value":                 {"", "first-valu…", "first-valu…"},
		"a line of a value that has several": {"", "another line", "***"},
		"the other lines of a value":         {"one line", "one line, another line", "one line, ***"},
		"nothing that is short":              {"", "short", "short"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := w.From(tt.words).String(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if NewGuarded(8, "short").From("").String("short") != "short" || (*Guarded)(nil).From("x").String("a") != "a" {
		t.Error("no values are hidden")
	}
}

func TestJSONWithoutAValueStaysAsItWasWritten(t *testing.T) {
	r := NewGuarded(8, "first-value", "12345678").From("")
	for text, want := range map[string]string{
		`{"b": 1.50, "a": "x"}`:            `{"b": 1.50, "a": "x"}`,
		`{"b": 1.50, "a":["first-value"]}`: `{"a":["***"],"b":1.50}`,
		`{"a":"first-\u0076alue"}`:         `{"a":"***"}`,
		`{"a":12345678}`:                   `{"a":"***"}`,
		`no JSON first-value`:              `no JSON ***`,
		``:                                 ``,
	} {
		if got := string(r.Raw(json.RawMessage(text))); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}
