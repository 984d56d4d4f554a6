package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// scanned is the result of a scan, which does not decode an encoding: spans of it, and the
// few values that the index is made of.
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

// scanner is scan, or a part of it.
type scanner func(encoding []byte) (scanned, error)

// scanStatus finds only what a write of the status needs: rvAt and status, which is the last
// member of every encoding. It takes a third of the time of scan.
func scanStatus(b []byte) (s scanned, err error) {
	w := walk(b, 0)
	for w.name() {
		switch string(w.key) {
		case "status":
			s.status = span{w.at.start, len(b) - 1}
			return s, s.hasVersion()
		case "metadata":
			if s.rvAt, w.at.end, err = versionOf(b, w.at.start); err != nil {
				return s, err
			}
			w.passed()
		default:
			w.pass()
		}
	}
	return s, errors.Join(w.err, s.hasVersion())
}

func (s *scanned) hasVersion() error {
	if s.rvAt.empty() {
		return errors.New("resourceVersion is missing")
	}
	return nil
}

// versionOf finds the digits of the resourceVersion in the metadata that start at b[i], and
// where the metadata end.
func versionOf(b []byte, i int) (rv span, end int, err error) {
	w := walk(b, i)
	for w.next() {
		if string(w.key) == "resourceVersion" && w.at.end-w.at.start >= 3 {
			rv = span{w.at.start + 1, w.at.end - 1}
		}
		end = w.at.end + 1
	}
	return rv, end, w.err
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

// value is the member's value.
func (w *walker) value() []byte { return w.at.of(w.b) }

// next goes on to the next member; false: there is none, or err tells why.
func (w *walker) next() bool { return w.name() && w.pass() }

// name goes on to the next member's key and to where its value starts, for callers that
// pass the value, or say that they have passed it.
func (w *walker) name() bool {
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
	return true
}

// pass goes over the member's value.
func (w *walker) pass() bool {
	w.at.end = skipValue(w.b, w.at.start)
	return w.passed()
}

// passed goes on behind the value that ends at at.end.
func (w *walker) passed() bool {
	if end := w.at.end; end > 0 && end < len(w.b) {
		switch w.b[end] {
		case ',':
			w.i = end + 1
			return true
		case '}':
			return true
		}
	}
	w.err = errMalformed
	return false
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
