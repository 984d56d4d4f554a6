package file

import (
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

func newQuery(kinds v1.KindSet, opts store.ListOptions) (*query, error) {
	q := &query{ListOptions: opts}
	if _, ok := kinds.ByName(opts.Kind); !ok {
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
