package file

import (
	"hash/maphash"
	"sync/atomic"
	"unsafe"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// entry is one version of one object, without its encoding: what lists, watches and
// preconditions look at, and where the encoding is to be read. There may be a million
// of them, so its size is 80 bytes, a size class of the allocator. Only loc and mem
// change once an entry was published.
type entry struct {
	uid   uuid.UUID
	rv    uint64
	class *class
	// labels is nil when there are none.
	labels *labelSet
	name   string
	// loc is where the encoding lies: the number of a source and the offset there.
	loc atomic.Uint64
	// mem is the encoding's first byte while it is in no file yet, or in the ring.
	mem  atomic.Pointer[byte]
	size uint32
	sum  uint32
}

// class holds properties that many objects share; there is one for each combination.
type class struct {
	kind      string
	namespace string
	jobType   v1.JobType
	phase     v1.JobPhase
	// n is how many objects there are of it; guarded by the index's lock.
	n int
}

// objectKey names an object within the index of its kind.
type objectKey struct {
	namespace string
	name      string
}

func (e *entry) objectKey() objectKey { return objectKey{e.class.namespace, e.name} }

// hashKey spreads the keys of an index.
func hashKey(seed maphash.Seed, key objectKey) uint64 {
	return maphash.String(seed, key.name) + 3*maphash.String(seed, key.namespace)
}

func (e *entry) key() store.Key {
	return store.Key{Kind: e.class.kind, Namespace: e.class.namespace, Name: e.name}
}

// record makes the record of e with its encoding.
func (e *entry) record(encoding []byte) store.Record {
	return store.NewRecord(e.key(), e.uid, e.rv, encoding).WithPhase(e.class.phase)
}

// setMem keeps the encoding in memory until forget.
func (e *entry) setMem(encoding []byte) {
	e.mem.Store(unsafe.SliceData(encoding))
}

// forget lets go of the encoding in memory, if it lies in a file.
func (e *entry) forget() {
	if e.loc.Load() != 0 {
		e.mem.Store(nil)
	}
}

// inMem is the encoding when it is in memory.
func (e *entry) inMem() ([]byte, bool) {
	p := e.mem.Load()
	if p == nil {
		return nil, false
	}
	return unsafe.Slice(p, e.size), true
}

// moveTo sets where the encoding lies.
func (e *entry) moveTo(source uint32, offset int64) {
	e.loc.Store(uint64(source)<<offsetBits | uint64(offset))
}

// offsetBits leaves a terabyte for an offset and 16 million sources for the life of
// a process.
const offsetBits = 40

func (e *entry) where() (source uint32, offset int64) {
	loc := e.loc.Load()
	return uint32(loc >> offsetBits), int64(loc & (1<<offsetBits - 1))
}

// byName orders by namespace, then name.
func byName(a, b *entry) int {
	if a.class.namespace != b.class.namespace {
		if a.class.namespace < b.class.namespace {
			return -1
		}
		return 1
	}
	switch {
	case a.name < b.name:
		return -1
	case a.name > b.name:
		return 1
	}
	return 0
}

// byUID orders by uid, which is by creation.
func byUID(a, b *entry) int {
	for i := range a.uid {
		if a.uid[i] != b.uid[i] {
			if a.uid[i] < b.uid[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}
