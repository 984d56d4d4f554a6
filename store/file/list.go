package file

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

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
	q, err := newQuery(s.kinds, opts)
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
