package file

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestTreeIsASortedSet compares the tree with a map over runs of neighbours and single
// entries, put, replaced and removed, and checks that a clone stays as it was.
func TestTreeIsASortedSet(t *testing.T) {
	one := &class{namespace: "acme"}
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]int{10, 300, 5000}).Draw(t, "names")
		x, want := newTree(byName), map[string]*entry{}
		if rapid.Bool().Draw(t, "built") {
			var sorted []*entry
			for i := 0; i < names; i += rapid.IntRange(1, 3).Draw(t, "gap") {
				e := &entry{class: one, name: fmt.Sprintf("%05d", i)}
				sorted, want[e.name] = append(sorted, e), e
			}
			x = buildTree(byName, sorted)
		}
		check := func(what string, x *tree, want map[string]*entry) {
			c := x.from(nil)
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if e := c.next(); e != want[name] {
					t.Fatalf("%s: got %v, want %s", what, e, name)
				}
			}
			if e := c.next(); e != nil {
				t.Fatalf("%s: %s is one too many", what, e.name)
			}
		}
		clone, cloned := x.clone(), maps.Clone(want)
		for range rapid.IntRange(1, 30).Draw(t, "rounds") {
			at, n := rapid.IntRange(0, names).Draw(t, "at"), rapid.SampledFrom([]int{1, 3, 200}).Draw(t, "n")
			step := rapid.SampledFrom([]int{1, -1, 7}).Draw(t, "step")
			remove := rapid.IntRange(0, 2).Draw(t, "remove") == 0
			for i := range n {
				e := &entry{class: one, name: fmt.Sprintf("%05d", ((at+i*step)%names+names)%names)}
				if remove {
					x.remove(e)
					delete(want, e.name)
				} else {
					x.put(e)
					want[e.name] = e
				}
			}
			if x.length != len(want) {
				t.Fatalf("%d entries, want %d", x.length, len(want))
			}
			if rapid.IntRange(0, 4).Draw(t, "look") == 0 {
				check("clone", clone, cloned)
				clone, cloned = x.clone(), maps.Clone(want)
			}
		}
		check("tree", x, want)
		check("clone", clone, cloned)
		for range 20 {
			e := &entry{class: one, name: fmt.Sprintf("%05d", rapid.IntRange(0, names).Draw(t, "from"))}
			c := x.from(e)
			next := c.next()
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if name >= e.name {
					if next != want[name] {
						t.Fatalf("from %s: got %v, want %s", e.name, next, name)
					}
					break
				}
			}
		}
	})
}
