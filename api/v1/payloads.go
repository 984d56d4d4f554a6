package v1

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// PayloadSet is the registry of payloads: the types that a Job may have, in the order in
// which errors, help and the page name them. Server, client and command line have it from
// the kind Job of their KindSet.
//
// +kubebuilder:object:generate=false
type PayloadSet []Payload

// ourPayloads is never modified; programs with other payloads create their own set.
var ourPayloads = sync.OnceValue(func() PayloadSet {
	return PayloadSet{buildPayload(), deployPayload(), apiCallPayload()}
})

// Payloads returns the payloads of this version.
func Payloads() PayloadSet { return slices.Clone(ourPayloads()) }

// Payload is the payload of one type of job as data: its names, and everything that differs
// between types outside of the action itself.
//
// +kubebuilder:object:generate=false
type Payload struct {
	// Type is the type that the payload belongs to.
	Type JobType
	// Field is the payload's name in the spec. For a payload in JobSpec.Custom it is the
	// type.
	Field string
	// Command is the subcommand of jobwright run.
	Command string
	// Title and About describe the type on the page and in help.
	Title, About string
	// RecordWithout is the name of a field: a job without it is a tracking record, and needs
	// no payload. Empty: the payload is required.
	RecordWithout string
	// Facts are the facts that attempts report. Failure rules on other facts are refused. A
	// fact without a field of its own in FailureRule is a criterion under its own name.
	Facts []Fact
	// IdleTimeoutSeconds is the default of spec.idleTimeoutSeconds; 0: no limit.
	IdleTimeoutSeconds int64
	// IdleLimit describes for a person the limit of a job without an idle limit. Nil: none.
	IdleLimit func(*JobSpec) string
	// New returns a pointer to an empty payload.
	New func() any

	get       func(*JobSpec) (payload any, set bool)
	put       func(*JobSpec, any) error
	validate  func(any, *field.Path) field.ErrorList
	keepTexts func(s, was *JobSpec)
}

// PayloadStrategy holds the rules of a payload of the Go type T.
//
// +kubebuilder:object:generate=false
type PayloadStrategy[T any] struct {
	// In returns the payload's field of a spec. Nil: the payload is in JobSpec.Custom.
	In func(*JobSpec) **T
	// Validate validates a payload. Nil: every payload is valid.
	Validate func(*T, *field.Path) field.ErrorList
	// KeepTexts restores the texts of JSON values that are equal to the old ones. Nil: the
	// payload has no JSON values.
	KeepTexts func(payload, was *T)
}

// DefinePayload completes p, which has its names, with a strategy.
func DefinePayload[T any](p Payload, s PayloadStrategy[T]) Payload {
	p.New = func() any { return new(T) }
	p.validate = func(payload any, path *field.Path) field.ErrorList {
		if s.Validate == nil {
			return nil
		}
		return s.Validate(payload.(*T), path)
	}
	if s.In == nil {
		p.Field = string(p.Type)
		p.get, p.put, p.keepTexts = getCustom[T](p.Field), putCustom(p.Field), keepCustomText(p.Field)
		return p
	}
	p.get = func(spec *JobSpec) (any, bool) { return *s.In(spec), *s.In(spec) != nil }
	p.put = func(spec *JobSpec, payload any) error {
		*s.In(spec) = payload.(*T)
		return nil
	}
	p.keepTexts = func(spec, was *JobSpec) {
		if now, old := *s.In(spec), *s.In(was); now != nil && old != nil && s.KeepTexts != nil {
			s.KeepTexts(now, old)
		}
	}
	return p
}

// IsSet reports whether the spec has the payload.
func (p Payload) IsSet(spec *JobSpec) bool {
	if _, ok := spec.Custom[p.Field]; ok {
		return true
	}
	_, ok := p.get(spec)
	return ok
}

// Get returns the payload of the spec, a pointer of the type that New returns; nil if the
// spec has none, or one that cannot be decoded.
func (p Payload) Get(spec *JobSpec) any {
	payload, ok := p.get(spec)
	if !ok {
		return nil
	}
	return payload
}

// Put sets the payload of the spec, a pointer of the type that New returns.
func (p Payload) Put(spec *JobSpec, payload any) error { return p.put(spec, payload) }

// ByType returns the payload of a type.
func (s PayloadSet) ByType(t JobType) (Payload, bool) {
	return s.find(func(p Payload) bool { return p.Type == t })
}

// ByField returns the payload with a name in the spec.
func (s PayloadSet) ByField(name string) (Payload, bool) {
	return s.find(func(p Payload) bool { return p.Field == name })
}

func (s PayloadSet) find(is func(Payload) bool) (Payload, bool) {
	if i := slices.IndexFunc(s, is); i >= 0 {
		return s[i], true
	}
	return Payload{}, false
}

// Types returns the types of the payloads.
func (s PayloadSet) Types() []JobType {
	types := make([]JobType, 0, len(s))
	for _, p := range s {
		types = append(types, p.Type)
	}
	return types
}

// reporting returns the types whose attempts report a fact.
func (s PayloadSet) reporting(fact Fact) []JobType {
	var types []JobType
	for _, p := range s {
		if slices.Contains(p.Facts, fact) {
			types = append(types, p.Type)
		}
	}
	slices.Sort(types)
	return types
}

// HasCriterion reports whether a failure rule may have a fact as a custom criterion.
func (s PayloadSet) HasCriterion(name string) bool {
	ours := slices.ContainsFunc(Criteria(), func(c Criterion) bool { return string(c.Fact) == name || c.Field == name })
	return !ours && len(s.reporting(Fact(name))) > 0
}

// typeOf returns the type of the only payload of a spec; empty unless there is exactly one.
func (s PayloadSet) typeOf(spec *JobSpec) JobType {
	var found []JobType
	for _, p := range s {
		if p.IsSet(spec) {
			found = append(found, p.Type)
		}
	}
	for name := range spec.Custom {
		if _, ok := s.ByField(name); !ok {
			found = append(found, JobType(name)) // validation says whether there is such a type
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// fields lists the names of the payloads for a message.
func (s PayloadSet) fields() string {
	names := make([]string, 0, len(s))
	for _, p := range s {
		names = append(names, p.Field)
	}
	if n := len(names) - 1; n > 0 {
		return strings.Join(names[:n], ", ") + " and " + names[n]
	}
	return strings.Join(names, "")
}

// validatePayload checks that the type is known, that exactly its payload is set, and the
// payload itself. A tracking record may have none.
func (s PayloadSet) validatePayload(spec *JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	own, known := s.ByType(spec.Type)
	switch {
	case spec.Type == "":
		errs = append(errs, field.Required(path.Child("type"), fmt.Sprintf("set it, or set exactly one of %s", s.fields())))
	case !known:
		errs = append(errs, field.NotSupported(path.Child("type"), spec.Type, s.Types()))
	case own.RecordWithout == "" && !own.IsSet(spec):
		errs = append(errs, field.Required(path.Child(own.Field), fmt.Sprintf("type is %s", spec.Type)))
	}
	for _, p := range s {
		if !p.IsSet(spec) {
			continue
		}
		at := path.Child(p.Field)
		if known && p.Type != spec.Type {
			errs = append(errs, field.Forbidden(at, fmt.Sprintf("may not be set when type is %s", spec.Type)))
		}
		payload := p.Get(spec)
		if payload == nil {
			errs = append(errs, field.Invalid(at, field.OmitValueType{}, fmt.Sprintf("is not a payload of type %s", p.Type)))
			continue
		}
		errs = append(errs, p.validate(payload, at)...)
	}
	for _, name := range sortedKeys([]string(nil), spec.Custom) {
		if _, ok := s.ByField(name); !ok {
			errs = append(errs, field.Forbidden(path.Child(name), "unknown field"))
		}
	}
	return errs
}

// CustomPayload decodes the payload of a job in JobSpec.Custom. Runners of such types use it.
func CustomPayload[T any](job *Job) (*T, error) {
	raw, ok := job.Spec.Custom[string(job.Spec.Type)]
	if !ok {
		return nil, fmt.Errorf("spec.%s is not set", job.Spec.Type)
	}
	payload := new(T)
	if err := json.Unmarshal(raw.Raw, payload); err != nil {
		return nil, fmt.Errorf("spec.%s: %w", job.Spec.Type, err)
	}
	return payload, nil
}
