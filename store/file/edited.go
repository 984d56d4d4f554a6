package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
)

// adviceEdited is what helps when an edited file is refused.
const adviceEdited = "correct it there, or put the file back as it was"

// loadEdited reads a jobs.json that is not byte for byte what a checkpoint has
// written. Whoever edits a file changes its time of modification; when that is still
// the one which the file itself names, it was damaged, not edited.
func (m *image) loadEdited(f vfs.File, path string, size int64) (loaded, error) {
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return loaded{}, fmt.Errorf("read %s: %w", path, err)
	}
	modified, err := f.ModTime()
	if err != nil {
		return loaded{}, err
	}
	if c, ok := looseCheckpoint(data); ok && c.Written.Equal(modified.UTC().Truncate(time.Microsecond)) {
		offset, cause := damagedChunk(data, c)
		return loaded{}, &journal.Corrupt{
			File: path, Offset: offset, Cause: cause,
			Advice: "restore the latest backup; if somebody did edit the file, set its time of modification (touch) and start again",
		}
	}
	d := &editedFile{path: path, data: data, kinds: m.kinds}
	objects, c, err := d.decode()
	if err != nil {
		return loaded{}, err
	}
	l := loaded{size: size, edited: true}
	if c == nil {
		names, err := m.fsys.ReadDir(m.journalDir())
		if err == nil && len(names) > 0 {
			return loaded{}, d.refuse(int64(len(data)), `"checkpoint" is missing, so it is unknown which part of the journal is newer`,
				"put the member back; or, if the file is all there is to be, move the folder journal away")
		}
	} else {
		l.from = journal.From{Segment: c.Journal, Sequence: c.Sequence}
	}
	for _, o := range objects {
		if err := m.admitEdited(d, o); err != nil {
			return loaded{}, err
		}
	}
	m.log.Info("jobs.json was edited while the store was closed; it is valid and was taken over", "objects", len(objects))
	return l, nil
}

// admitEdited puts an object of an edited file into the index; its encoding stays in
// memory until jobs.json is rewritten, which is before the store is ready.
func (m *image) admitEdited(d *editedFile, o editedObject) error {
	obj := o.obj
	refuse := func(err error) error { return d.refuse(o.offset, err.Error(), adviceEdited) }
	if m.admit != nil {
		if err := m.admit(obj); err != nil {
			return refuse(err)
		}
	}
	kind, key, err := checkKey(m.kinds, obj)
	if err != nil {
		return refuse(err)
	}
	if m.index.get(key.Kind, objectKey{key.Namespace, key.Name}) != nil {
		return refuse(fmt.Errorf("%s is there twice", key))
	}
	if obj.GetUID() == "" {
		obj.SetUID(types.UID(m.uids.next(m.opened).String()))
	}
	if created := obj.GetCreationTimestamp(); created.IsZero() {
		obj.SetCreationTimestamp(metav1.NewTime(m.opened))
	}
	obj.SetGeneration(max(obj.GetGeneration(), 1))
	rv := obj.GetResourceVersion()
	if rv == "" {
		rv = "0"
	}
	number, err := digits([]byte(rv))
	if err != nil {
		return refuse(fmt.Errorf("metadata.resourceVersion %q is not a number", rv))
	}
	enc, err := encodeWhole(kind, obj)
	if err != nil {
		return refuse(err)
	}
	encoding := enc.withVersion(number)
	e, err := m.entryOf(encoding)
	if err != nil {
		return refuse(err)
	}
	e.setMem(encoding)
	m.visible = max(m.visible, number)
	m.index.load(e)
	return nil
}

// encodeWhole encodes an object with its own metadata and status.
func encodeWhole(kind v1.Kind, obj v1.Object) (encoding, error) {
	meta, err := metaOf(obj)
	if err != nil {
		return encoding{}, err
	}
	return assemble(kind, meta, obj)
}

// renumber gives every object of an edited file a new version: what a client has read
// before may not be what it is now. Objects of which the journal had a newer version
// keep that.
func (s *Store) renumber() {
	for _, k := range s.index.kinds {
		for _, e := range k.loading {
			encoding, inMemory := e.inMem()
			if !inMemory || k.byKey.Get(e.objectKey()) != e {
				continue
			}
			f, err := scan(encoding)
			if err != nil {
				continue // entryOf has read it before
			}
			s.version++
			e.rv = s.version
			enc := bytesAround(encoding, f).withVersion(e.rv)
			e.size, e.sum = uint32(len(enc)), journal.Checksum(enc)
			e.setMem(enc)
		}
	}
	s.visible = s.version
}

// looseCheckpoint reads the checkpoint of a file that may be damaged anywhere else.
func looseCheckpoint(data []byte) (c checkpoint, ok bool) {
	at := bytes.LastIndex(data, []byte(tailStart[1:]))
	if at < 0 {
		return c, false
	}
	dec := json.NewDecoder(bytes.NewReader(data[at+len(tailStart)-1:]))
	return c, dec.Decode(&c) == nil
}

// damagedChunk says where a file differs from what its checkpoint says.
func damagedChunk(data []byte, c checkpoint) (offset int64, cause string) {
	body := data[:max(bytes.LastIndex(data, []byte(tailStart[1:]))-1, 0)]
	for i := 0; len(body) > 0; i++ {
		n := min(len(body), chunkSize)
		if end := (i + 1) * 8; end > len(c.Chunks) || string(appendHex(nil, journal.Checksum(body[:n]))) != c.Chunks[i*8:end] {
			return int64(i) * chunkSize, fmt.Sprintf("the %d bytes from here on do not fit their checksum, and nobody has edited the file since it was written", n)
		}
		body = body[n:]
	}
	return int64(len(data)), "the checkpoint at the end does not fit its checksum, and nobody has edited the file since it was written"
}
