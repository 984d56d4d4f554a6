package v1

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// AppendStringMap appends m, with sorted keys, as encoding/json encodes it, but with
// <, > and & as they are.
func AppendStringMap(dst []byte, m map[string]string) ([]byte, error) {
	e := appender{b: append(dst, '{')}
	var few [8]string
	for _, k := range sortedKeys(few[:0], m) {
		e.key(k)
		e.text(m[k])
	}
	e.close('}')
	return e.b, e.err
}

// AppendString appends s as a JSON string.
func AppendString(dst []byte, s string) ([]byte, error) {
	e := appender{b: dst}
	e.text(s)
	return e.b, e.err
}

// sortedKeys appends the keys of m to keys, sorted.
func sortedKeys[K ~string, V any](keys []K, m map[K]V) []K {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// appender writes JSON as encoding/json does, but leaves <, > and & as they are. It is
// what generated code is made of.
type appender struct {
	b   []byte
	err error
}

func (e *appender) open(bracket byte)  { e.b = append(e.b, bracket) }
func (e *appender) close(bracket byte) { e.b = append(e.b, bracket) }
func (e *appender) null()              { e.b = append(e.b, "null"...) }

// comma separates a member or item from the one before.
func (e *appender) comma() {
	if c := e.b[len(e.b)-1]; c != '{' && c != '[' {
		e.b = append(e.b, ',')
	}
}

// name begins a member; quoted is the name as JSON with its colon.
func (e *appender) name(quoted string) {
	e.comma()
	e.b = append(e.b, quoted...)
}

// key begins a member of a map.
func (e *appender) key(name string) {
	e.comma()
	e.text(name)
	e.b = append(e.b, ':')
}

// text appends a JSON string; anything but plain ASCII is left to encoding/json.
func (e *appender) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			e.value(s)
			return
		}
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, s...)
	e.b = append(e.b, '"')
}

func (e *appender) int(n int64) { e.b = strconv.AppendInt(e.b, n, 10) }
func (e *appender) bool(v bool) { e.b = strconv.AppendBool(e.b, v) }

func (e *appender) time(t time.Time, micros bool) { e.b = AppendTime(e.b, t, micros) }

// json appends a JSON value, which may not be compact, or not be valid.
func (e *appender) json(v JSON) {
	if len(v.Raw) == 0 {
		e.null()
		return
	}
	buf := bytes.NewBuffer(e.b)
	if err := json.Compact(buf, v.Raw); err != nil && e.err == nil {
		e.err = err
	}
	e.b = buf.Bytes()
}

// value appends a value by way of encoding/json.
func (e *appender) value(v any) {
	buf := bytes.NewBuffer(e.b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && e.err == nil {
		e.err = err
	}
	e.b = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// AppendTime appends t as metav1.Time is encoded, or with micros as metav1.MicroTime is:
// RFC 3339 in UTC, or null. It takes a third of the time of Time.AppendFormat.
func AppendTime(b []byte, t time.Time, micros bool) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(b, '"')
	if year < 0 || year > 9999 {
		b = t.AppendFormat(b, "2006")
	} else {
		b = twoDigits(twoDigits(b, year/100), year%100)
	}
	b = twoDigits(append(b, '-'), int(month))
	b = twoDigits(append(b, '-'), day)
	b = twoDigits(append(b, 'T'), hour)
	b = twoDigits(append(b, ':'), minute)
	b = twoDigits(append(b, ':'), second)
	if micros {
		n := t.Nanosecond() / 1000
		b = twoDigits(twoDigits(twoDigits(append(b, '.'), n/10_000), n/100%100), n%100)
	}
	return append(b, 'Z', '"')
}

// twoDigits appends n, which is below 100.
func twoDigits(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
