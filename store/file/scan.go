package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// scanned is what an encoding tells without being decoded: spans of it, and the few
// values that the index is made of.
type scanned struct {
	kind, namespace, name, uid []byte
	jobType, phase             []byte
	// labels and finalizers are raw JSON; nil when absent.
	labels, finalizers []byte
	deleting           bool
	rv                 uint64
	generation         int64
	// rvAt is the span of the resourceVersion's digits.
	rvAt span
	// metadata, spec and status are the spans of these values; empty when absent.
	metadata, spec, status span
}

// span is a part of an encoding.
type span struct{ start, end int }

func (s span) of(b []byte) []byte { return b[s.start:s.end] }

func (s span) empty() bool { return s.start == s.end }

var errMalformed = errors.New("not a compact JSON object")

// scan reads the encoding of an object. It is made for encodings of this package,
// which a checksum vouches for: it finds its way through any compact JSON object but
// does not validate what it skips.
func scan(b []byte) (s scanned, err error) {
	w := walk(b, 0)
	for w.next() {
		switch string(w.key) {
		case "kind":
			s.kind, err = text(w.value())
		case "metadata":
			s.metadata = w.at
			err = s.scanMetadata(b, w.at)
		case "spec":
			s.spec = w.at
			s.jobType, err = firstMember(b, w.at, "type")
		case "status":
			s.status = w.at
			s.phase, err = firstMember(b, w.at, "phase")
		}
		if err != nil {
			return s, err
		}
	}
	if w.err == nil && (len(s.kind) == 0 || len(s.name) == 0 || len(s.uid) == 0 || s.rvAt.empty()) {
		return s, errors.New("kind, name, uid or resourceVersion is missing")
	}
	return s, w.err
}

func (s *scanned) scanMetadata(b []byte, metadata span) (err error) {
	w := walk(b, metadata.start)
	for w.next() {
		switch string(w.key) {
		case "name":
			s.name, err = text(w.value())
		case "namespace":
			s.namespace, err = text(w.value())
		case "uid":
			s.uid, err = text(w.value())
		case "resourceVersion":
			if w.at.end-w.at.start < 3 {
				return errMalformed
			}
			s.rvAt = span{w.at.start + 1, w.at.end - 1}
			s.rv, err = digits(s.rvAt.of(b))
		case "generation":
			var g uint64
			g, err = digits(w.value())
			s.generation = int64(g)
		case "deletionTimestamp":
			s.deleting = true
		case "labels":
			s.labels = w.value()
		case "finalizers":
			s.finalizers = w.value()
		}
		if err != nil {
			return err
		}
	}
	return w.err
}

// digits is strconv.ParseUint without its conversion to a string.
func digits(b []byte) (n uint64, err error) {
	for _, c := range b {
		if c < '0' || c > '9' || n > (1<<64-1-9)/10 {
			return strconv.ParseUint(string(b), 10, 64)
		}
		n = n*10 + uint64(c-'0')
	}
	return n, nil
}

// firstMember returns the text of a member of the object at v. The members that the
// index needs are encoded first, so this is short.
func firstMember(b []byte, v span, name string) ([]byte, error) {
	w := walk(b, v.start)
	for w.next() {
		if string(w.key) == name {
			return text(w.value())
		}
	}
	return nil, w.err
}

// walker goes over the members of an object, in their order.
type walker struct {
	b   []byte
	i   int // where the next member starts; 0: there is none
	err error
	// key is the member's, still escaped; at is where its value lies.
	key []byte
	at  span
}

// walk begins before the first member of the object that starts at b[i].
func walk(b []byte, i int) walker {
	switch {
	case i >= len(b)-1 || b[i] != '{':
		return walker{err: errMalformed}
	case b[i+1] == '}':
		return walker{}
	}
	return walker{b: b, i: i + 1}
}

// value is that of the member.
func (w *walker) value() []byte { return w.at.of(w.b) }

// next goes on to the next member; false: there is none, or err tells why.
func (w *walker) next() bool {
	if w.i == 0 {
		return false
	}
	start := w.i
	w.i = 0
	end := skipString(w.b, start)
	if end < 0 || end >= len(w.b) || w.b[end] != ':' {
		w.err = errMalformed
		return false
	}
	w.key, w.at.start = w.b[start+1:end-1], end+1
	end = skipValue(w.b, w.at.start)
	if end < 0 || end >= len(w.b) {
		w.err = errMalformed
		return false
	}
	w.at.end = end
	switch w.b[end] {
	case ',':
		w.i = end + 1
	case '}':
	default:
		w.err = errMalformed
		return false
	}
	return true
}

// skipString returns where the string that starts at b[i] ends, or −1.
func skipString(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n + 1
		backslashes := 0
		for j := i - 2; b[j] == '\\'; j-- {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i
		}
	}
}

// skipValue returns where the value that starts at b[i] ends, or −1.
func skipValue(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i < 0 {
				return -1
			}
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return -1
}

// text is the value of a JSON string.
func text(raw []byte) ([]byte, error) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, errMalformed
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	return []byte(s), nil
}
