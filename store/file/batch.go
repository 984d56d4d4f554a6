package file

import (
	"encoding/binary"
	"sync"

	"jobwright.dev/store"
	"jobwright.dev/store/journal"
)

// pending is an object's next version, while its batch is not on disk yet; e nil: deleted.
type pending struct {
	e  *entry
	rv uint64
}

// change is one object's change on its way to the disk.
type change struct {
	event eventKind
	// published: a soft write, visible already.
	published bool
	// e is the new version, or the last one at the version of its deletion; before is
	// the version before it.
	e, before *entry
	// encoding is what readers will see.
	encoding []byte
	// offset is where the encoding starts in the batch's block.
	offset int
}

// record is the record that readers will see.
func (c *change) record() store.Record { return c.e.record(c.encoding) }

// batch is the changes of one commit.
type batch struct {
	memory  *buffers
	block   *journal.Block
	changes []change
	waiters int
	// flushes: a timer will commit the batch.
	flushes bool
	// done is closed when the batch is on disk and visible, or has failed with err.
	done chan struct{}
	err  error
	// checkpoint asks for a view of the index behind this batch.
	checkpoint *view
}

// buffers is the memory of a batch, which is used again: batches are filled and written
// many times a second.
type buffers struct {
	block   journal.Block
	changes []change
}

var pooledBuffers = sync.Pool{New: func() any { return new(buffers) }}

// maxPooledChanges keeps what one large batch has needed from being held for ever.
const maxPooledChanges = 4096

func newBatch() *batch {
	memory := pooledBuffers.Get().(*buffers)
	return &batch{memory: memory, block: &memory.block, changes: memory.changes, done: make(chan struct{})}
}

// finish tells the waiters.
func (b *batch) finish(err error) {
	clear(b.changes)
	if b.memory.changes = b.changes[:0]; cap(b.changes) > maxPooledChanges {
		b.memory.changes = nil
	}
	b.block.Reset()
	pooledBuffers.Put(b.memory)
	b.memory, b.block, b.changes, b.err = nil, nil, nil, err
	close(b.done)
}

// The operations of a journal record, its first byte.
const (
	// opPut is followed by the object's encoding.
	opPut = 'P'
	// opDelete is followed by the resource version of the deletion (8 bytes, little
	// endian), then kind, namespace and name, each ended by a zero byte.
	opDelete = 'D'
)

var put = []byte{opPut}

// deletion is the body of a delete record.
func deletion(key store.Key, rv uint64) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 64), rv)
	for _, part := range []string{key.Kind, key.Namespace, key.Name} {
		b = append(append(b, part...), 0)
	}
	return b
}
