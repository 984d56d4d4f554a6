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

// ErrEdited: jobs.json is not byte for byte what the store has written, every object in it
// is valid all the same, and nobody has said that it is to be taken over.
var ErrEdited = errors.New("jobs.json was edited")

const (
	// adviceEdited is the advice when an edited file is refused.
	adviceEdited = "correct it there, or put the file back as it was"
	// adviceAccept is the advice when the file is valid.
	adviceAccept = "if you have edited it, give --accept-edited once (serve takes it over, restore makes a new store of it); if nobody has, restore the latest backup"
	// adviceDamaged is the advice when the file is invalid and seems not to be edited.
	adviceDamaged = "restore the latest backup (jobwright restore)"
)

// Edit is how a jobs.json differs from what the store has written.
type Edit struct {
	// Offset is where the first mebibyte that differs begins.
	Offset int64  `json:"offset"`
	Cause  string `json:"cause"`
	// Untouched: the file has the time at which it was written, so that damage is likelier
	// than an edit.
	Untouched bool `json:"untouched"`
}

// loadEdited reads a jobs.json that is not byte for byte what a checkpoint has written.
// Checksums cannot tell an edit from damage, so a valid one is taken over only when that
// was asked for.
func (m *image) loadEdited(f vfs.File, path string, size int64) (loaded, error) {
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return loaded{}, fmt.Errorf("read %s: %w", path, err)
	}
	modified, err := f.ModTime()
	if err != nil {
		return loaded{}, err
	}
	edit := Edit{Cause: "the checkpoint, which has the checksums, is missing or unreadable"}
	if c, ok := looseCheckpoint(data); ok {
		edit.Offset, edit.Cause = damagedChunk(data, c)
		edit.Untouched = c.Written.Equal(modified.UTC().Truncate(time.Microsecond))
	}
	if edit.Untouched {
		edit.Cause += ", and the file's time says that nobody has edited it since it was written"
	}
	l, err := m.takeEdited(&editedFile{path: path, data: data, kinds: m.kinds})
	if damage, ok := errors.AsType[*journal.Corrupt](err); ok && edit.Untouched {
		damage.Cause, damage.Advice = edit.Cause+"; "+damage.Cause, adviceDamaged
		return l, damage
	}
	l.size, l.edit = size, &edit
	return l, err
}

// accepts answers why an edit, of which all else is in order, is not taken over.
func (m *image) accepts(e *Edit, path string) error {
	if e == nil || m.acceptEdited {
		return nil
	}
	return fmt.Errorf("%w, or damaged: %s: from offset %d on %s; every object in it is valid; nothing was changed; %s",
		ErrEdited, path, e.Offset, e.Cause, adviceAccept)
}

// takeEdited puts what an edited file holds into the index.
func (m *image) takeEdited(d *editedFile) (l loaded, err error) {
	objects, c, err := d.decode()
	if err != nil {
		return l, err
	}
	if c == nil {
		names, err := m.fsys.ReadDir(m.journalDir())
		if err == nil && len(names) > 0 {
			return l, d.refuse(int64(len(d.data)), `"checkpoint" is missing, so it is unknown which part of the journal is newer`,
				"put the member back; or, if the file is all there is to be, move the folder journal away")
		}
	} else {
		l.from = journal.From{Segment: c.Journal, Sequence: c.Sequence}
	}
	for _, o := range objects {
		if err := m.admitEdited(d, o); err != nil {
			return l, err
		}
	}
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

// damagedChunk returns where a file differs from the sums of its checkpoint.
func damagedChunk(data []byte, c checkpoint) (offset int64, cause string) {
	body := data[:max(bytes.LastIndex(data, []byte(tailStart[1:]))-1, 0)]
	for i := 0; len(body) > 0; i++ {
		n := min(len(body), chunkSize)
		if end := (i + 1) * 8; end > len(c.Chunks) || string(appendHex(nil, journal.Checksum(body[:n]))) != c.Chunks[i*8:end] {
			return int64(i) * chunkSize, fmt.Sprintf("the %d bytes from here on do not fit their checksum", n)
		}
		body = body[n:]
	}
	return int64(len(data)), "the checkpoint at the end does not fit its checksum"
}
