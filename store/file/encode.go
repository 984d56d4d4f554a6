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

// encoding is an object's compact JSON, cut where the resourceVersion goes, which is
// known only when the write takes its place in the order of all.
type encoding struct {
	head, tail []byte
}

// withVersion joins the encoding around a resourceVersion, in memory of its own.
func (e encoding) withVersion(rv uint64) []byte {
	b := make([]byte, 0, len(e.head)+len(e.tail)+20)
	b = append(b, e.head...)
	b = strconv.AppendUint(b, rv, 10)
	return append(b, e.tail...)
}

func (e encoding) len() int { return len(e.head) + len(e.tail) + 20 }

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
	switch o := obj.(type) {
	case *v1.Job:
		return appendValue(dst, &o.Spec)
	case *v1.Workspace:
		return appendValue(dst, &o.Spec)
	}
	return partOf(dst, obj, func(s scanned) span { return s.spec })
}

// statusOf appends the JSON of obj's status to dst: what is stored of it.
func statusOf(dst []byte, obj v1.Object) ([]byte, error) {
	switch o := obj.(type) {
	case *v1.Job:
		if o.Status.BlockedBy != nil { // computed when read, never stored
			status := o.Status
			status.BlockedBy = nil
			return appendValue(dst, &status)
		}
		return appendValue(dst, &o.Status)
	case *v1.Workspace:
		return appendValue(dst, &o.Status)
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
	err = members(whole, 0, func(key []byte, v span) error {
		switch string(key) {
		case "spec":
			s.spec = v
		case "status":
			s.status = v
		}
		return nil
	})
	return append(dst, part(s).of(whole)...), err
}

// assemble encodes an object of kind from its parts; spec and status are JSON, and
// left out when they are empty.
func assemble(kind string, meta *metav1.ObjectMeta, spec, status []byte) (encoding, error) {
	b := make([]byte, 0, 512+len(spec)+len(status))
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
	cut := len(b)
	b = append(b, `","generation":`...)
	b = strconv.AppendInt(b, meta.Generation, 10)
	b = append(b, `,"creationTimestamp":`...)
	b = appendTime(b, meta.CreationTimestamp)
	b, err := appendRareMeta(b, meta)
	if err != nil {
		return encoding{}, err
	}
	b = append(b, '}')
	if !isEmpty(spec) {
		b = append(b, `,"spec":`...)
		b = append(b, spec...)
	}
	if !isEmpty(status) {
		b = append(b, `,"status":`...)
		b = append(b, status...)
	}
	b = append(b, '}')
	return encoding{head: b[:cut], tail: b[cut:]}, nil
}

// appendRareMeta appends the metadata that most objects do without.
func appendRareMeta(b []byte, meta *metav1.ObjectMeta) ([]byte, error) {
	if meta.DeletionTimestamp != nil {
		b = append(b, `,"deletionTimestamp":`...)
		b = appendTime(b, *meta.DeletionTimestamp)
	}
	if meta.DeletionGracePeriodSeconds != nil {
		b = append(b, `,"deletionGracePeriodSeconds":`...)
		b = strconv.AppendInt(b, *meta.DeletionGracePeriodSeconds, 10)
	}
	rare := []struct {
		name  string
		n     int
		value any
	}{
		{"labels", len(meta.Labels), meta.Labels},
		{"annotations", len(meta.Annotations), meta.Annotations},
		{"ownerReferences", len(meta.OwnerReferences), meta.OwnerReferences},
		{"finalizers", len(meta.Finalizers), meta.Finalizers},
		{"managedFields", len(meta.ManagedFields), meta.ManagedFields},
	}
	var err error
	for _, r := range rare {
		if r.n == 0 {
			continue
		}
		b = append(b, `,"`+r.name+`":`...)
		if b, err = appendValue(b, r.value); err != nil {
			return b, fmt.Errorf("encode metadata.%s: %w", r.name, err)
		}
	}
	return b, nil
}

// appendTime appends t as metav1.Time is encoded.
func appendTime(b []byte, t metav1.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
	return append(b, '"')
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			quoted, _ := appendValue(b, s) // a string can always be encoded
			return quoted
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// isEmpty reports whether a part of an object is left out of its encoding.
func isEmpty(part []byte) bool {
	return len(part) == 0 || string(part) == "{}" || string(part) == "null"
}
