package secrets

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
)

// Guarded holds secrets to mask in texts that the reader can influence: the answer of a tool
// that a job calls, the log of the server meanwhile. A mask must not tell such a reader more
// than whether one guess of a whole value was right, so
//
//   - only whole values are masked, never a value that a table has cut off, and
//   - a value that the reader has written, in any form, is not masked for that reader.
//
// A nil Guarded has no values.
type Guarded struct {
	values [][][]byte // the forms of each
	all    *Redactor
}

// NewGuarded returns the values of at least least bytes, and the lines of values that have
// several.
func NewGuarded(least int, values ...string) *Guarded {
	g := &Guarded{}
	var patterns [][]byte
	add := func(value string) {
		if known := forms(value, false); len(value) >= least && len(known) > 0 {
			g.values = append(g.values, known)
			patterns = append(patterns, known...)
		}
	}
	for _, value := range values {
		add(value)
		if strings.Contains(value, "\n") { // who has written one line does not know the others
			for line := range strings.Lines(value) {
				add(strings.TrimRight(line, "\r\n"))
			}
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	g.all = newRedactor(patterns)
	return g
}

// From returns a Redactor for a reader who has written words.
func (g *Guarded) From(words string) *Redactor {
	if g == nil {
		return nil
	}
	written := func(forms [][]byte) bool {
		return slices.ContainsFunc(forms, func(form []byte) bool { return strings.Contains(words, string(form)) })
	}
	if words == "" || !slices.ContainsFunc(g.values, written) {
		return g.all
	}
	var patterns [][]byte
	for _, forms := range g.values {
		if !written(forms) {
			patterns = append(patterns, forms...)
		}
	}
	return newRedactor(patterns)
}

// Raw masks the values in JSON. Without any value in it, the result is data itself, byte for
// byte.
func (r *Redactor) Raw(data json.RawMessage) json.RawMessage {
	if r == nil || len(data) == 0 {
		return data
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return json.RawMessage(r.String(string(data))) // no JSON, so no form to be kept
	}
	if !r.finds(value) {
		return data
	}
	hidden, err := v1.NewJSON(r.Value(value))
	if err != nil {
		return json.RawMessage(`"` + Mask + `"`)
	}
	return hidden.Raw
}

// finds reports whether a decoded JSON value has something to be replaced.
func (r *Redactor) finds(value any) bool {
	switch v := value.(type) {
	case string:
		return r.String(v) != v
	case json.Number:
		return r.String(v.String()) != v.String()
	case []any:
		return slices.ContainsFunc(v, r.finds)
	case map[string]any:
		for key := range v {
			if r.String(key) != key || r.finds(v[key]) {
				return true
			}
		}
	}
	return false
}
