package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// encoding is an object's compact JSON in two halves, before and after resourceVersion,
// which is assigned at commit. Buffers are pooled; call release.
type encoding struct {
	buf *[]byte
	cut int
	// labels is where the labels lie in buf; empty when there are none.
	labels span
}

var encodings = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled keeps what one large object has needed from being held for ever.
const maxPooled = 64 << 10

func newEncoding() encoding {
	buf := encodings.Get().(*[]byte)
	*buf = (*buf)[:0]
	return encoding{buf: buf}
}

// release gives the memory back; the encoding must not be used any more.
func (e encoding) release() {
	if e.buf != nil && cap(*e.buf) <= maxPooled {
		encodings.Put(e.buf)
	}
}

// labelSet is the set of the labels in the encoding.
func (e encoding) labelSet(t *interning) (*labelSet, error) { return t.labelSet(e.labels.of(*e.buf)) }

func (e encoding) head() []byte { return (*e.buf)[:e.cut] }
func (e encoding) tail() []byte { return (*e.buf)[e.cut:] }

// withVersion joins the encoding around a resourceVersion, in memory of its own.
func (e encoding) withVersion(rv uint64) []byte {
	var number [20]byte
	digits := strconv.AppendUint(number[:0], rv, 10)
	b := make([]byte, 0, len(*e.buf)+len(digits))
	b = append(b, e.head()...)
	b = append(b, digits...)
	return append(b, e.tail()...)
}

func (e encoding) len() int { return len(*e.buf) + 20 }

// encoder encodes as encoding/json does, but leaves <, > and & readable.
type encoder struct {
	buf  bytes.Buffer
	json *json.Encoder
}

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	return e
}}

// appendValue appends v's JSON to dst.
func appendValue(dst []byte, v any) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	e.buf.Reset()
	if err := e.json.Encode(v); err != nil {
		return dst, err
	}
	return append(dst, bytes.TrimSuffix(e.buf.Bytes(), []byte("\n"))...), nil
}

// metaOf is the metadata of obj, to be read only.
func metaOf(obj v1.Object) (*metav1.ObjectMeta, error) {
	if accessor, ok := obj.(metav1.ObjectMetaAccessor); ok {
		if m, ok := accessor.GetObjectMeta().(*metav1.ObjectMeta); ok {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%w: %T has no ObjectMeta", store.ErrInvalid, obj)
}

// specOf appends the JSON of obj's spec to dst.
func specOf(dst []byte, obj v1.Object) ([]byte, error) {
	if codec, ok := obj.(v1.Codec); ok {
		return codec.AppendSpec(dst)
	}
	return partOf(dst, obj, func(s scanned) span { return s.spec })
}

// statusOf appends the JSON of the stored part of obj's status to dst.
func statusOf(dst []byte, kind v1.Kind, obj v1.Object) ([]byte, error) {
	obj = kind.Stored(obj)
	if codec, ok := obj.(v1.Codec); ok {
		return codec.AppendStatus(dst)
	}
	return partOf(dst, obj, func(s scanned) span { return s.status })
}

// partOf appends a part of the JSON of an object of any kind.
func partOf(dst []byte, obj v1.Object, part func(scanned) span) ([]byte, error) {
	whole, err := appendValue(nil, obj)
	if err != nil {
		return dst, err
	}
	var s scanned
	w := walk(whole, 0)
	for w.next() {
		switch string(w.key) {
		case "spec":
			s.spec = w.at
		case "status":
			s.status = w.at
		}
	}
	return append(dst, part(s).of(whole)...), w.err
}

// assemble encodes obj, an object of kind, with other metadata than its own.
func assemble(kind v1.Kind, meta *metav1.ObjectMeta, obj v1.Object) (enc encoding, err error) {
	enc = newEncoding()
	defer func() {
		if err != nil {
			enc.release()
			enc = encoding{}
		}
	}()
	if err := enc.begin(kind.Name, meta); err != nil {
		return enc, err
	}
	if err := enc.part("spec", func(b []byte) ([]byte, error) { return specOf(b, obj) }); err != nil {
		return enc, err
	}
	err = enc.part("status", func(b []byte) ([]byte, error) { return statusOf(b, kind, obj) })
	*enc.buf = append(*enc.buf, '}')
	return enc, err
}

// reassemble encodes an object of kind from its parts.
func reassemble(kind string, meta *metav1.ObjectMeta, spec, status []byte) (enc encoding, err error) {
	enc = newEncoding()
	err = enc.begin(kind, meta)
	for name, part := range [][]byte{spec, status} {
		if err == nil {
			err = enc.part([]string{"spec", "status"}[name], func(b []byte) ([]byte, error) { return append(b, part...), nil })
		}
	}
	*enc.buf = append(*enc.buf, '}')
	return enc, err
}

// begin encodes everything up to the spec.
func (e *encoding) begin(kind string, meta *metav1.ObjectMeta) (err error) {
	b := *e.buf
	defer func() { *e.buf = b }()
	b = append(b, `{"apiVersion":"`+v1.APIVersion+`","kind":"`...)
	b = append(b, kind...)
	b = append(b, `","metadata":{"name":`...)
	b = appendString(b, meta.Name)
	if meta.GenerateName != "" {
		b = append(b, `,"generateName":`...)
		b = appendString(b, meta.GenerateName)
	}
	if meta.Namespace != "" {
		b = append(b, `,"namespace":`...)
		b = appendString(b, meta.Namespace)
	}
	b = append(b, `,"uid":`...)
	b = appendString(b, string(meta.UID))
	b = append(b, `,"resourceVersion":"`...)
	e.cut = len(b)
	b = append(b, `","generation":`...)
	b = strconv.AppendInt(b, meta.Generation, 10)
	b = append(b, `,"creationTimestamp":`...)
	b = appendTime(b, meta.CreationTimestamp)
	if len(meta.Labels) > 0 {
		b = append(b, `,"labels":`...)
		e.labels.start = len(b)
		if b, err = v1.AppendStringMap(b, meta.Labels); err != nil {
			return fmt.Errorf("encode metadata.labels: %w", err)
		}
		e.labels.end = len(b)
	}
	if b, err = appendRareMeta(b, meta); err != nil {
		return err
	}
	b = append(b, '}')
	return nil
}

// part encodes spec or status, or nothing when it is empty.
func (e *encoding) part(name string, encode func([]byte) ([]byte, error)) error {
	b := *e.buf
	before := len(b)
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	start := len(b)
	b, err := encode(b)
	if err == nil && isEmpty(b[start:]) {
		b = b[:before]
	}
	*e.buf = b
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return nil
}

// appendRareMeta appends the metadata that begin has not written, which most objects do
// without.
func appendRareMeta(b []byte, meta *metav1.ObjectMeta) ([]byte, error) {
	rest := *meta
	rest.Name, rest.GenerateName, rest.Namespace, rest.UID, rest.ResourceVersion = "", "", "", "", ""
	rest.Generation, rest.CreationTimestamp, rest.Labels = 0, metav1.Time{}, nil
	before := len(b)
	b, err := v1.AppendMetadata(b, &rest)
	if err != nil {
		return b, fmt.Errorf("encode metadata: %w", err)
	}
	if len(b) == before+len("{}") {
		return b[:before], nil
	}
	b[before] = ','
	return b[:len(b)-1], nil
}

// appendTime appends t as metav1.Time is encoded.
func appendTime(b []byte, t metav1.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	return v1.AppendTime(b, t.Time, false)
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	b, _ = v1.AppendString(b, s) // a string can always be encoded
	return b
}

// isEmpty reports whether a part of an object is left out of its encoding.
func isEmpty(part []byte) bool {
	return len(part) == 0 || string(part) == "{}" || string(part) == "null"
}

// bytesAround cuts an encoding where its resourceVersion stands.
func bytesAround(b []byte, f scanned) encoding {
	enc := newEncoding()
	*enc.buf = append(append(*enc.buf, b[:f.rvAt.start]...), b[f.rvAt.end:]...)
	enc.cut = f.rvAt.start
	return enc
}
