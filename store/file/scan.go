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
	err = members(b, 0, func(key []byte, v span) error {
		switch string(key) {
		case "kind":
			s.kind, err = text(v.of(b))
		case "metadata":
			s.metadata = v
			err = s.scanMetadata(b, v)
		case "spec":
			s.spec = v
			s.jobType, err = firstMember(b, v, "type")
		case "status":
			s.status = v
			s.phase, err = firstMember(b, v, "phase")
		}
		return err
	})
	if err == nil && (len(s.kind) == 0 || len(s.name) == 0 || len(s.uid) == 0 || s.rvAt.empty()) {
		err = errors.New("kind, name, uid or resourceVersion is missing")
	}
	return s, err
}

func (s *scanned) scanMetadata(b []byte, metadata span) error {
	return members(b, metadata.start, func(key []byte, v span) (err error) {
		switch string(key) {
		case "name":
			s.name, err = text(v.of(b))
		case "namespace":
			s.namespace, err = text(v.of(b))
		case "uid":
			s.uid, err = text(v.of(b))
		case "resourceVersion":
			if v.end-v.start < 3 {
				return errMalformed
			}
			s.rvAt = span{v.start + 1, v.end - 1}
			s.rv, err = digits(s.rvAt.of(b))
		case "generation":
			var g uint64
			g, err = digits(v.of(b))
			s.generation = int64(g)
		case "deletionTimestamp":
			s.deleting = true
		case "labels":
			s.labels = v.of(b)
		case "finalizers":
			s.finalizers = v.of(b)
		}
		return err
	})
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
func firstMember(b []byte, v span, name string) (value []byte, err error) {
	errFound := errors.New("found")
	err = members(b, v.start, func(key []byte, member span) error {
		if string(key) != name {
			return nil
		}
		value, err = text(member.of(b))
		return errors.Join(err, errFound)
	})
	if errors.Is(err, errFound) {
		return value, nil
	}
	return value, err
}

// members calls fn with the members of the object that starts at b[i].
func members(b []byte, i int, fn func(key []byte, value span) error) error {
	if i >= len(b) || b[i] != '{' {
		return errMalformed
	}
	i++
	if i < len(b) && b[i] == '}' {
		return nil
	}
	for {
		end := skipString(b, i)
		if end < 0 || end >= len(b) || b[end] != ':' {
			return errMalformed
		}
		key := b[i+1 : end-1]
		start := end + 1
		if end = skipValue(b, start); end < 0 || end >= len(b) {
			return errMalformed
		}
		if err := fn(key, span{start, end}); err != nil {
			return err
		}
		switch b[end] {
		case ',':
			i = end + 1
		case '}':
			return nil
		default:
			return errMalformed
		}
	}
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
