package strict

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// checker writes a document as compact JSON for a Go type, without what does not fit.
// Each of its writers returns false where it has written nothing.
type checker struct {
	found       collector
	passUnknown bool
	// payloads are those that may stand in the spec of a job beside its fields.
	payloads v1.PayloadSet
	types    fieldsOf
}

// document is the JSON of d for the type that into points to.
func (c *checker) document(d Document, into any) []byte {
	data, ok := c.value(nil, d.node(), reflect.TypeOf(into).Elem(), d.base)
	if !ok {
		return []byte("null")
	}
	return data
}

func (c *checker) problem(n *node, p *path, message string) {
	c.found.add(Problem{Line: n.line, Column: n.column, Path: p.String(), Message: message})
}

// free writes a value where any is taken.
func (c *checker) free(dst []byte, n *node, p *path) ([]byte, bool) {
	switch n.kind {
	case doubtful:
		c.problem(n, p, n.advice)
		return dst, false
	case list:
		return c.list(dst, n, func(dst []byte, i int) ([]byte, bool) { return c.free(dst, n.items[i], p.item(i)) }), true
	case object:
		return c.object(dst, n, func(dst []byte, m member) ([]byte, bool) { return c.free(dst, m.value, p.member(m.name)) }), true
	default:
		return append(dst, n.raw...), true
	}
}

// list writes a list. An item that does not fit becomes null, so that the others keep their
// positions.
func (c *checker) list(dst []byte, n *node, item func([]byte, int) ([]byte, bool)) []byte {
	dst = append(dst, '[')
	for i := range n.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		written, ok := item(dst, i)
		if !ok {
			written = append(dst, "null"...)
		}
		dst = written
	}
	return append(dst, ']')
}

// object writes a map without the members that do not fit.
func (c *checker) object(dst []byte, n *node, value func([]byte, member) ([]byte, bool)) []byte {
	dst = append(dst, '{')
	for _, m := range n.members {
		before := len(dst)
		if dst[before-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, m.name), ':')
		written, ok := value(dst, m)
		if !ok {
			written = dst[:before]
		}
		dst = written
	}
	return append(dst, '}')
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	// jobSpec and failureRule decode themselves for their custom members only.
	jobSpec     = reflect.TypeFor[v1.JobSpec]()
	failureRule = reflect.TypeFor[v1.FailureRule]()
)

// value writes n for a field of type t.
func (c *checker) value(dst []byte, n *node, t reflect.Type, p *path) ([]byte, bool) {
	if n.kind == null {
		return append(dst, "null"...), true
	}
	switch {
	case t.Kind() == reflect.Pointer:
		return c.value(dst, n, t.Elem(), p)
	case reflect.PointerTo(t).Implements(jsonUnmarshaler) && t != jobSpec && t != failureRule:
		return c.custom(dst, n, t, p)
	case reflect.PointerTo(t).Implements(textUnmarshaler) && n.kind == text:
		return c.custom(dst, n, t, p)
	}
	switch t.Kind() {
	case reflect.Interface:
		return c.free(dst, n, p)
	case reflect.Struct:
		return c.structure(dst, n, t, p)
	case reflect.Map:
		if n.kind != object {
			return c.wrong(dst, n, p, "a map")
		}
		return c.object(dst, n, func(dst []byte, m member) ([]byte, bool) {
			return c.value(dst, m.value, t.Elem(), p.member(m.name))
		}), true
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return c.base64(dst, n, p)
		}
		if n.kind != list {
			return c.wrong(dst, n, p, "a list")
		}
		return c.list(dst, n, func(dst []byte, i int) ([]byte, bool) {
			return c.value(dst, n.items[i], t.Elem(), p.item(i))
		}), true
	default:
		return c.scalar(dst, n, t, p)
	}
}

func (c *checker) wrong(dst []byte, n *node, p *path, want string) ([]byte, bool) {
	if n.kind == doubtful && want != "a map" && want != "a list" {
		c.problem(n, p, n.advice)
	} else {
		c.problem(n, p, wrongType(n, want))
	}
	return dst, false
}

func (c *checker) scalar(dst []byte, n *node, t reflect.Type, p *path) ([]byte, bool) {
	switch t.Kind() {
	case reflect.String:
		if n.kind != text {
			return c.wrong(dst, n, p, "a string")
		}
		if n.halves {
			c.problem(n, p, half)
			return dst, false
		}
	case reflect.Bool:
		if n.kind != boolean && (n.kind != doubtful || len(n.raw) == 0) {
			return c.wrong(dst, n, p, "true or false")
		}
	case reflect.Float32, reflect.Float64:
		if n.kind != number {
			return c.wrong(dst, n, p, "a number")
		}
		if _, err := strconv.ParseFloat(string(n.raw), t.Bits()); err != nil {
			return c.wrong(dst, n, p, fmt.Sprintf("a number of at most %g", math.MaxFloat64))
		}
	default:
		return c.integer(dst, n, t, p)
	}
	return append(dst, n.raw...), true
}

func (c *checker) integer(dst []byte, n *node, t reflect.Type, p *path) ([]byte, bool) {
	var err error
	var want string
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		_, err = strconv.ParseInt(string(n.raw), 10, t.Bits())
		low := int64(-1) << (t.Bits() - 1)
		want = fmt.Sprintf("a whole number from %d to %d", low, -(low + 1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		_, err = strconv.ParseUint(string(n.raw), 10, t.Bits())
		want = fmt.Sprintf("a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	default:
		c.problem(n, p, "cannot be given in a text") // a channel or function; no type of ours
		return dst, false
	}
	switch {
	case n.kind != number:
		return c.wrong(dst, n, p, "a whole number")
	case err != nil && bytes.ContainsAny(n.raw, ".eE"):
		c.problem(n, p, "must be a whole number, not "+printable(string(n.raw)))
		return dst, false
	case err != nil:
		c.problem(n, p, fmt.Sprintf("must be %s, not %s", want, printable(string(n.raw))))
		return dst, false
	}
	return append(dst, n.raw...), true
}

func (c *checker) base64(dst []byte, n *node, p *path) ([]byte, bool) {
	if s, ok := n.string(); ok {
		if _, err := base64.StdEncoding.DecodeString(s); err == nil {
			return append(dst, n.raw...), true
		}
	}
	return c.wrong(dst, n, p, "a string in base64")
}

// custom writes n for a type that decodes itself.
func (c *checker) custom(dst []byte, n *node, t reflect.Type, p *path) ([]byte, bool) {
	if n.halves && t != reflect.TypeFor[v1.JSON]() && t != reflect.TypeFor[json.RawMessage]() {
		c.problem(n, p, half)
		return dst, false
	}
	problems := len(c.found.found) + c.found.missed
	before := len(dst)
	dst, ok := c.free(dst, n, p)
	if !ok || len(c.found.found)+c.found.missed > problems {
		return dst[:before], false
	}
	if err := json.Unmarshal(dst[before:], reflect.New(t).Interface()); err != nil {
		switch t {
		case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime]():
			c.problem(n, p, "must be a time as RFC 3339 writes it, e.g. 2026-12-01T08:00:00Z")
		default:
			c.problem(n, p, err.Error())
		}
		return dst[:before], false
	}
	return dst, true
}

// customType is the type of a member that a struct has by a payload of the kind.
func (c *checker) customType(t reflect.Type, name string) (reflect.Type, bool) {
	if payload, ok := c.payloads.ByField(name); ok && t == jobSpec {
		return reflect.TypeOf(payload.New()), true
	}
	return reflect.TypeFor[v1.JSON](), t == failureRule && c.payloads.HasCriterion(name)
}

func (c *checker) structure(dst []byte, n *node, t reflect.Type, p *path) ([]byte, bool) {
	if n.kind != object {
		return c.wrong(dst, n, p, "a map")
	}
	known := c.types.of(t)
	return c.object(dst, n, func(dst []byte, m member) ([]byte, bool) {
		field, ok := known[m.name]
		if !ok {
			field, ok = c.customType(t, m.name)
		}
		if !ok {
			if !c.passUnknown {
				c.unknown(m, p.member(m.name), t, known)
			}
			return dst, false
		}
		before := c.found
		written, ok := c.value(dst, m.value, field, p.member(m.name))
		if len(c.found.found) > len(before.found) && slices.Contains(v1.UnsupportedFields(reflect.New(t).Interface()), m.name) {
			c.found = before // nobody has to mend a value that is refused whatever it is
			c.problem(m.value, p.member(m.name), "Forbidden: not supported yet")
		}
		return written, ok
	}), true
}

// unknown reports a member that is no field. A message costs a comparison with every field,
// so none is made that would only be counted.
func (c *checker) unknown(m member, at *path, t reflect.Type, known map[string]reflect.Type) {
	if c.found.full() {
		c.found.missed++
		return
	}
	c.found.add(Problem{Line: m.line, Column: m.column, Message: unknown(at, t, known)})
}
