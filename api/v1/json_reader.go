package v1

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The layouts of metav1.Time and metav1.MicroTime.
const (
	metav1TimeLayout      = time.RFC3339
	metav1MicroTimeLayout = metav1.RFC3339Micro
)

// reader reads compact JSON. What it does not know how to read sets failed, and from
// then on it reads nothing. It is what generated code is made of.
type reader struct {
	b      []byte
	at     int
	failed bool
}

// whole reports whether all was read.
func (r *reader) whole() bool { return !r.failed && r.at == len(r.b) }

// next takes c, if that is next.
func (r *reader) next(c byte) bool {
	if r.failed || r.at >= len(r.b) || r.b[r.at] != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) want(c byte) {
	if !r.next(c) {
		r.failed = true
	}
}

// first takes the bracket that opens, and reports whether something stands within.
func (r *reader) first(opens, closes byte) bool {
	r.want(opens)
	return !r.next(closes) && !r.failed
}

// another takes the comma before another member or item, or the bracket that closes.
func (r *reader) another(closes byte) bool {
	if r.next(',') {
		return true
	}
	r.want(closes)
	return false
}

// once marks a field as read. A key that comes twice means the last one to encoding/json,
// which merges; such an object is left to it.
func (r *reader) once(seen *uint64, field int) {
	if *seen&(1<<field) != 0 {
		r.failed = true
	}
	*seen |= 1 << field
}

// insert adds a member to a map, to which it is new.
func insert[K ~string, V any](r *reader, m map[K]V, key K, value V) {
	if r.failed {
		return
	}
	before := len(m)
	if m[key] = value; len(m) == before {
		r.failed = true
	}
}

// rest reads a member that is no field of a struct. A name in other letters is a field's to
// encoding/json; such an object is left to it.
func (r *reader) rest(members *map[string]JSON, key []byte, fields ...string) {
	if r.failed || isField(string(key), fields) {
		r.failed = true
		return
	}
	if *members == nil {
		*members = map[string]JSON{}
	}
	var value JSON
	r.json(&value)
	insert(r, *members, string(key), value)
}

// null takes null, if that is next.
func (r *reader) null() bool {
	if r.failed || !bytes.HasPrefix(r.b[r.at:], []byte("null")) {
		return false
	}
	r.at += len("null")
	return true
}

// key reads a member's name and the colon.
func (r *reader) key() []byte {
	key := r.plain()
	r.want(':')
	return key
}

// plain reads a string without escapes.
func (r *reader) plain() []byte {
	r.want('"')
	if r.failed {
		return nil
	}
	start := r.at
	for ; r.at < len(r.b); r.at++ {
		switch c := r.b[r.at]; {
		case c == '"':
			r.at++
			return r.b[start : r.at-1]
		case c == '\\', c < 0x20, c >= utf8.RuneSelf:
			r.failed = true
			return nil
		}
	}
	r.failed = true
	return nil
}

// str reads a string; one with escapes or beyond ASCII goes to encoding/json.
func str[S ~string](r *reader, to *S) {
	if r.failed {
		return
	}
	start := r.at
	if plain := r.plain(); !r.failed {
		*to = S(plain)
		return
	}
	r.failed, r.at = false, start
	r.any(to)
}

// word is str for values that are the same few most of the time, which then take no
// memory.
func word[S ~string](r *reader, to *S) {
	if r.failed {
		return
	}
	start := r.at
	if plain := r.plain(); !r.failed {
		if known, ok := words[string(plain)]; ok {
			*to = S(known)
		} else {
			*to = S(plain)
		}
		return
	}
	r.failed, r.at = false, start
	r.any(to)
}

// words are the values that most jobs have somewhere.
var words = func() map[string]string {
	m := map[string]string{}
	for _, t := range ourPayloads().Types() {
		m[string(t)] = string(t)
	}
	for _, word := range append([]string{
		APIVersion, KindJob,
		string(JobQueued), string(JobRunning), string(JobSucceeded), string(JobFailed), string(JobCanceled),
		ConditionComplete, ConditionFinished, ConditionSuspended, ConditionCanceling,
		string(metav1.ConditionTrue), string(metav1.ConditionFalse),
	}, Reasons()...) {
		m[word] = word
	}
	return m
}()

// number reads an integer as JSON writes it.
func number[N ~int | ~int8 | ~int16 | ~int32 | ~int64](r *reader, to *N, bits int) {
	start := r.at
	for r.at < len(r.b) && (r.b[r.at] == '-' || r.b[r.at] >= '0' && r.b[r.at] <= '9') {
		r.at++
	}
	digits := bytes.TrimPrefix(r.b[start:r.at], []byte("-"))
	n, err := strconv.ParseInt(string(r.b[start:r.at]), 10, bits)
	if err != nil || digits[0] == '0' && r.at-start > 1 {
		r.failed = true
		return
	}
	*to = N(n)
}

func boolean[B ~bool](r *reader, to *B) {
	for _, word := range []string{"true", "false"} {
		if bytes.HasPrefix(r.b[r.at:], []byte(word)) {
			*to = word == "true"
			r.at += len(word)
			return
		}
	}
	r.failed = true
}

func (r *reader) time(to *time.Time, layout string) {
	if r.null() {
		*to = time.Time{}
		return
	}
	s := r.plain()
	if r.failed {
		return
	}
	t, ok := utc(s, layout == metav1MicroTimeLayout)
	if !ok {
		var err error
		if t, err = time.Parse(layout, string(s)); err != nil {
			r.failed = true
			return
		}
	}
	*to = t.Local() // as metav1 does
}

// utc reads a time as AppendTime writes it; false: it is written otherwise, or is none.
// Microseconds must be there if they are asked for. time.Parse takes five times as long.
func utc(s []byte, exact bool) (t time.Time, ok bool) {
	const seconds, micros = len("2006-01-02T15:04:05Z"), len("2006-01-02T15:04:05.000000Z")
	if len(s) != micros && (exact || len(s) != seconds) || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[len(s)-1] != 'Z' {
		return t, false
	}
	ok = true
	number := func(from, to int) (n int) {
		for _, c := range s[from:to] {
			ok = ok && c >= '0' && c <= '9'
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(5, 7), number(8, 10)
	hour, minute, second, micro := number(11, 13), number(14, 16), number(17, 19), 0
	if len(s) == micros {
		ok = ok && s[19] == '.'
		micro = number(20, 26)
	}
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, micro*1000, time.UTC)
	// A day that the month does not have has become one of the next.
	return t, t.Day() == day && int(t.Month()) == month
}

// json reads any value.
func (r *reader) json(to *JSON) {
	raw := r.raw()
	if r.failed || to.UnmarshalJSON(raw) != nil {
		r.failed = true
	}
}

// any reads one value by way of encoding/json.
func (r *reader) any(to any) {
	raw := r.raw()
	if r.failed || json.Unmarshal(raw, to) != nil {
		r.failed = true
	}
}

// raw is one value as it stands; whether it is valid is for others to say.
func (r *reader) raw() []byte {
	start, depth, quoted := r.at, 0, false
	for ; !r.failed && r.at < len(r.b); r.at++ {
		c := r.b[r.at]
		switch {
		case quoted && c == '\\':
			r.at++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']', c == ',':
			if depth == 0 {
				return r.b[start:r.at]
			}
			if c != ',' {
				depth--
			}
		}
	}
	r.failed = true
	return nil
}
