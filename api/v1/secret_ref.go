package v1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ValueSource is the source of a value.
type ValueSource struct {
	// secretRef names a secret of the operator's file that the workspace may use. The
	// value is looked up at each start and never stored. Required.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretRef string `json:"secretRef"`
}

// HeaderValue is a header's value: in JSON a string, or {"valueFrom": {"secretRef": NAME}}.
//
// +kubebuilder:validation:Type=""
// +kubebuilder:validation:XPreserveUnknownFields
type HeaderValue struct {
	// Value is a plain value, stored with the job.
	Value string `json:"-"`
	// ValueFrom is the source of the value. Not together with Value.
	ValueFrom *ValueSource `json:"-"`
}

// referenceJSON is the JSON of a reference.
type referenceJSON struct {
	ValueFrom *ValueSource `json:"valueFrom"`
}

// MarshalJSON implements json.Marshaler.
func (h HeaderValue) MarshalJSON() ([]byte, error) {
	if h.ValueFrom != nil {
		return json.Marshal(referenceJSON{h.ValueFrom})
	}
	return json.Marshal(h.Value)
}

// UnmarshalJSON implements json.Unmarshaler. An object that is not a reference is an error,
// even where unknown fields are tolerated: an object cannot be a header's value.
func (h *HeaderValue) UnmarshalJSON(data []byte) error {
	*h = HeaderValue{}
	if !bytes.HasPrefix(data, []byte("{")) {
		if err := json.Unmarshal(data, &h.Value); err != nil {
			return fmt.Errorf("a header's value must be a string or {valueFrom: {secretRef: NAME}}, not %s", shortened(data))
		}
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var reference referenceJSON
	if err := decoder.Decode(&reference); err != nil || reference.ValueFrom == nil {
		return fmt.Errorf("a header's value must be a string or {valueFrom: {secretRef: NAME}}")
	}
	h.ValueFrom = reference.ValueFrom
	return nil
}

func shortened(data []byte) string {
	const most = 40
	if len(data) > most {
		return string(data[:most]) + "…"
	}
	return string(data)
}

// SecretRef is one reference to a secret in a JSON value.
type SecretRef struct {
	// Path is the path to the reference, e.g. ".user.password" or "[0]"; empty for the whole
	// value.
	Path string
	// Name is the secret's name.
	Name string

	start, end int
}

// SecretRefs returns the references {"valueFrom": {"secretRef": NAME}} in j, in order. A nil
// j has none. An error names a place that looks like a reference and is not one.
func (j *JSON) SecretRefs() ([]SecretRef, error) {
	if j == nil || !bytes.Contains(j.Raw, []byte(`"valueFrom"`)) {
		return nil, nil
	}
	s := refScan{decoder: json.NewDecoder(bytes.NewReader(j.Raw))}
	s.decoder.UseNumber()
	if err := s.value(""); err != nil {
		return nil, err
	}
	return s.refs, nil
}

// Resolve returns a copy of j with each reference replaced by the result of value.
func (j JSON) Resolve(refs []SecretRef, value func(SecretRef) (string, error)) (JSON, error) {
	if len(refs) == 0 {
		return j, nil
	}
	var out []byte
	at := 0
	for _, ref := range refs {
		text, err := value(ref)
		if err != nil {
			return JSON{}, err
		}
		var quoted bytes.Buffer
		encoder := json.NewEncoder(&quoted)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(text); err != nil {
			return JSON{}, err
		}
		out = append(append(out, j.Raw[at:ref.start]...), bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
		at = ref.end
	}
	return JSON{Raw: append(out, j.Raw[at:]...)}, nil
}

// refScan walks over a JSON value.
type refScan struct {
	decoder *json.Decoder
	refs    []SecretRef
}

func (s *refScan) value(path string) error {
	token, err := s.decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return s.object(path)
	case json.Delim('['):
		for i := 0; s.decoder.More(); i++ {
			if err := s.value(fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		_, err = s.decoder.Token()
	}
	return err
}

// object reads the members of an object, whose brace has been read.
func (s *refScan) object(path string) error {
	start, found := int(s.decoder.InputOffset())-1, len(s.refs)
	members, begins := 0, false
	name := ""
	for ; s.decoder.More(); members++ {
		key, err := s.decoder.Token()
		if err != nil {
			return err
		}
		if key != "valueFrom" {
			if err := s.value(fmt.Sprintf("%s.%v", path, key)); err != nil {
				return err
			}
			continue
		}
		var source json.RawMessage
		if err := s.decoder.Decode(&source); err != nil {
			return err
		}
		var from map[string]any
		if bytes.HasPrefix(source, []byte("{")) {
			if err := json.Unmarshal(source, &from); err != nil {
				return err
			}
		}
		if _, ok := from["secretRef"]; ok {
			begins = true
			if only, ok := from["secretRef"].(string); ok && len(from) == 1 {
				name = only
			}
		} else if err := s.inner(source, int(s.decoder.InputOffset())-len(source), path+".valueFrom"); err != nil {
			return err
		}
	}
	if _, err := s.decoder.Token(); err != nil {
		return err
	}
	if !begins {
		return nil
	}
	if name == "" || members != 1 {
		return errors.New(at(path) + "a reference must be {valueFrom: {secretRef: NAME}} and nothing else; to send such an object as it stands, write the body as a string")
	}
	s.refs = append(s.refs[:found], SecretRef{Path: path, Name: name, start: start, end: int(s.decoder.InputOffset())})
	return nil
}

// inner adds the references in a part of the value.
func (s *refScan) inner(part json.RawMessage, offset int, path string) error {
	refs, err := (&JSON{Raw: part}).SecretRefs()
	for _, ref := range refs {
		ref.Path, ref.start, ref.end = path+ref.Path, offset+ref.start, offset+ref.end
		s.refs = append(s.refs, ref)
	}
	if err != nil {
		return fmt.Errorf("%s%w", at(path), err)
	}
	return nil
}

// at is a place as the beginning of an error.
func at(path string) string {
	if path == "" {
		return ""
	}
	return strings.TrimPrefix(path, ".") + ": "
}
