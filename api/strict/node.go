package strict

import (
	"fmt"
	"math"
)

// kind is the type of a node.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	object
	// doubtful is a plain YAML scalar that readers disagree about or JSON cannot write.
	doubtful
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "a map", "a scalar"}[k]
}

// node is one value of a document. Several parents may share a node: an alias costs
// nothing until it is written out.
type node struct {
	kind         kind
	line, column int
	// raw is the JSON text of a scalar; of a doubtful one it is that of the boolean which
	// YAML 1.1 reads, or empty.
	raw []byte
	// plain is a doubtful scalar's text, or a plain YAML scalar's that is no string.
	plain string
	// advice says what is wrong with a doubtful scalar.
	advice  string
	items   []*node
	members []member
	// halves tells that a string within the node has half a surrogate pair. That is valid
	// JSON but no text, so only a field of any type keeps it.
	halves bool
	// size is the length of the node's JSON with all aliases written out, added is the part
	// of it that came from aliases, and depth is how deep maps and lists lie within. They
	// saturate.
	size, added, depth int
}

type member struct {
	name         string
	line, column int
	value        *node
}

// measure fills in what depends on the node's children.
func (n *node) measure() {
	n.size = len(n.raw) + len(n.plain) + 2
	for _, item := range n.items {
		n.grow(item, 1)
	}
	for i := range n.members {
		n.grow(n.members[i].value, len(n.members[i].name)+4)
	}
	if n.kind == list || n.kind == object {
		n.depth++
	}
}

func (n *node) grow(child *node, around int) {
	n.size = saturate(n.size, child.size+around)
	n.added = saturate(n.added, child.added)
	n.depth = max(n.depth, child.depth)
	n.halves = n.halves || child.halves
}

func saturate(a, b int) int {
	if a > math.MaxInt32 || b > math.MaxInt32 {
		return math.MaxInt32
	}
	return a + b
}

// get is the member called name, or nil.
func (n *node) get(name string) *node {
	for i := range n.members {
		if n.members[i].name == name {
			return n.members[i].value
		}
	}
	return nil
}

// string is the value of a text node.
func (n *node) string() (string, bool) {
	if n == nil || n.kind != text {
		return "", false
	}
	return unquote(n.raw), true
}

// keys finds names that occur twice. A few names are compared one by one, many through a map.
type keys struct {
	many map[string]int
}

// earlier is the index of the member called name among those before, or -1.
func (k *keys) earlier(members []member, name string) int {
	const few = 16
	if len(members) < few {
		for i := range members {
			if members[i].name == name {
				return i
			}
		}
		return -1
	}
	if k.many == nil {
		k.many = make(map[string]int, 4*few)
		for i := range members {
			k.many[members[i].name] = i
		}
	}
	if i, ok := k.many[name]; ok {
		return i
	}
	k.many[name] = len(members)
	return -1
}

// twice returns the message for a name that occurs twice in a map.
func twice(first member) string {
	message := fmt.Sprintf("the key %q is there twice", printable(first.name))
	if first.line > 0 {
		message += fmt.Sprintf("; the first is on line %d", first.line)
	}
	return message
}
