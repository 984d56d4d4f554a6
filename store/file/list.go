package file

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// position is where a page has ended, as the continue token carries it.
type position struct {
	Order     store.Order `json:"o"`
	UID       string      `json:"u,omitempty"`
	Namespace string      `json:"n,omitempty"`
	Name      string      `json:"m,omitempty"`
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := s.list(ctx, opts)
	if err != nil {
		return store.Page{}, fmt.Errorf("list %s: %w", opts.Kind, err)
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, opts store.ListOptions) (page store.Page, err error) {
	if err := s.ready(ctx); err != nil {
		return page, err
	}
	q, err := newQuery(opts)
	if err != nil {
		return page, err
	}
	set := s.sources.acquire()
	defer s.sources.release(set)
	s.mu.RLock()
	found, more := q.run(s.index)
	page.ResourceVersion = s.visible
	page.Remaining = -1
	switch total, exact := q.total(s.index); {
	case !more:
		page.Remaining = 0
	case exact && q.after == nil:
		page.Remaining = int64(total - len(found))
	}
	s.mu.RUnlock()

	page.Items = make([]store.Record, 0, len(found))
	for i, e := range found {
		if i%1024 == 1023 && ctx.Err() != nil {
			return store.Page{}, ctx.Err()
		}
		encoding, err := s.sources.read(set, e)
		if err != nil {
			return store.Page{}, err
		}
		page.Items = append(page.Items, e.record(encoding))
	}
	if more {
		page.Continue = token(opts.Order, found[len(found)-1])
	}
	return page, nil
}

// token is the continue token of a page that ends with e.
func token(order store.Order, e *entry) string {
	p := position{Order: order}
	if order == store.ByName {
		p.Namespace, p.Name = e.class.namespace, e.name
	} else {
		p.UID = e.uid.String()
	}
	b, _ := json.Marshal(p) // strings and a number
	return base64.RawURLEncoding.EncodeToString(b)
}

// query is a list that was asked for.
type query struct {
	store.ListOptions
	// after is an entry at the position where the page before has ended; nil: none.
	after *entry
	// required are the labels that the selector asks for with one value.
	required []label
	// residual: the selector must be applied to what the groups hold.
	residual bool
}

func newQuery(opts store.ListOptions) (*query, error) {
	q := &query{ListOptions: opts}
	if _, ok := v1.KindByName(opts.Kind); !ok {
		return nil, fmt.Errorf("%w: unknown kind %q", store.ErrInvalid, opts.Kind)
	}
	if opts.Limit < 0 {
		return nil, fmt.Errorf("%w: the limit is %d", store.ErrInvalid, opts.Limit)
	}
	if opts.Order < store.ByName || opts.Order > store.OldestFirst {
		return nil, fmt.Errorf("%w: unknown order %d", store.ErrInvalid, opts.Order)
	}
	q.Phases = slices.Compact(slices.Sorted(slices.Values(opts.Phases)))
	q.require(opts.Labels)
	if opts.Continue == "" {
		return q, nil
	}
	var p position
	raw, err := base64.RawURLEncoding.DecodeString(opts.Continue)
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err == nil && p.Order != opts.Order {
		err = errors.New("it is of a list in another order")
	}
	q.after = &entry{class: &class{namespace: p.Namespace}, name: p.Name}
	if err == nil && opts.Order != store.ByName {
		q.after.uid, err = uuid.Parse(p.UID)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: continue token %q: %w", store.ErrInvalid, opts.Continue, err)
	}
	return q, nil
}

// require finds the labels that the selector asks for with one value.
func (q *query) require(selector labels.Selector) {
	if selector == nil || selector.Empty() {
		q.Labels = nil
		return
	}
	requirements, selectable := selector.Requirements()
	if !selectable {
		q.residual = true
		return
	}
	for _, r := range requirements {
		values := r.Values()
		switch r.Operator() {
		case selection.Equals, selection.DoubleEquals, selection.In:
			if len(values) == 1 {
				q.required = append(q.required, label{r.Key(), values.UnsortedList()[0]})
				continue
			}
		default: // checked on each record
		}
		q.residual = true
	}
	q.residual = q.residual || len(q.required) > 1
}

// matches reports whether the query selects e.
func (q *query) matches(e *entry) bool {
	return (q.Namespace == "" || e.class.namespace == q.Namespace) &&
		(q.Name == "" || e.name == q.Name) &&
		(len(q.Phases) == 0 || slices.Contains(q.Phases, e.class.phase)) &&
		(q.Labels == nil || q.Labels.Matches(e.labels))
}

// groups are trees that together hold every entry the query selects, and, unless
// residual, no other; the ones of the rarest required label.
func (q *query) groups(k *kindIndex) (trees []*tree, total int) {
	candidates := q.required
	if len(candidates) == 0 {
		candidates = []label{{}}
	}
	for i, l := range candidates {
		t, n := q.groupsOf(k, l)
		if i == 0 || n < total {
			trees, total = t, n
		}
	}
	return trees, total
}

func (q *query) groupsOf(k *kindIndex, l label) (trees []*tree, total int) {
	phases := q.Phases
	if len(phases) == 0 {
		phases = slices.Collect(maps.Keys(k.phases))
	}
	of := func(namespace string) {
		for _, phase := range phases {
			if t := k.groups[group{namespace, phase, l}]; t != nil {
				trees = append(trees, t)
				total += t.length
			}
		}
	}
	if q.Namespace != "" {
		of(q.Namespace)
		return trees, total
	}
	for namespace := range k.spaces[l] {
		of(namespace)
	}
	return trees, total
}

// total is how many entries the query selects; false when they would have to be
// counted one by one.
func (q *query) total(x *index) (int, bool) {
	if q.residual || q.Name != "" {
		return 0, false
	}
	_, n := q.groups(x.kinds[q.Kind])
	return n, true
}

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
			m.push(head{c, e})
		}
	}
	return m.next
}

// merge walks over several trees at once; a heap tells which is next.
type merge struct {
	newest bool
	step   func(*cursor) *entry
	heads  []head
}

type head struct {
	c *cursor
	e *entry
}

func (m *merge) before(i, j int) bool {
	c := bytes.Compare(m.heads[i].e.uid[:], m.heads[j].e.uid[:])
	if m.newest {
		return c > 0
	}
	return c < 0
}

func (m *merge) push(h head) {
	m.heads = append(m.heads, h)
	for i := len(m.heads) - 1; i > 0; {
		parent := (i - 1) / 2
		if !m.before(i, parent) {
			return
		}
		m.heads[i], m.heads[parent] = m.heads[parent], m.heads[i]
		i = parent
	}
}

func (m *merge) next() *entry {
	if len(m.heads) == 0 {
		return nil
	}
	top := &m.heads[0]
	result := top.e
	if top.e = m.step(top.c); top.e == nil {
		last := len(m.heads) - 1
		m.heads[0] = m.heads[last]
		m.heads = m.heads[:last]
	}
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(m.heads) {
			return result
		}
		if child+1 < len(m.heads) && m.before(child+1, child) {
			child++
		}
		if !m.before(child, i) {
			return result
		}
		m.heads[child], m.heads[i] = m.heads[i], m.heads[child]
		i = child
	}
}
