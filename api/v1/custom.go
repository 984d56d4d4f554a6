package v1

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// MarshalJSON implements json.Marshaler: custom payloads stand beside the fields.
func (s JobSpec) MarshalJSON() ([]byte, error) {
	type fields JobSpec // without this method
	return appendRest(fields(s), s.Custom)
}

// encodable returns the spec for encoding/json. Without custom payloads the result has no
// MarshalJSON, which costs a second pass.
func (s *JobSpec) encodable() any {
	type fields JobSpec
	if len(s.Custom) > 0 {
		return s
	}
	return (*fields)(s)
}

// UnmarshalJSON implements json.Unmarshaler: unknown members become custom payloads, which
// validation checks against the payloads of the kind.
func (s *JobSpec) UnmarshalJSON(data []byte) error {
	type fields JobSpec
	if err := json.Unmarshal(data, (*fields)(s)); err != nil {
		return err
	}
	return takeRest(data, specFields(), &s.Custom)
}

// MarshalJSON implements json.Marshaler: custom criteria stand beside the fields.
func (r FailureRule) MarshalJSON() ([]byte, error) {
	type fields FailureRule
	return appendRest(fields(r), r.Custom)
}

// UnmarshalJSON implements json.Unmarshaler: unknown members become custom criteria, which
// validation checks against the facts of the job's type.
func (r *FailureRule) UnmarshalJSON(data []byte) error {
	type fields FailureRule
	if err := json.Unmarshal(data, (*fields)(r)); err != nil {
		return err
	}
	return takeRest(data, ruleFields(), &r.Custom)
}

// appendRest encodes a struct and appends the members in rest.
func appendRest(fields any, rest map[string]JSON) ([]byte, error) {
	var e appender
	e.value(fields) // whether <, > and & are escaped is for the caller's encoder to say
	if e.err != nil || len(rest) == 0 {
		return e.b, e.err
	}
	e.b = bytes.TrimSuffix(e.b, []byte("}"))
	for _, name := range sortedKeys([]string(nil), rest) {
		e.key(name)
		e.json(rest[name])
	}
	e.close('}')
	return e.b, e.err
}

// takeRest copies the members of an object that are not among fields into rest.
func takeRest(data []byte, fields []string, rest *map[string]JSON) error {
	if onlyFields(data, fields) {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for name, raw := range members {
		if isField(name, fields) {
			continue
		}
		var value JSON
		if err := value.UnmarshalJSON(raw); err != nil {
			return err
		}
		if *rest == nil {
			*rest = map[string]JSON{}
		}
		(*rest)[name] = value
	}
	return nil
}

// onlyFields reports whether data is compact JSON and all its members are among fields.
func onlyFields(data []byte, fields []string) bool {
	r := reader{b: data}
	for more := r.first('{', '}'); more; more = r.another('}') {
		if !isField(string(r.key()), fields) {
			return false
		}
		r.raw()
	}
	return r.whole()
}

// isField compares names as encoding/json does, without regard to case.
func isField(name string, fields []string) bool {
	return slices.ContainsFunc(fields, func(known string) bool { return strings.EqualFold(known, name) })
}

// specFields and ruleFields are the names of the fields in JSON.
var (
	specFields = sync.OnceValue(func() []string { return fieldNames(reflect.TypeFor[JobSpec]()) })
	ruleFields = sync.OnceValue(func() []string { return fieldNames(reflect.TypeFor[FailureRule]()) })
)

func fieldNames(structure reflect.Type) []string {
	var names []string
	for field := range structure.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// HasCustom reports whether the spec has custom payloads or criteria. Decoders of client
// input must check these against the payloads of the kind.
func (j *Job) HasCustom() bool {
	if len(j.Spec.Custom) > 0 || j.Spec.FailurePolicy == nil {
		return len(j.Spec.Custom) > 0
	}
	return slices.ContainsFunc(j.Spec.FailurePolicy.Rules, func(r FailureRule) bool { return len(r.Custom) > 0 })
}

// getCustom returns a getter that decodes a custom payload at each call.
func getCustom[T any](name string) func(*JobSpec) (any, bool) {
	return func(spec *JobSpec) (any, bool) {
		raw, ok := spec.Custom[name]
		if !ok {
			return nil, false
		}
		payload := new(T)
		if json.Unmarshal(raw.Raw, payload) != nil {
			return nil, false
		}
		return payload, true
	}
}

func putCustom(name string) func(*JobSpec, any) error {
	return func(spec *JobSpec, payload any) error {
		value, err := NewJSON(payload)
		if err != nil {
			return err
		}
		if spec.Custom == nil {
			spec.Custom = map[string]JSON{}
		}
		spec.Custom[name] = value
		return nil
	}
}

func keepCustomText(name string) func(s, was *JobSpec) {
	return func(s, was *JobSpec) {
		value, set := s.Custom[name]
		if old, before := was.Custom[name]; set && before && value.keepText(&old) {
			s.Custom[name] = value
		}
	}
}

// changedCustom lists the members in which the custom payloads of two specs differ. A payload
// that is not an object is listed as a whole.
func changedCustom(s, was *JobSpec) []string {
	names := map[string]bool{}
	for _, spec := range []*JobSpec{s, was} {
		for name := range spec.Custom {
			names[name] = true
		}
	}
	var changed []string
	for _, name := range sortedKeys([]string(nil), names) {
		now, old := s.Custom[name], was.Custom[name]
		if now.Equal(old) {
			continue
		}
		var a, b map[string]JSON
		if json.Unmarshal(now.Raw, &a) != nil || json.Unmarshal(old.Raw, &b) != nil {
			changed = append(changed, name)
			continue
		}
		for _, member := range sortedKeys(sortedKeys([]string(nil), a), b) {
			if at := name + "." + member; !a[member].Equal(b[member]) && !slices.Contains(changed, at) {
				changed = append(changed, at)
			}
		}
	}
	return changed
}
