package file

import (
	"bytes"
	"container/heap"
	"slices"

	"jobwright.dev/store"
)

// run returns the page's entries and whether there are more.
func (q *query) run(x *index) (found []*entry, more bool) {
	k := x.kinds[q.Kind]
	if q.Name != "" && q.Namespace != "" || q.Name != "" && len(k.spaces[label{}]) == 1 {
		return q.one(k)
	}
	limit := q.Limit
	if limit == 0 {
		limit = k.byName.length
	}
	var next func() *entry
	if q.Order == store.ByName {
		next = q.byName(k, limit)
	} else {
		next = q.byCreation(k)
	}
	for e := next(); e != nil; e = next() {
		if !q.matches(e) {
			continue
		}
		if len(found) == limit {
			return found, true
		}
		found = append(found, e)
	}
	return found, false
}

// one looks up the only object that the query can select.
func (q *query) one(k *kindIndex) ([]*entry, bool) {
	for namespace := range k.spaces[label{}] {
		if q.Namespace != "" {
			namespace = q.Namespace
		}
		e := k.byKey.Get(objectKey{namespace, q.Name})
		if e != nil && q.after == nil && q.matches(e) {
			return []*entry{e}, false
		}
		break
	}
	return nil, false
}

// byName walks in the order of names: over all of them, or, when that is cheaper,
// over the groups' entries sorted.
func (q *query) byName(k *kindIndex, limit int) func() *entry {
	trees, selected := q.groups(k)
	if selected == 0 {
		return func() *entry { return nil }
	}
	// A page of the tree costs limit × all ÷ selected steps; sorting costs selected ×
	// log(selected), about ten.
	all := k.byName.length
	if min(limit, selected)*(all/selected+1) > 10*selected {
		sorted := make([]*entry, 0, selected)
		for _, t := range trees {
			c := t.from(nil)
			for e := c.next(); e != nil; e = c.next() {
				if q.after == nil || byName(e, q.after) > 0 {
					sorted = append(sorted, e)
				}
			}
		}
		slices.SortFunc(sorted, byName)
		return func() (e *entry) {
			if len(sorted) > 0 {
				e, sorted = sorted[0], sorted[1:]
			}
			return e
		}
	}
	start := q.after
	if start == nil && q.Namespace != "" {
		start = &entry{class: &class{namespace: q.Namespace}}
	}
	c := k.byName.from(start)
	return func() *entry {
		e := c.next()
		if e != nil && q.after != nil && byName(e, q.after) == 0 {
			e = c.next()
		}
		if e != nil && q.Namespace != "" && e.class.namespace > q.Namespace {
			return nil
		}
		return e
	}
}

// byCreation walks in the order of uids, over the groups' trees merged.
func (q *query) byCreation(k *kindIndex) func() *entry {
	newest := q.Order == store.NewestFirst
	step := func(c *cursor) *entry {
		if newest {
			return c.previous()
		}
		return c.next()
	}
	seek := func(t *tree) (c *cursor, e *entry) {
		switch {
		case q.after != nil:
			c = t.from(q.after)
		case newest:
			c = t.end()
		default:
			c = t.from(nil)
		}
		if e = step(c); e != nil && q.after != nil && e.uid == q.after.uid {
			e = step(c)
		}
		return c, e
	}
	if q.Namespace == "" && len(q.Phases) == 0 && len(q.required) == 0 {
		c, e := seek(k.byUID)
		return func() *entry {
			result := e
			if e != nil {
				e = step(c)
			}
			return result
		}
	}
	trees, _ := q.groups(k)
	m := merge{newest: newest, step: step}
	for _, t := range trees {
		if c, e := seek(t); e != nil {
			m.heads = append(m.heads, head{c, e})
		}
	}
	heap.Init(&m)
	return m.next
}

// merge walks over several trees at once: a heap.Interface whose least head is next.
type merge struct {
	newest bool
	step   func(*cursor) *entry
	heads  []head
}

type head struct {
	c *cursor
	e *entry
}

// Len implements heap.Interface.
func (m *merge) Len() int { return len(m.heads) }

// Less implements heap.Interface.
func (m *merge) Less(i, j int) bool {
	c := bytes.Compare(m.heads[i].e.uid[:], m.heads[j].e.uid[:])
	if m.newest {
		return c > 0
	}
	return c < 0
}

// Swap implements heap.Interface.
func (m *merge) Swap(i, j int) { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }

// Push implements heap.Interface.
func (m *merge) Push(x any) { m.heads = append(m.heads, x.(head)) }

// Pop implements heap.Interface.
func (m *merge) Pop() any {
	last := len(m.heads) - 1
	h := m.heads[last]
	m.heads = m.heads[:last]
	return h
}

// next returns the next entry of all; nil: there is none.
func (m *merge) next() *entry {
	if len(m.heads) == 0 {
		return nil
	}
	top := &m.heads[0]
	result := top.e
	if top.e = m.step(top.c); top.e == nil {
		heap.Pop(m)
	} else {
		heap.Fix(m, 0)
	}
	return result
}
