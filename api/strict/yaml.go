package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// yamlTree builds nodes from YAML nodes.
type yamlTree struct {
	found *collector
	// done holds the finished nodes of anchors, open the unfinished ones.
	done    map[*yaml.Node]*node
	open    map[*yaml.Node]bool
	merged  int
	oneLine bool
	trail   trail
}

// parseYAML reads every document of text.
func parseYAML(text []byte) parsed {
	var r parsed
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	for {
		var document yaml.Node
		if err == nil {
			err = loader.Load(&document)
		}
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			r.found.add(syntaxProblem(err, inOneLine(text)))
			r.broken = true
			return r
		}
		t := &yamlTree{oneLine: inOneLine(text), found: &r.found, done: map[*yaml.Node]*node{}, open: map[*yaml.Node]bool{}}
		root := t.node(&document)
		if message := t.exceeded(root); message != "" {
			r.found.add(Problem{Line: root.line, Column: root.column, Message: message})
			root = &node{kind: null, raw: []byte("null")}
		}
		r.roots = append(r.roots, root)
	}
}

// exceeded says which bound a document is beyond.
func (t *yamlTree) exceeded(root *node) string {
	switch {
	case root.depth > maxDepth:
		return fmt.Sprintf("maps and lists lie more than %d deep within each other", maxDepth)
	case root.added > maxAliased, t.merged > maxMerged:
		return fmt.Sprintf("aliases (*name) and merge keys (<<) may add at most %d bytes and %d members to a document, and add more", maxAliased, maxMerged)
	}
	return ""
}

func syntaxProblem(err error, oneLine bool) Problem {
	p := Problem{Message: "this is no YAML: " + err.Error()}
	load, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return p
	}
	p.Line, p.Column = load.Mark.Line, load.Mark.Column
	p.Message = "this is no YAML: " + load.Message
	if load.ContextMsg != "" {
		p.Message += " " + load.ContextMsg
		if load.ContextMark.Line > 0 && load.ContextMark.Line != p.Line {
			p.Message += fmt.Sprintf(" that begins on line %d", load.ContextMark.Line)
		}
	}
	switch {
	case strings.Contains(load.Message, "tab character"):
		p.Message += "; indent with spaces"
	case strings.Contains(load.Message, "mapping values are not allowed"):
		p.Message += "; text with a colon and a space has to be quoted"
	}
	if oneLine {
		p.Line = 0
	}
	return p
}

// at is the new node n at the place of y.
func (t *yamlTree) at(y *yaml.Node, n *node) *node {
	n.line, n.column = t.line(y), y.Column
	return n
}

func (t *yamlTree) line(y *yaml.Node) int {
	if t.oneLine {
		return 0
	}
	return y.Line
}

func (t *yamlTree) problem(y *yaml.Node, message string) {
	t.found.add(Problem{Line: t.line(y), Column: y.Column, Path: t.trail.String(), Message: message})
}

func (t *yamlTree) node(y *yaml.Node) *node {
	if y.Kind == yaml.AliasNode {
		return t.alias(y)
	}
	if n, ok := t.done[y]; ok {
		return n
	}
	if y.Anchor != "" {
		t.open[y] = true
		defer delete(t.open, y)
	}
	n := t.build(y)
	n.measure()
	if y.Anchor != "" {
		t.done[y] = n
	}
	return n
}

func (t *yamlTree) build(y *yaml.Node) *node {
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) > 0 {
			return t.node(y.Content[0])
		}
	case yaml.MappingNode:
		t.collectionTag(y, "!!map")
		n := t.at(y, &node{kind: object})
		t.members(n, y)
		return n
	case yaml.SequenceNode:
		t.collectionTag(y, "!!seq")
		n := t.at(y, &node{kind: list})
		for i, item := range y.Content {
			t.trail.push("", i)
			n.items = append(n.items, t.node(item))
			t.trail.pop()
		}
		return n
	case yaml.ScalarNode:
		n, message := scalar(y)
		if message != "" {
			t.problem(y, message)
		}
		return t.at(y, n)
	default: // an alias is built before, a stream is not asked for
	}
	return t.at(y, &node{kind: null, raw: []byte("null")})
}

func (t *yamlTree) collectionTag(y *yaml.Node, want string) {
	if tag := y.ShortTag(); y.Style&yaml.TaggedStyle != 0 && tag != want && tag != "!" {
		t.problem(y, fmt.Sprintf("the tag %s is not supported: leave it out", printable(tag)))
	}
}

// alias is the node that y names, counted as added.
func (t *yamlTree) alias(y *yaml.Node) *node {
	if t.open[y.Alias] {
		t.problem(y, fmt.Sprintf("the alias *%s stands within what it names", printable(y.Value)))
		return t.at(y, &node{kind: null, raw: []byte("null"), size: 4})
	}
	shared := *t.node(y.Alias)
	shared.added = shared.size
	return &shared
}

func (t *yamlTree) members(n *node, y *yaml.Node) {
	var seen keys
	var merges []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if isMerge(key) {
			merges = append(merges, value)
			continue
		}
		name, ok := t.key(key)
		if !ok {
			continue
		}
		t.trail.push(name, -1)
		m := member{name: name, line: t.line(key), column: key.Column, value: t.node(value)}
		t.trail.pop()
		if j := seen.earlier(n.members, name); j >= 0 {
			t.problem(key, twice(n.members[j]))
			continue
		}
		n.members = append(n.members, m)
	}
	if len(merges) > 1 {
		t.problem(merges[1], "the key << is there twice; merge several maps with <<: [*a, *b]")
	}
	for _, source := range merges {
		t.merge(n, &seen, source)
	}
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && (key.Style == 0 || key.ShortTag() == "!!merge" && key.Style == yaml.TaggedStyle)
}

// key is the name that a key node stands for.
func (t *yamlTree) key(y *yaml.Node) (string, bool) {
	n := t.node(y)
	if n.kind == list || n.kind == object {
		t.problem(y, "a key must be text, not "+n.kind.String())
		return "", false
	}
	if message := keyProblem(n); message != "" {
		t.problem(y, message)
		return "", false
	}
	return n.string()
}

// merge adds what a merge key names and n does not have.
func (t *yamlTree) merge(n *node, seen *keys, source *yaml.Node) {
	from := t.node(source)
	maps := []*node{from}
	if from.kind == list {
		maps = from.items
	}
	for _, m := range maps {
		if m.kind != object {
			t.problem(source, "a merge key (<<) takes a map or a list of maps, not "+m.kind.String())
			return
		}
		if t.merged += len(m.members); t.merged > maxMerged {
			return
		}
		for _, one := range m.members {
			if seen.earlier(n.members, one.name) < 0 {
				shared := *one.value
				shared.added = saturate(shared.size, len(one.name)+4)
				one.value = &shared
				n.members = append(n.members, one)
			}
		}
	}
}
