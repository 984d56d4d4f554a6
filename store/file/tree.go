package file

import "slices"

// maxItems is how many items a node of a tree holds: 64 pointers are eight cache
// lines, and three levels hold a quarter of a million entries.
const maxItems = 64

// tree is an ordered set of entries: a B+ tree whose nodes are copied when they are
// changed after a clone, so that a clone costs nothing and stays as it is for ever.
// Nodes that lose items are not merged; an empty one is removed.
type tree struct {
	compare func(a, b *entry) int
	root    *node
	length  int
	owner   *owner
	// finger is the leaf of the last insertion, and below the item at which it ends; nil: at
	// the end.
	// What is put close to the last goes there without a descent, which with a million
	// entries means twenty that have to be fetched from memory.
	finger *node
	below  *entry
}

// owner marks the nodes that one tree may change in place.
type owner struct{ _ byte }

// node is a leaf (items alone) or holds children; items[i] then is not greater than
// any item below children[i], and greater than all below children[i-1].
type node struct {
	owner    *owner
	items    []*entry
	children []*node
}

func newTree(compare func(a, b *entry) int) *tree {
	return &tree{compare: compare, owner: new(owner)}
}

// buildTree makes a tree of entries that are sorted already.
func buildTree(compare func(a, b *entry) int, sorted []*entry) *tree {
	t := newTree(compare)
	t.length = len(sorted)
	var level []*node
	for len(sorted) > 0 {
		n := min(len(sorted), maxItems)
		items := make([]*entry, n)
		copy(items, sorted)
		level = append(level, &node{owner: t.owner, items: items})
		sorted = sorted[n:]
	}
	for len(level) > 1 {
		var above []*node
		for len(level) > 0 {
			n := min(len(level), maxItems)
			inner := &node{owner: t.owner, children: append([]*node(nil), level[:n]...)}
			for _, child := range level[:n] {
				inner.items = append(inner.items, child.items[0])
			}
			above = append(above, inner)
			level = level[n:]
		}
		level = above
	}
	if len(level) == 1 {
		t.root = level[0]
	}
	return t
}

// clone returns a tree with the same entries; changes to either do not show in the
// other.
func (t *tree) clone() *tree {
	c := *t
	t.owner, c.owner = new(owner), new(owner)
	t.finger, c.finger = nil, nil
	return &c
}

// writable returns n, or a copy of it that t may change.
func (t *tree) writable(n *node) *node {
	if n.owner == t.owner {
		return n
	}
	c := &node{owner: t.owner, items: make([]*entry, len(n.items), max(cap(n.items), min(len(n.items)+1, maxItems)))}
	copy(c.items, n.items)
	if n.children != nil {
		c.children = make([]*node, len(n.children), len(n.children)+1)
		copy(c.children, n.children)
	}
	return c
}

// search finds the first item of n that is not less than e.
func (t *tree) search(n *node, e *entry) (i int, equal bool) {
	if len(n.items) > 0 {
		// Most entries come last: they are the newest.
		if c := t.compare(n.items[len(n.items)-1], e); c < 0 {
			return len(n.items), false
		}
	}
	low, high := 0, len(n.items)
	for low < high {
		middle := (low + high) / 2
		switch c := t.compare(n.items[middle], e); {
		case c == 0:
			return middle, true
		case c < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}

// childOf is the index of the child of n below which e belongs.
func (t *tree) childOf(n *node, e *entry) int {
	i, equal := t.search(n, e)
	if !equal && i > 0 {
		i--
	}
	return i
}

// put adds e, or replaces the entry that is equal to it.
func (t *tree) put(e *entry) {
	if t.root == nil {
		t.root = &node{owner: t.owner}
	}
	if t.putAtFinger(e) {
		return
	}
	t.root, t.finger = t.writable(t.root), nil
	if right := t.putBelow(t.root, e, nil); right != nil {
		left := t.root
		t.root = &node{owner: t.owner, items: []*entry{left.items[0], right.items[0]}, children: []*node{left, right}}
	}
}

// putAtFinger inserts e into the leaf of the last insertion if e sorts after that leaf's
// first item. A leaf owned by t has only owned ancestors, so no copy is needed on the way.
func (t *tree) putAtFinger(e *entry) bool {
	n := t.finger
	if n == nil || n.owner != t.owner || len(n.items) == 0 || len(n.items) == maxItems ||
		t.compare(n.items[0], e) >= 0 || t.below != nil && t.compare(e, t.below) >= 0 {
		return false
	}
	i, equal := t.search(n, e)
	if equal {
		n.items[i] = e
		return true
	}
	t.length++
	n.items = slices.Insert(n.items, i, e)
	return true
}

// putBelow puts e below n, which is writable and ends below an entry (nil: it does not),
// and returns the new right part of n when it had to be split.
func (t *tree) putBelow(n *node, e, below *entry) (right *node) {
	if n.children == nil {
		i, equal := t.search(n, e)
		if equal {
			n.items[i] = e
			return nil
		}
		t.length++
		n, i, right = t.room(n, i)
		n.items = slices.Insert(n.items, i, e)
		if right == nil {
			t.finger, t.below = n, below
		}
		return right
	}
	i := t.childOf(n, e)
	child := t.writable(n.children[i])
	n.children[i] = child
	if i+1 < len(n.items) {
		below = n.items[i+1]
	}
	half := t.putBelow(child, e, below)
	n.items[i] = child.items[0]
	if half == nil {
		return nil
	}
	n, i, right = t.room(n, i+1)
	n.items = append(n.items, nil)
	n.children = append(n.children, nil)
	copy(n.items[i+1:], n.items[i:])
	copy(n.children[i+1:], n.children[i:])
	n.items[i], n.children[i] = half.items[0], half
	return right
}

// room makes room for an item at i of n, which it splits when it is full: right is the
// new part, and at i of into is where the item goes. What comes in ascending order, or
// nearly so, fills its nodes: a node that is added to in its last quarter is split there.
func (t *tree) room(n *node, i int) (into *node, at int, right *node) {
	if len(n.items) < maxItems {
		return n, i, nil
	}
	cut := len(n.items) / 2
	if i >= len(n.items)*3/4 {
		cut = i
	}
	right = &node{owner: t.owner, items: append(make([]*entry, 0, maxItems/4), n.items[cut:]...)}
	clear(n.items[cut:])
	n.items = n.items[:cut]
	if n.children != nil {
		right.children = append(make([]*node, 0, maxItems/4), n.children[cut:]...)
		clear(n.children[cut:])
		n.children = n.children[:cut]
	}
	if i < cut {
		return n, i, right
	}
	return right, i - cut, right
}

// remove takes out the entry that is equal to e.
func (t *tree) remove(e *entry) {
	if t.root == nil {
		return
	}
	t.root, t.finger = t.writable(t.root), nil
	t.removeBelow(t.root, e)
	for t.root != nil && len(t.root.children) == 1 {
		t.root = t.root.children[0]
	}
	if len(t.root.items) == 0 {
		t.root = nil
	}
}

func (t *tree) removeBelow(n *node, e *entry) {
	if n.children == nil {
		if i, equal := t.search(n, e); equal {
			n.items = append(n.items[:i], n.items[i+1:]...)
			clear(n.items[len(n.items):cap(n.items)])
			t.length--
		}
		return
	}
	i := t.childOf(n, e)
	child := t.writable(n.children[i])
	n.children[i] = child
	t.removeBelow(child, e)
	if len(child.items) > 0 {
		n.items[i] = child.items[0]
		return
	}
	n.items = append(n.items[:i], n.items[i+1:]...)
	n.children = append(n.children[:i], n.children[i+1:]...)
}
