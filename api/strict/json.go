package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonTree builds nodes from JSON text.
type jsonTree struct {
	text    []byte
	decoder *jsontext.Decoder
	found   *collector
	// at, line and start are the offset up to which lines were counted, the line there and
	// where it starts.
	at, line, start int
	oneLine         bool
	trail           trail
	slab            []node
}

// parseJSON reads every value of text, which stand behind each other.
func parseJSON(text []byte) parsed {
	var r parsed
	t := &jsonTree{
		text: text, found: &r.found, line: 1, oneLine: inOneLine(text),
		// Names that stand twice are reported here, all of them. That the text is UTF-8 was
		// checked; what is left are halves of surrogate pairs.
		decoder: jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
	}
	for {
		root, err := t.value()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return r
		}
		if err != nil {
			r.found.add(t.problem(err))
			r.broken = true
			return r
		}
		r.roots = append(r.roots, root)
	}
}

// soundJSON reports whether text is one JSON value without any problem of its own. It
// makes no tree, so it takes a third of the time.
func soundJSON(text []byte) bool {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text)) // it refuses names that stand twice
	if !bounded(text) || decoder.SkipValue() != nil {
		return false
	}
	return decoder.InputOffset() == int64(len(text))
}

// bounded reports whether JSON is within the bounds of depth and of a number's length.
func bounded(text []byte) bool {
	depth, run := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			run = 0
		case '{', '[':
			depth++
			run = 0
		case '}', ']':
			depth--
			run = 0
		case ',', ':', ' ', '\n', '\t', '\r':
			run = 0
		default:
			run++
		}
		if depth > maxDepth || run > maxNumber {
			return false
		}
	}
	return true
}

// problem is a syntax error with its line.
func (t *jsonTree) problem(err error) Problem {
	if p, ok := errors.AsType[Problems](err); ok {
		return p[0]
	}
	p := Problem{Message: "this is no JSON: " + err.Error()}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		t.at, t.line, t.start = 0, 1, 0
		p.Line, p.Column = t.position(min(int(syntax.ByteOffset), len(t.text)))
		p.Message = "this is no JSON: " + syntax.Err.Error()
		if errors.Is(syntax.Err, io.ErrUnexpectedEOF) {
			p.Message = "this is no JSON: the text ends too soon"
		}
	}
	return p
}

// position is the line and column of an offset, which never falls. The only line has no
// number: a body is no file whose lines an author counts.
func (t *jsonTree) position(offset int) (line, column int) {
	passed := t.text[t.at:max(offset, t.at)]
	if n := bytes.Count(passed, []byte("\n")); n > 0 {
		t.line += n
		t.start = t.at + bytes.LastIndexByte(passed, '\n') + 1
	}
	t.at = max(offset, t.at)
	if t.oneLine {
		return 0, offset + 1
	}
	return t.line, offset - t.start + 1
}

// next is the offset of the next token.
func (t *jsonTree) next() int {
	at := int(t.decoder.InputOffset())
	for at < len(t.text) && bytes.IndexByte([]byte(" \t\r\n,:"), t.text[at]) >= 0 {
		at++
	}
	return at
}

// node is a new node. Most texts are small, so the first ones are made a few at once.
func (t *jsonTree) node() *node {
	if len(t.slab) == 0 {
		t.slab = make([]node, 16)
	}
	n := &t.slab[0]
	t.slab = t.slab[1:]
	return n
}

func (t *jsonTree) value() (*node, error) {
	n := t.node()
	first := t.decoder.PeekKind()
	n.line, n.column = t.position(t.next())
	var err error
	switch first {
	case '{':
		n.kind = object
		err = t.within(n, func() error { return t.members(n) })
	case '[':
		n.kind = list
		err = t.within(n, func() error { return t.items(n) })
	default:
		err = t.scalar(n, first)
	}
	n.measure()
	return n, err
}

// within reads what stands between two brackets.
func (t *jsonTree) within(n *node, read func() error) error {
	if len(t.trail) >= maxDepth {
		return Problems{{Line: n.line, Column: n.column, Message: fmt.Sprintf("maps and lists lie more than %d deep within each other", maxDepth)}}
	}
	if _, err := t.decoder.ReadToken(); err != nil {
		return err
	}
	if err := read(); err != nil {
		return err
	}
	_, err := t.decoder.ReadToken()
	return unexpected(err)
}

// unexpected is err where an end of the text is one within a value.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // the decoder returns it bare
		return io.ErrUnexpectedEOF
	}
	return err
}

func (t *jsonTree) members(n *node) error {
	var seen keys
	for t.decoder.PeekKind() != '}' {
		m := member{}
		start := t.next()
		m.line, m.column = t.position(start)
		name, err := t.decoder.ReadToken()
		if err != nil {
			return unexpected(err)
		}
		if name.Kind() != '"' {
			return fmt.Errorf("a %v where a key is expected", name.Kind())
		}
		m.name = name.String()
		if halfPair(t.text[start:t.decoder.InputOffset()]) {
			t.found.add(Problem{Line: m.line, Column: m.column, Path: t.trail.String(), Message: fmt.Sprintf("the key %q: %s", printable(m.name), half)})
		}
		t.trail.push(m.name, -1)
		if m.value, err = t.value(); err != nil {
			return unexpected(err)
		}
		t.trail.pop()
		if i := seen.earlier(n.members, m.name); i >= 0 {
			t.found.add(Problem{Line: m.line, Column: m.column, Path: t.trail.String(), Message: twice(n.members[i])})
			continue
		}
		if n.members == nil {
			n.members = make([]member, 0, 4)
		}
		n.members = append(n.members, m)
	}
	return nil
}

func (t *jsonTree) items(n *node) error {
	for t.decoder.PeekKind() != ']' {
		t.trail.push("", len(n.items))
		item, err := t.value()
		if err != nil {
			return unexpected(err)
		}
		t.trail.pop()
		n.items = append(n.items, item)
	}
	return nil
}

func (t *jsonTree) scalar(n *node, first jsontext.Kind) error {
	value, err := t.decoder.ReadValue()
	if err != nil {
		return err
	}
	end := int(t.decoder.InputOffset())
	n.raw = t.text[end-len(value) : end]
	switch first {
	case 'n':
		n.kind = null
	case 't', 'f':
		n.kind = boolean
	case '0':
		n.kind = number
		if len(n.raw) > maxNumber {
			t.found.add(Problem{Line: n.line, Column: n.column, Path: t.trail.String(), Message: tooLong(len(n.raw))})
			n.kind, n.raw = null, []byte("null")
		}
	default:
		n.kind = text
		n.halves = halfPair(n.raw)
	}
	return nil
}

// halfPair reports whether a JSON string has one half of a surrogate pair without the
// other.
func halfPair(raw []byte) bool {
	for i := bytes.IndexByte(raw, '\\'); i >= 0 && i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if i++; raw[i] != 'u' {
			continue
		}
		switch high, low := surrogate(raw[i-1:]), surrogate(raw[min(i+5, len(raw)):]); {
		case high >= 0xd800 && high < 0xdc00 && low >= 0xdc00:
			i += 10
		case high >= 0xd800:
			return true
		default:
			i += 4
		}
	}
	return false
}

// surrogate is the half that an escape at the start of raw stands for; 0: none.
func surrogate(raw []byte) int64 {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0
	}
	half, err := strconv.ParseInt(string(raw[2:6]), 16, 32)
	if err != nil || half < 0xd800 || half > 0xdfff {
		return 0
	}
	return half
}

// half is the message for half a surrogate pair in a text.
const half = "has half a surrogate pair (\\ud800 to \\udfff), which is no character"

func tooLong(length int) string {
	return "a number of " + strconv.Itoa(length) + " characters; at most " + strconv.Itoa(maxNumber) + " are read: quote it if it is text"
}

// unquote is the value of a valid JSON string.
func unquote(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	value, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return string(inner) // raw is valid where it comes from
	}
	return string(value)
}

// quote is s as a JSON string.
func quote(s string) []byte { return appendQuoted(make([]byte, 0, len(s)+2), s) }

// appendQuoted appends s, which is valid UTF-8, as a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	quoted, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		quoted, _ = jsontext.AppendQuote(dst, strings.ToValidUTF8(s, string(utf8.RuneError)))
	}
	return quoted
}
