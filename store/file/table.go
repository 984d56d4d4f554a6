package file

import (
	"hash/maphash"
	"iter"
)

// table finds entries by their key. It is a hash table of pointers alone, since an entry
// knows its key: 15 bytes an entry where a map with the key beside the pointer takes 60.
//
// It is made of parts, so that growing never takes longer than a part of it does: with
// a million entries, a fraction of a millisecond. Each part is a circle of a power of two
// slots at most three quarters full, in which an entry lies at the first free slot from
// where its hash points to (linear probing; D. Knuth, The Art of Computer Programming,
// volume 3, section 6.4, algorithms L and R).
type table struct {
	seed  maphash.Seed
	parts [tableParts]tablePart
	n     int
}

const (
	tableParts = 256
	// leastSlots is what a part begins with.
	leastSlots = 8
)

// tablePart has a byte of each entry's hash beside the entry, so that hardly any entry is
// looked at in vain.
type tablePart struct {
	entries []*entry
	tags    []uint8 // 0: free
	n       int
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

// hash of a key: the lowest byte tells the part, the highest is the tag.
func (t *table) hash(key objectKey) uint64 {
	return maphash.String(t.seed, key.name) + 3*maphash.String(t.seed, key.namespace)
}

func tagOf(hash uint64) uint8 { return uint8(hash>>56) | 1 }

func (t *table) get(key objectKey) *entry {
	hash := t.hash(key)
	p := &t.parts[hash%tableParts]
	if i, ok := p.find(hash, key); ok {
		return p.entries[i]
	}
	return nil
}

// put adds e, or replaces the entry with its key.
func (t *table) put(e *entry) {
	key := objectKey{e.class.namespace, e.name}
	hash := t.hash(key)
	p := &t.parts[hash%tableParts]
	i, ok := p.find(hash, key)
	if ok {
		p.entries[i] = e
		return
	}
	if 4*(p.n+1) > 3*len(p.entries) {
		t.resize(p, max(2*len(p.entries), leastSlots))
	}
	p.add(hash, e)
	t.n++
}

// remove takes the entry with that key out.
func (t *table) remove(key objectKey) {
	hash := t.hash(key)
	p := &t.parts[hash%tableParts]
	i, ok := p.find(hash, key)
	if !ok {
		return
	}
	t.n--
	p.n--
	// What lies behind it moves up where that is on its own way.
	mask := len(p.entries) - 1
	for next := (i + 1) & mask; p.tags[next] != 0; next = (next + 1) & mask {
		e := p.entries[next]
		home := slotOf(t.hash(objectKey{e.class.namespace, e.name}), mask)
		if (next-home)&mask >= (next-i)&mask {
			p.entries[i], p.tags[i] = e, p.tags[next]
			i = next
		}
	}
	p.entries[i], p.tags[i] = nil, 0
	if len(p.entries) > leastSlots && 8*p.n < len(p.entries) {
		t.resize(p, len(p.entries)/2)
	}
}

// slotOf is where the search for a hash begins; its lowest byte told the part.
func slotOf(hash uint64, mask int) int { return int(hash>>8) & mask }

// find is the slot of the entry with that key.
func (p *tablePart) find(hash uint64, key objectKey) (int, bool) {
	if p.n == 0 {
		return 0, false
	}
	mask, tag := len(p.entries)-1, tagOf(hash)
	for i := slotOf(hash, mask); p.tags[i] != 0; i = (i + 1) & mask {
		if e := p.entries[i]; p.tags[i] == tag && e.name == key.name && e.class.namespace == key.namespace {
			return i, true
		}
	}
	return 0, false
}

// add puts an entry that is not there into a part that has room.
func (p *tablePart) add(hash uint64, e *entry) {
	mask := len(p.entries) - 1
	i := slotOf(hash, mask)
	for p.tags[i] != 0 {
		i = (i + 1) & mask
	}
	p.entries[i], p.tags[i] = e, tagOf(hash)
	p.n++
}

// resize gives a part that many slots, a power of two.
func (t *table) resize(p *tablePart, slots int) {
	old := *p
	*p = tablePart{entries: make([]*entry, slots), tags: make([]uint8, slots)}
	for _, e := range old.entries {
		if e != nil {
			p.add(t.hash(objectKey{e.class.namespace, e.name}), e)
		}
	}
}

// reserve makes room for n entries in an empty table.
func (t *table) reserve(n int) {
	slots := leastSlots
	for 3*slots*tableParts < 4*n+n/2 { // the parts do not fill evenly
		slots *= 2
	}
	for i := range t.parts {
		t.resize(&t.parts[i], slots)
	}
}

// all is every entry, in no order.
func (t *table) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for i := range t.parts {
			for _, e := range t.parts[i].entries {
				if e != nil && !yield(e) {
					return
				}
			}
		}
	}
}
