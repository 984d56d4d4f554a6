// Package table has a hash table of pointers to elements that know their own key: what
// indexes of a million objects are made of.
package table

import (
	"hash/maphash"
	"iter"
)

// Table finds elements by their key. It keeps a pointer and a byte for each: 15 bytes an
// element on average, where a map with a key of 16 bytes beside the pointer takes 45.
//
// It is made of parts, so that growing never takes longer than a part of it does: with
// a million elements, a fraction of a millisecond. Each part is a circle of a power of two
// slots at most three quarters full, in which an element lies at the first free slot from
// where its hash points to (linear probing; D. Knuth, The Art of Computer Programming,
// volume 3, section 6.4, algorithms L and R).
//
// A Table is not safe for concurrent changes.
type Table[K comparable, E any] struct {
	seed  maphash.Seed
	hash  func(maphash.Seed, K) uint64
	keyOf func(*E) K
	parts [parts]part[E]
	n     int
}

const (
	parts = 256
	// leastSlots is the size of a new part.
	leastSlots = 8
)

// part has a byte of each element's hash beside the element, so that hardly any element
// is looked at in vain.
type part[E any] struct {
	elements []*E
	tags     []uint8 // 0: free
	n        int
}

// New makes an empty table. hash must spread keys over all 64 bits; keyOf is the key of an
// element, which must not change while the element is in the table.
func New[K comparable, E any](hash func(maphash.Seed, K) uint64, keyOf func(*E) K) *Table[K, E] {
	return &Table[K, E]{seed: maphash.MakeSeed(), hash: hash, keyOf: keyOf}
}

// HashUID is the hash of keys that are uids.
func HashUID[K ~[16]byte](seed maphash.Seed, key K) uint64 { return maphash.Bytes(seed, key[:]) }

// place is the hash of a key and the part that it belongs to. The lowest byte of the hash
// tells the part, the highest is the tag.
func (t *Table[K, E]) place(key K) (hash uint64, p *part[E]) {
	hash = t.hash(t.seed, key)
	return hash, &t.parts[hash%parts]
}

func tagOf(hash uint64) uint8 { return uint8(hash>>56) | 1 }

// Len is how many elements there are.
func (t *Table[K, E]) Len() int { return t.n }

// Get is the element with that key, or nil.
func (t *Table[K, E]) Get(key K) *E {
	hash, p := t.place(key)
	if i, ok := t.find(p, hash, key); ok {
		return p.elements[i]
	}
	return nil
}

// Put adds e, or replaces the element with its key.
func (t *Table[K, E]) Put(e *E) {
	key := t.keyOf(e)
	hash, p := t.place(key)
	i, ok := t.find(p, hash, key)
	if ok {
		p.elements[i] = e
		return
	}
	if 4*(p.n+1) > 3*len(p.elements) {
		t.resize(p, max(2*len(p.elements), leastSlots))
	}
	p.add(hash, e)
	t.n++
}

// Remove takes the element with that key out; it is no error when there is none.
func (t *Table[K, E]) Remove(key K) {
	hash, p := t.place(key)
	i, ok := t.find(p, hash, key)
	if !ok {
		return
	}
	t.n--
	p.n--
	// What lies behind it moves up where that is on its own way.
	mask := len(p.elements) - 1
	for next := (i + 1) & mask; p.tags[next] != 0; next = (next + 1) & mask {
		e := p.elements[next]
		home := slotOf(t.hash(t.seed, t.keyOf(e)), mask)
		if (next-home)&mask >= (next-i)&mask {
			p.elements[i], p.tags[i] = e, p.tags[next]
			i = next
		}
	}
	p.elements[i], p.tags[i] = nil, 0
	if len(p.elements) > leastSlots && 8*p.n < len(p.elements) {
		t.resize(p, len(p.elements)/2)
	}
}

// slotOf is where the search for a hash begins; its lowest byte told the part.
func slotOf(hash uint64, mask int) int { return int(hash>>8) & mask }

// find is the slot of the element with that key.
func (t *Table[K, E]) find(p *part[E], hash uint64, key K) (int, bool) {
	if p.n == 0 {
		return 0, false
	}
	mask, tag := len(p.elements)-1, tagOf(hash)
	for i := slotOf(hash, mask); p.tags[i] != 0; i = (i + 1) & mask {
		if p.tags[i] == tag && t.keyOf(p.elements[i]) == key {
			return i, true
		}
	}
	return 0, false
}

// add puts an element that is not there into a part that has room.
func (p *part[E]) add(hash uint64, e *E) {
	mask := len(p.elements) - 1
	i := slotOf(hash, mask)
	for p.tags[i] != 0 {
		i = (i + 1) & mask
	}
	p.elements[i], p.tags[i] = e, tagOf(hash)
	p.n++
}

// resize gives a part that many slots, a power of two.
func (t *Table[K, E]) resize(p *part[E], slots int) {
	old := *p
	*p = part[E]{elements: make([]*E, slots), tags: make([]uint8, slots)}
	for _, e := range old.elements {
		if e != nil {
			p.add(t.hash(t.seed, t.keyOf(e)), e)
		}
	}
}

// Reserve makes room for n elements in an empty table.
func (t *Table[K, E]) Reserve(n int) {
	slots := leastSlots
	for 3*slots*parts < 4*n+n/2 { // the parts do not fill evenly
		slots *= 2
	}
	for i := range t.parts {
		t.resize(&t.parts[i], slots)
	}
}

// All is every element, in no order. The table must not be changed meanwhile.
func (t *Table[K, E]) All() iter.Seq[*E] {
	return func(yield func(*E) bool) {
		for i := range t.parts {
			for _, e := range t.parts[i].elements {
				if e != nil && !yield(e) {
					return
				}
			}
		}
	}
}
