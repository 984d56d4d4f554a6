package storetest

import (
	"bytes"
	"cmp"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// Check reports every violation of the invariants in doc.go. Nothing may write to s
// meanwhile.
func Check(t *testing.T, s store.Store) {
	t.Helper()
	for _, kind := range v1.Kinds() {
		check(t, s, kind)
	}
}

func check(t *testing.T, s store.Store, kind v1.Kind) {
	t.Helper()
	ctx := t.Context()
	page, err := s.List(ctx, store.ListOptions{Kind: kind.Name})
	if err != nil {
		t.Errorf("check: list: %v", err)
		return
	}
	versions := map[uint64]store.Key{}
	counts := map[store.Count]int{}
	for i, r := range page.Items {
		if i > 0 && byName(page.Items[i-1], r) >= 0 {
			t.Errorf("check: %s comes before %s", page.Items[i-1].Key(), r.Key())
		}
		if other, taken := versions[r.ResourceVersion()]; taken || r.ResourceVersion() > page.ResourceVersion {
			t.Errorf("check: %s is at version %d, as %s is, in a list at %d", r.Key(), r.ResourceVersion(), other, page.ResourceVersion)
		}
		versions[r.ResourceVersion()] = r.Key()
		got, err := s.Get(ctx, r.Key())
		if err != nil || !equal(got, r) {
			t.Errorf("check: get %s differs from the list: %v", r.Key(), err)
		}
		counts[countOf(t, r)]++
	}
	checkCount(t, s, kind.Name, counts)
	checkFilters(t, s, kind.Name, page.Items)
}

func equal(a, b store.Record) bool {
	return a.Key() == b.Key() && a.UID() == b.UID() && a.ResourceVersion() == b.ResourceVersion() &&
		bytes.Equal(a.AppendJSON(nil), b.AppendJSON(nil))
}

// countOf is the group that r is counted in; it also compares the record with its
// encoding.
func countOf(t *testing.T, r store.Record) store.Count {
	t.Helper()
	obj, err := r.Object(v1.Kinds())
	if err != nil {
		t.Errorf("check: %v", err)
		return store.Count{}
	}
	created := obj.GetCreationTimestamp()
	if obj.GetUID() != r.UID() || store.KeyOf(obj) != r.Key() || obj.GetGeneration() < 1 || created.IsZero() {
		t.Errorf("check: the record of %s does not fit its encoding, or the encoding is not complete", r.Key())
	}
	c := store.Count{Namespace: obj.GetNamespace()}
	if job, ok := obj.(*v1.Job); ok {
		c.Type, c.Phase = job.Spec.Type, job.Status.Phase
	}
	return c
}

func checkCount(t *testing.T, s store.Store, kind string, want map[store.Count]int) {
	t.Helper()
	counts, err := s.Count(t.Context(), kind)
	if err != nil {
		t.Errorf("check: count: %v", err)
	}
	for _, c := range counts {
		n := c.N
		c.N = 0
		if n != want[c] || n == 0 {
			t.Errorf("check: count of %+v is %d, want %d", c, n, want[c])
		}
		delete(want, c)
	}
	for c, n := range want {
		t.Errorf("check: count of %+v is missing, want %d", c, n)
	}
}

// checkFilters compares lists with every filter and order with all, filtered and
// sorted here.
func checkFilters(t *testing.T, s store.Store, kind string, all []store.Record) {
	t.Helper()
	selectors := []string{"", "team=web", "team", "!team", "team in (web,api)", "team=web,tier=gold", "team!=web"}
	namespaces := []string{"", "acme", "none"}
	phases := [][]v1.JobPhase{nil, {v1.JobQueued}, {v1.JobSucceeded, v1.JobFailed}}
	if len(all) < 3 { // there is nothing to select from
		selectors, phases = selectors[:2], phases[:2]
	}
	submittedAt := map[store.Key]time.Time{}
	for _, r := range all {
		submittedAt[r.Key()] = submitted(t, r)
	}
	older := func(a, b store.Record) int {
		return cmp.Or(submittedAt[a.Key()].Compare(submittedAt[b.Key()]), cmp.Compare(a.UID(), b.UID()))
	}
	for _, text := range selectors {
		selector, err := labels.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, namespace := range namespaces {
			for _, in := range phases {
				for order, compare := range map[store.Order]func(a, b store.Record) int{
					store.ByName:      byName,
					store.OldestFirst: older,
					store.NewestFirst: func(a, b store.Record) int { return older(b, a) },
				} {
					opts := store.ListOptions{Kind: kind, Namespace: namespace, Labels: selector, Phases: in, Order: order}
					want := filter(all, opts)
					slices.SortStableFunc(want, compare)
					for _, limit := range []int{0, 2, 7} {
						opts.Limit = limit
						comparePages(t, s, opts, want)
					}
				}
			}
		}
	}
}

func filter(all []store.Record, opts store.ListOptions) (selected []store.Record) {
	for _, r := range all {
		obj, err := r.Object(v1.Kinds())
		if err != nil {
			continue
		}
		var phase v1.JobPhase
		if job, ok := obj.(*v1.Job); ok {
			phase = job.Status.Phase
		}
		if (opts.Namespace == "" || obj.GetNamespace() == opts.Namespace) &&
			(len(opts.Phases) == 0 || slices.Contains(opts.Phases, phase)) &&
			opts.Labels.Matches(labels.Set(obj.GetLabels())) {
			selected = append(selected, r)
		}
	}
	return selected
}

// comparePages reads a list page by page and compares it with the expected one.
func comparePages(t *testing.T, s store.Store, opts store.ListOptions, want []store.Record) {
	t.Helper()
	var got []store.Record
	for {
		page, err := s.List(t.Context(), opts)
		if err != nil {
			t.Errorf("check: list %+v: %v", opts, err)
			return
		}
		if opts.Limit > 0 && len(page.Items) > opts.Limit {
			t.Errorf("check: a page of %d, the limit is %d", len(page.Items), opts.Limit)
		}
		got = append(got, page.Items...)
		if rest := int64(len(want) - len(got)); page.Remaining != -1 && page.Remaining != rest {
			t.Errorf("check: list %+v: %d remain, it says %d", opts, rest, page.Remaining)
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			break
		}
	}
	if !slices.EqualFunc(got, want, equal) {
		t.Errorf("check: list %+v:\n got %v\nwant %v", opts, names(got), names(want))
	}
}

func byName(a, b store.Record) int {
	return cmp.Or(cmp.Compare(a.Key().Namespace, b.Key().Namespace), cmp.Compare(a.Key().Name, b.Key().Name))
}
