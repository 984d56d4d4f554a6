package strict

import (
	"fmt"
	"reflect"

	kjson "sigs.k8s.io/json"

	v1 "jobwright.dev/api/v1"
)

// Fast is implemented by types that decode compact JSON without reflection.
type Fast interface {
	// DecodeCompact decodes data, which is compact, into the empty receiver. It reports
	// whether all of data was known and of the right types; the receiver is spoilt if not.
	DecodeCompact(data []byte) bool
}

// Decode decodes the document into the value that into points to, which should be empty.
// The error is of type [Problems] and holds all of them; what has none is decoded in
// spite of it.
func (d Document) Decode(into any) error { return d.decode(into, checker{}) }

// DecodeKnown is Decode that passes unknown fields over, for files which several programs
// read.
func (d Document) DecodeKnown(into any) error { return d.decode(into, checker{passUnknown: true}) }

func (d Document) decode(into any, c checker) error {
	if d.fast(into) || !c.passUnknown && d.plain(into) {
		return nil
	}
	c.types = fieldsOf{}
	data := c.document(d, into)
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, into); err != nil {
		c.found.add(Problem{Line: d.node().line, Column: d.node().column, Path: d.base.String(), Message: err.Error()})
	}
	return c.found.err()
}

// fast decodes a document that has no problems at all, or nothing.
func (d Document) fast(into any) bool {
	target, ok := into.(Fast)
	if !ok {
		return false
	}
	value := reflect.ValueOf(into).Elem()
	before := reflect.New(value.Type()).Elem()
	before.Set(value)
	if d.sound != nil && decodeFields(target, d.sound.text) { // programs send compact JSON mostly
		return true
	}
	value.Set(before)
	root := d.node()
	if root.halves {
		return false
	}
	data, ok := root.appendJSON(make([]byte, 0, root.size))
	if ok && decodeFields(target, data) {
		return true
	}
	value.Set(before)
	return false
}

// decodeFields decodes compact JSON of which every member is a field: custom payloads are
// checked against the payloads of the kind.
func decodeFields(target Fast, data []byte) bool {
	if !target.DecodeCompact(data) {
		return false
	}
	job, ok := target.(*v1.Job)
	return !ok || !job.HasCustom()
}

// plain decodes JSON without any problem into a type without generated code, or nothing.
// It takes a third of the time that the checker takes, and knows no lines.
func (d Document) plain(into any) bool {
	if _, generated := into.(Fast); generated || d.sound == nil {
		return false
	}
	value := reflect.ValueOf(into).Elem()
	before := reflect.New(value.Type()).Elem()
	before.Set(value)
	problems, err := kjson.UnmarshalStrict(d.sound.text, into)
	if err == nil && len(problems) == 0 {
		return true
	}
	value.Set(before)
	return false
}

// appendJSON appends a node as compact JSON; false: JSON cannot write a part of the node.
func (n *node) appendJSON(dst []byte) ([]byte, bool) {
	var ok bool
	switch n.kind {
	case object:
		dst = append(dst, '{')
		for i := range n.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, n.members[i].name), ':')
			if dst, ok = n.members[i].value.appendJSON(dst); !ok {
				return dst, false
			}
		}
		return append(dst, '}'), true
	case list:
		dst = append(dst, '[')
		for i, item := range n.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, ok = item.appendJSON(dst); !ok {
				return dst, false
			}
		}
		return append(dst, ']'), true
	case doubtful:
		return dst, false
	default:
		return append(dst, n.raw...), true
	}
}

// JSON is the document as compact JSON.
func (d Document) JSON() ([]byte, error) {
	var c checker
	data, _ := c.free(nil, d.node(), d.base)
	return data, c.found.err()
}

// wrongType returns the message for a value of another type than the field's.
func wrongType(n *node, want string) string {
	message := fmt.Sprintf("must be %s, not %s", want, n.kind)
	if want == "a string" && n.plain != "" {
		message += fmt.Sprintf(": quote it: %q", printable(n.plain))
	}
	return message
}
