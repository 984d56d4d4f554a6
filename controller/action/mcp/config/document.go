package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

const (
	// maxFile bounds a file; the largest of real ones has 40 KiB.
	maxFile = 1 << 20
	// maxDepth bounds how deep a file is nested; a server's keys need 6 levels.
	maxDepth = 64
	// maxServers bounds how many servers a file has, and with them the series of metrics.
	maxServers = 500
)

// document is a file as it was read, for the lines of what is found in it.
type document struct {
	root  node
	lines []int // where each begins
}

// node is a value of the document.
type node struct {
	doc   *document
	path  string
	value hujson.Value
}

// member is one key of an object.
type member struct {
	name string
	node node // with the line of the key
	line int
}

// parse reads JSON with comments and trailing commas.
func parse(text []byte) (*document, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8; save it in that encoding")
	}
	if line := tooDeep(text); line > 0 {
		return nil, fmt.Errorf("line %d: it is nested more than %d levels deep", line, maxDepth)
	}
	value, err := hujson.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s; the file must be JSON, in which comments and trailing commas are allowed", strings.TrimPrefix(err.Error(), "hujson: ")) // with line and column
	}
	d := &document{lines: []int{0}}
	for i, b := range text {
		if b == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	d.root = node{doc: d, value: value}
	return d, nil
}

// tooDeep is the line at which brackets are nested too deep; 0: nowhere.
func tooDeep(text []byte) (line int) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '/':
			end := remark(text[i:])
			if end < 0 {
				return 0
			}
			i += end
		case '{', '[':
			if depth++; depth > maxDepth {
				return 1 + bytes.Count(text[:i], []byte("\n"))
			}
		case '}', ']':
			depth--
		}
	}
	return 0
}

// remark is where a remark that may begin a text ends, its last byte; 0: none begins
// there, -1: it has no end.
func remark(text []byte) int {
	switch {
	case bytes.HasPrefix(text, []byte("//")):
		return bytes.IndexByte(text, '\n')
	case bytes.HasPrefix(text, []byte("/*")):
		end := bytes.Index(text[2:], []byte("*/"))
		if end < 0 {
			return -1
		}
		return end + 3
	}
	return 0
}

func (n node) line() int {
	i, found := slices.BinarySearch(n.doc.lines, n.value.StartOffset)
	if found {
		return i + 1
	}
	return i
}

// kind is what a value is, in words.
func (n node) kind() string {
	switch n.value.Value.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "a boolean"
}

// object is a value's members; of a key that stands there twice, both.
func (n node) object() ([]member, bool) {
	object, ok := n.value.Value.(*hujson.Object)
	if !ok {
		return nil, false
	}
	members := make([]member, 0, len(object.Members))
	for _, m := range object.Members {
		name, ok := m.Name.Value.(hujson.Literal)
		if !ok {
			continue
		}
		key := node{doc: n.doc, value: m.Name}
		members = append(members, member{name.String(), node{n.doc, join(n.path, name.String()), m.Value}, key.line()})
	}
	return members, true
}

// get is a member by its name; with several, the last, as decoders have it.
func (n node) get(name string) (node, bool) {
	members, _ := n.object()
	for _, m := range slices.Backward(members) {
		if m.name == name {
			return m.node, true
		}
	}
	return node{}, false
}

func (n node) list() ([]node, bool) {
	array, ok := n.value.Value.(*hujson.Array)
	if !ok {
		return nil, false
	}
	elements := make([]node, 0, len(array.Elements))
	for i, element := range array.Elements {
		elements = append(elements, node{n.doc, fmt.Sprintf("%s[%d]", n.path, i), element})
	}
	return elements, true
}

// text is a string's text.
func (n node) text() (string, bool) {
	literal, ok := n.value.Value.(hujson.Literal)
	if !ok || literal.Kind() != '"' {
		return "", false
	}
	return literal.String(), true
}

// scalar is a string's text, or a number or boolean as it was written.
func (n node) scalar() (string, bool) {
	literal, ok := n.value.Value.(hujson.Literal)
	if !ok || literal.Kind() == 'n' {
		return "", false
	}
	return literal.String(), true
}

func (n node) boolean() (value, ok bool) {
	literal, ok := n.value.Value.(hujson.Literal)
	if !ok || literal.Kind() != 't' && literal.Kind() != 'f' {
		return false, false
	}
	return literal.Bool(), true
}

func (n node) integer() (int, bool) {
	literal, ok := n.value.Value.(hujson.Literal)
	if !ok || literal.Kind() != '0' {
		return 0, false
	}
	value, err := strconv.Atoi(string(literal))
	return value, err == nil
}

// maxKey bounds how much of a key a message repeats.
const maxKey = 100

// join is the path of a member.
func join(path, name string) string {
	if len(name) > maxKey {
		name = strings.ToValidUTF8(name[:maxKey], "") + "…"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}
