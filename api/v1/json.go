package v1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// JSON is any JSON value, kept as its compact text.
//
// +kubebuilder:validation:Type=""
// +kubebuilder:validation:XPreserveUnknownFields
type JSON struct {
	// Raw is the value's JSON text; empty means null. It is never changed in place.
	Raw json.RawMessage `json:"-"`
}

// NewJSON encodes v, which must be encodable as JSON.
func NewJSON(v any) (JSON, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return JSON{}, fmt.Errorf("encode JSON value: %w", err)
	}
	return JSON{Raw: raw}, nil
}

// MarshalJSON implements json.Marshaler.
func (j JSON) MarshalJSON() ([]byte, error) {
	if len(j.Raw) == 0 {
		return []byte("null"), nil
	}
	return j.Raw, nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (j *JSON) UnmarshalJSON(data []byte) error {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return err
	}
	j.Raw = b.Bytes()
	return nil
}

// Value decodes j into plain Go values (map[string]any, []any, string, float64,
// bool or nil).
func (j JSON) Value() (any, error) {
	if len(j.Raw) == 0 {
		return nil, nil
	}
	var v any
	if err := json.Unmarshal(j.Raw, &v); err != nil {
		return nil, fmt.Errorf("decode JSON value: %w", err)
	}
	return v, nil
}

// Equal reports whether j and other are the same value, whatever the order of
// keys: a client that reads an object, changes a label and writes it back has
// often sorted them.
func (j JSON) Equal(other JSON) bool {
	if bytes.Equal(j.Raw, other.Raw) {
		return true
	}
	a, errA := j.exact()
	b, errB := other.exact()
	return errA == nil && errB == nil && reflect.DeepEqual(a, b)
}

// exact decodes j with numbers as written, so that two that differ only beyond a
// float64's precision stay different.
func (j JSON) exact() (any, error) {
	if len(j.Raw) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(j.Raw))
	decoder.UseNumber()
	var v any
	err := decoder.Decode(&v)
	return v, err
}
