package file

// cursor walks over a tree that is not changed meanwhile.
type cursor struct {
	path []step
}

type step struct {
	node *node
	i    int
}

// from positions a cursor before the first entry that is not less than e; nil: before
// the first of all.
func (t *tree) from(e *entry) *cursor {
	c := &cursor{path: make([]step, 0, 4)}
	for n := t.root; n != nil; {
		i := 0
		if e != nil {
			if n.children != nil {
				i = t.childOf(n, e)
			} else {
				i, _ = t.search(n, e)
			}
		}
		c.path = append(c.path, step{n, i})
		if n.children == nil {
			break
		}
		n = n.children[i]
	}
	return c
}

// end positions a cursor behind the last entry.
func (t *tree) end() *cursor {
	c := &cursor{path: make([]step, 0, 4)}
	for n := t.root; n != nil; {
		if n.children == nil {
			c.path = append(c.path, step{n, len(n.items)})
			break
		}
		c.path = append(c.path, step{n, len(n.children) - 1})
		n = n.children[len(n.children)-1]
	}
	return c
}

// next returns the entry behind the cursor and steps over it; nil at the end.
func (c *cursor) next() *entry {
	for len(c.path) > 0 {
		leaf := &c.path[len(c.path)-1]
		if leaf.i < len(leaf.node.items) {
			e := leaf.node.items[leaf.i]
			leaf.i++
			return e
		}
		if !c.sibling(+1) {
			return nil
		}
	}
	return nil
}

// previous returns the entry before the cursor and steps over it; nil at the start.
func (c *cursor) previous() *entry {
	for len(c.path) > 0 {
		leaf := &c.path[len(c.path)-1]
		if leaf.i > 0 {
			leaf.i--
			return leaf.node.items[leaf.i]
		}
		if !c.sibling(-1) {
			return nil
		}
	}
	return nil
}

// sibling moves to the leaf after or before the current one.
func (c *cursor) sibling(direction int) bool {
	depth := len(c.path) - 2
	for ; depth >= 0; depth-- {
		s := &c.path[depth]
		if i := s.i + direction; i >= 0 && i < len(s.node.children) {
			s.i = i
			break
		}
	}
	if depth < 0 {
		return false
	}
	for level := depth; level < len(c.path)-1; level++ {
		child := c.path[level].node.children[c.path[level].i]
		at := 0
		if direction < 0 {
			at = len(child.items)
			if child.children != nil {
				at = len(child.children) - 1
			}
		}
		c.path[level+1] = step{child, at}
	}
	return true
}
