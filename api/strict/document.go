package strict

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Document is one value of a text, with the place of everything in it.
type Document struct {
	root *node
	// base is where the document stands within a larger one.
	base *path
	// sound is set instead of root for JSON without problems, from which a tree is made
	// only if somebody asks.
	sound *sound
}

// sound is JSON that was checked without making a tree.
type sound struct {
	text []byte
	root *node
}

// node is the document's tree.
func (d Document) node() *node {
	if d.sound == nil {
		return d.root
	}
	if d.sound.root == nil {
		d.sound.root = parseJSON(d.sound.text).roots[0]
	}
	return d.sound.root
}

// parsed is the result of a parser.
type parsed struct {
	roots []*node
	found collector
	// broken tells that the text ends with an error of syntax.
	broken bool
}

// JSON reads text, which is exactly one JSON value. The error holds every problem; the
// document can be decoded in spite of it unless it is empty.
func JSON(text []byte) (Document, error) {
	text, err := decoded(text)
	if err != nil {
		return Document{}, err
	}
	if trimmed := bytes.TrimSpace(text); soundJSON(trimmed) {
		return Document{sound: &sound{text: trimmed}}, nil
	}
	return single(parseJSON(text))
}

// YAML reads text, which is exactly one document of YAML or JSON; as JSON otherwise.
func YAML(text []byte) (Document, error) {
	text, err := decoded(text)
	if err != nil {
		return Document{}, err
	}
	if trimmed := bytes.TrimSpace(text); bytes.HasPrefix(trimmed, []byte("{")) && soundJSON(trimmed) {
		return Document{sound: &sound{text: trimmed}}, nil
	}
	return single(parseEither(text))
}

// Documents reads all documents of text, which is YAML or JSON. Those that are empty but
// for comments are left out.
func Documents(text []byte) ([]Document, error) {
	text, err := decoded(text)
	if err != nil {
		return nil, err
	}
	r := parseEither(text)
	var documents []Document
	for _, root := range r.roots {
		if root.kind != null {
			documents = append(documents, Document{root: root})
		}
	}
	return documents, r.found.err()
}

// decoded is text without a byte order mark; it is refused unless it is UTF-8.
func decoded(text []byte) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if utf8.Valid(text) {
		return text, nil
	}
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	before := text[:at]
	p := Problem{
		Line: 1 + bytes.Count(before, []byte("\n")), Column: at - bytes.LastIndexByte(before, '\n'),
		Message: fmt.Sprintf("the text is not UTF-8: byte 0x%02x", text[at]),
	}
	return nil, Problems{p}
}

// parseEither takes text for JSON if it begins like JSON and is, and for YAML otherwise:
// YAML's flow style begins like JSON, and not all JSON is YAML (\ud83d\ude00).
func parseEither(text []byte) parsed {
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return parseYAML(text)
	}
	inJSON := parseJSON(text)
	if !inJSON.broken {
		return inJSON
	}
	if inYAML := parseYAML(text); !inYAML.broken || !meantAsJSON(trimmed) {
		return inYAML
	}
	return inJSON
}

// inOneLine reports whether lines say nothing about where something stands in text.
func inOneLine(text []byte) bool { return bytes.IndexByte(bytes.TrimSpace(text), '\n') < 0 }

// meantAsJSON reports whether a text that begins with a bracket was meant to be JSON: a
// quote or another bracket follows.
func meantAsJSON(text []byte) bool {
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	return len(rest) == 0 || bytes.IndexByte([]byte(`"{}[]`), rest[0]) >= 0
}

// single returns the only document of a text.
func single(r parsed) (Document, error) {
	if len(r.roots) > 1 {
		second := r.roots[1]
		r.found.add(Problem{Line: second.line, Column: second.column, Message: "a second document begins here; only one is read"})
	}
	if len(r.roots) == 0 {
		return Document{root: &node{kind: null, raw: []byte("null")}}, r.found.err()
	}
	return Document{root: r.roots[0]}, r.found.err()
}

// Empty reports whether there is nothing but comments, or null.
func (d Document) Empty() bool {
	if d.sound != nil {
		return string(d.sound.text) == "null"
	}
	return d.root == nil || d.root.kind == null
}

// Line is where the document begins.
func (d Document) Line() int { return d.node().line }

// LineOf is the line of the field with a path, or of the last one on the way to it that is
// there.
func (d Document) LineOf(field string) int {
	line, _ := d.find(field)
	return line
}

// Text is the member called name, if it is a string.
func (d Document) Text(name string) string {
	s, _ := d.node().get(name).string()
	return s
}

// Items are the values in the list that is the member called name.
func (d Document) Items(name string) []Document {
	at := d.node().get(name)
	if at == nil || at.kind != list {
		return nil
	}
	items := make([]Document, len(at.items))
	for i, item := range at.items {
		items[i] = Document{root: item, base: d.base.member(name).item(i)}
	}
	return items
}

// Unmarshal reads text, one document of YAML or JSON, into the value that into points to.
// The error holds every problem; what has none is decoded in spite of it.
func Unmarshal(text []byte, into any) error {
	d, err := YAML(text)
	if d.root == nil && d.sound == nil {
		return err
	}
	return Join(err, d.Decode(into))
}
