package loosetest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// mark is where a page has ended.
type mark struct {
	Order           store.Order
	Namespace, Name string
	UID             string
	Submitted       int64
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	k, err := s.of(ctx, opts.Kind, store.ErrInvalid)
	if err != nil {
		return store.Page{}, err
	}
	if opts.Limit < 0 || opts.Order < store.ByName || opts.Order > store.OldestFirst {
		return store.Page{}, fmt.Errorf("list: %w: limit %d, order %d", store.ErrInvalid, opts.Limit, opts.Order)
	}
	var after mark
	if opts.Continue != "" {
		if err := json.Unmarshal([]byte(opts.Continue), &after); err != nil || after.Name == "" || after.Order != opts.Order {
			return store.Page{}, fmt.Errorf("list: %w: continue %q", store.ErrInvalid, opts.Continue)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var marks []mark
	for key, obj := range k.objects {
		m := mark{opts.Order, key.Namespace, key.Name, string(obj.GetUID()), v1.SubmittedAt(obj).UnixMilli()}
		if selects(opts, key, obj) && (opts.Continue == "" || compare(m, after) > 0) {
			marks = append(marks, m)
		}
	}
	slices.SortFunc(marks, compare)
	page := store.Page{ResourceVersion: k.version}
	if opts.Limit > 0 && len(marks) > opts.Limit {
		page.Remaining = int64(len(marks) - opts.Limit)
		marks = marks[:opts.Limit]
		token, err := json.Marshal(marks[len(marks)-1])
		if err != nil {
			return store.Page{}, err
		}
		page.Continue = string(token)
	}
	for _, m := range marks {
		page.Items = append(page.Items, record(k.objects[store.Key{Kind: opts.Kind, Namespace: m.Namespace, Name: m.Name}]))
	}
	return page, nil
}

// compare orders two marks of one order.
func compare(a, b mark) int {
	switch older := cmp.Or(cmp.Compare(a.Submitted, b.Submitted), cmp.Compare(a.UID, b.UID)); a.Order {
	case store.NewestFirst:
		return -older
	case store.OldestFirst:
		return older
	default:
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	}
}

func selects(opts store.ListOptions, key store.Key, obj v1.Object) bool {
	return (opts.Namespace == "" || key.Namespace == opts.Namespace) && (opts.Name == "" || key.Name == opts.Name) &&
		(opts.Labels == nil || opts.Labels.Matches(labels.Set(obj.GetLabels()))) &&
		(len(opts.Phases) == 0 || slices.Contains(opts.Phases, group(key, obj).Phase))
}

// group is the group in which an object is counted.
func group(key store.Key, obj v1.Object) store.Count {
	c := store.Count{Namespace: key.Namespace}
	if kind, ok := v1.Kinds().Of(obj); ok {
		c.Type, c.Phase = kind.Summary(obj)
	}
	return c
}

// Count implements store.Store.
func (s *Store) Count(ctx context.Context, name string) ([]store.Count, error) {
	k, err := s.of(ctx, name, store.ErrInvalid)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := map[store.Count]int{}
	for key, obj := range k.objects {
		n[group(key, obj)]++
	}
	var counts []store.Count
	for c, n := range n {
		c.N = n
		counts = append(counts, c)
	}
	return counts, nil
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error) {
	k, err := s.of(ctx, opts.Kind, store.ErrInvalid)
	if err != nil {
		return nil, err
	}
	return k.changes.Watch(opts)
}

// change is one change, an element of the ring.
type change struct {
	kind          store.EventType
	record        store.Record
	before, after labels.Set
}

// Key implements watchring.Change.
func (c *change) Key() store.Key { return c.record.Key() }

// Version implements watchring.Change.
func (c *change) Version() uint64 { return c.record.ResourceVersion() }

// Event implements watchring.Change.
func (c *change) Event() store.Event { return store.Event{Type: c.kind, Record: c.record} }

// Labels implements watchring.Change.
func (c *change) Labels() (before, after labels.Labels) { return c.before, c.after }

// Bytes implements watchring.Change.
func (c *change) Bytes() int { return c.record.Len() }

// Forget implements watchring.Change.
func (*change) Forget() {}
