package table_test

import (
	"fmt"
	"hash/maphash"
	"testing"

	"pgregory.net/rapid"

	"jobwright.dev/store/table"
)

type element struct{ key string }

func hash(seed maphash.Seed, key string) uint64 { return maphash.String(seed, key) }

// TestTableIsAMap compares the table with a map over random changes, few keys and many.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SampledFrom([]int{4, 300, 20_000}).Draw(t, "keys")
		got, want := table.New(hash, func(e *element) string { return e.key }), map[string]*element{}
		if rapid.Bool().Draw(t, "reserved") {
			got.Reserve(rapid.IntRange(0, 3000).Draw(t, "room"))
		}
		check := func(key string) {
			if e := got.Get(key); e != want[key] {
				t.Fatalf("%v: %p, want %p", key, e, want[key])
			}
		}
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			from, n := rapid.IntRange(0, keys).Draw(t, "from"), rapid.IntRange(1, 500).Draw(t, "n")
			remove := rapid.Bool().Draw(t, "remove")
			for i := range n {
				e := &element{fmt.Sprint((from + i) % keys)}
				if remove {
					got.Remove(e.key)
					delete(want, e.key)
				} else {
					got.Put(e)
					want[e.key] = e
				}
				check(e.key)
			}
			if got.Len() != len(want) {
				t.Fatalf("%d elements, want %d", got.Len(), len(want))
			}
		}
		seen := map[string]bool{}
		for e := range got.All() {
			if seen[e.key] || want[e.key] != e {
				t.Fatalf("%s: seen %v, an element that is there %v", e.key, seen[e.key], want[e.key] == e)
			}
			seen[e.key] = true
			check(e.key)
		}
		if len(seen) != len(want) {
			t.Fatalf("%d elements seen, want %d", len(seen), len(want))
		}
	})
}

func TestUIDsSpread(t *testing.T) {
	seed := maphash.MakeSeed()
	hashes, tags := map[uint64]bool{}, map[uint64]bool{}
	for i := range 4096 { // uids of one millisecond, which differ in a few bits
		uid := [16]byte{0: 1, 6: 0x70 | byte(i>>8), 7: byte(i)}
		h := table.HashUID(seed, uid)
		hashes[h], tags[h>>56] = true, true
	}
	if len(hashes) != 4096 || len(tags) != 256 {
		t.Errorf("%d hashes and %d tags of 4096 uids", len(hashes), len(tags))
	}
}
