package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/api/strict"
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

// editedFile decodes a jobs.json strictly and knows where in it something stands.
type editedFile struct {
	path  string
	data  []byte
	kinds v1.KindSet
}

// editedObject is an object with the offset at which its text starts.
type editedObject struct {
	obj    v1.Object
	offset int64
}

// refuse is the error for what stands at offset.
func (d *editedFile) refuse(offset int64, cause, advice string) error {
	before := d.data[:min(offset, int64(len(d.data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return &journal.Corrupt{File: d.path, Offset: offset, Cause: fmt.Sprintf("line %d, column %d: %s", line, column, cause), Advice: advice}
}

// decode reads the whole file.
func (d *editedFile) decode() (objects []editedObject, c *checkpoint, err error) {
	dec := json.NewDecoder(bytes.NewReader(d.data))
	fail := func(err error) error {
		offset := dec.InputOffset()
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			offset = max(syntax.Offset-1, 0)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			offset, err = int64(len(d.data)), errors.New("the file ends too soon")
		}
		return d.refuse(offset, err.Error(), adviceEdited)
	}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fail(errors.Join(err, errors.New("not a JSON object")))
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, nil, fail(err)
		}
		switch name := t.(string); name {
		case "apiVersion", "kind":
			var value string
			want := map[string]string{"apiVersion": "v1", "kind": "List"}[name]
			if err := dec.Decode(&value); err != nil {
				return nil, nil, fail(err)
			}
			if value != want {
				return nil, nil, fail(fmt.Errorf("%s is %q, it must be %q", name, value, want))
			}
		case "metadata":
			var value struct {
				ResourceVersion string `json:"resourceVersion"`
			}
			err = dec.Decode(&value)
		case "checkpoint":
			c = new(checkpoint)
			dec.DisallowUnknownFields()
			if err = dec.Decode(c); err == nil && c.Format > snapshotFormat {
				return nil, nil, d.refuse(dec.InputOffset(), newerFormat(c.Format), adviceNewer)
			}
		case "items":
			objects, err = d.items(dec)
			if _, ok := errors.AsType[*journal.Corrupt](err); ok {
				return nil, nil, err
			}
		default:
			err = fmt.Errorf("unknown member %q", name)
		}
		if err != nil {
			return nil, nil, fail(err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, fail(err)
	}
	if rest := d.data[dec.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil, fail(errors.New("there is more after the end of the list"))
	}
	return objects, c, nil
}

// items reads the list's objects.
func (d *editedFile) items(dec *json.Decoder) (objects []editedObject, err error) {
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.Join(err, errors.New("items is not an array"))
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		offset := dec.InputOffset() - int64(len(raw))
		obj, err := d.item(raw, offset)
		if err != nil {
			return nil, err
		}
		objects = append(objects, editedObject{obj, offset})
	}
	_, err = dec.Token()
	return objects, err
}

// item decodes one object strictly. All of its problems are reported at once.
func (d *editedFile) item(raw []byte, offset int64) (v1.Object, error) {
	document, err := strict.JSON(raw)
	var obj v1.Object
	if err == nil {
		obj, err = document.Object(d.kinds)
	}
	problems, ok := errors.AsType[strict.Problems](err)
	if !ok {
		return obj, err
	}
	var causes []string
	for i, p := range problems {
		at := within(raw, p)
		if i == 0 {
			p.Line, offset = 0, offset+at
		} else {
			p.Line = 1 + bytes.Count(d.data[:offset-within(raw, problems[0])+at], []byte("\n"))
		}
		causes = append(causes, p.String())
	}
	return nil, d.refuse(offset, strings.Join(causes, "; "), adviceEdited)
}

// within is the offset in text at which a problem stands.
func within(text []byte, p strict.Problem) int64 {
	at := 0
	for range p.Line - 1 {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return int64(max(min(at+p.Column-1, len(text)), 0))
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

// bytesAround cuts an encoding where its resourceVersion stands.
func bytesAround(b []byte, f scanned) encoding {
	enc := newEncoding()
	*enc.buf = append(append(*enc.buf, b[:f.rvAt.start]...), b[f.rvAt.end:]...)
	enc.cut = f.rvAt.start
	return enc
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
