package file

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestTableIsAMap compares the table with a map over random changes, few names and many.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]int{4, 300, 20_000}).Draw(t, "names")
		spaces := []*class{{namespace: ""}, {namespace: "acme"}, {namespace: "a"}}
		table, want := newTable(), map[objectKey]*entry{}
		if rapid.Bool().Draw(t, "reserved") {
			table.reserve(rapid.IntRange(0, 3000).Draw(t, "room"))
		}
		check := func(key objectKey) {
			if got := table.get(key); got != want[key] {
				t.Fatalf("%v: %p, want %p", key, got, want[key])
			}
		}
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			from, n := rapid.IntRange(0, names).Draw(t, "from"), rapid.IntRange(1, 500).Draw(t, "n")
			remove := rapid.Bool().Draw(t, "remove")
			for i := range n {
				e := &entry{class: spaces[i%len(spaces)], name: fmt.Sprint((from + i) % names)}
				key := objectKey{e.class.namespace, e.name}
				if remove {
					table.remove(key)
					delete(want, key)
				} else {
					table.put(e)
					want[key] = e
				}
				check(key)
			}
			if table.n != len(want) {
				t.Fatalf("%d entries, want %d", table.n, len(want))
			}
		}
		for key := range want {
			check(key)
		}
	})
}
