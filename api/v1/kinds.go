package v1

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// KindSet is the set of kinds of a store, server or client, in the order in which objects
// must be applied: kinds that contain others come first.
//
// +kubebuilder:object:generate=false
type KindSet []Kind

// ours is never modified; programs with other kinds create their own set.
var ours = sync.OnceValue(func() KindSet { return KindsWith(ourPayloads()) })

// KindsWith returns the kinds of this version with other payloads of jobs.
func KindsWith(payloads PayloadSet) KindSet {
	return KindSet{workspaceKind(payloads), jobKind(payloads)}
}

// Payloads returns the payloads of the kind Job of the set.
func (s KindSet) Payloads() PayloadSet {
	job, _ := s.ByName(KindJob)
	return job.Payloads
}

// Kinds returns the kinds of this version.
func Kinds() KindSet { return slices.Clone(ours()) }

// KindByName finds a kind of this version by its name as manifests spell it.
func KindByName(name string) (Kind, bool) { return ours().ByName(name) }

// ByName finds a kind by its name as manifests spell it.
func (s KindSet) ByName(name string) (Kind, bool) {
	for i := range s {
		if s[i].Name == name {
			return s[i], true
		}
	}
	return Kind{}, false
}

// KindOf returns the kind in the object's TypeMeta, or "".
func KindOf(obj Object) string {
	kind := obj.GetObjectKind()
	if meta, ok := kind.(*metav1.TypeMeta); ok {
		return meta.Kind // GroupVersionKind would parse the apiVersion
	}
	return kind.GroupVersionKind().Kind
}

// Of finds the kind of an object by its TypeMeta, or else by its Go type.
func (s KindSet) Of(obj Object) (Kind, bool) {
	if name := KindOf(obj); name != "" {
		return s.ByName(name)
	}
	for i := range s {
		if reflect.TypeOf(s[i].New()) == reflect.TypeOf(obj) {
			return s[i], true
		}
	}
	return Kind{}, false
}

// Validate validates an object of any kind in the set as one that was read from somewhere
// else: its status too, which only a controller writes, is one that can be.
func (s KindSet) Validate(obj Object) error {
	kind, ok := s.Of(obj)
	if !ok {
		return fmt.Errorf("unknown kind %T", obj)
	}
	return append(kind.Validate(obj), kind.ValidateStatus(obj, obj)...).ToAggregate()
}

// Kind is one kind as data: its names, and everything that differs between kinds. All
// objects that its functions take are of this kind.
//
// +kubebuilder:object:generate=false
type Kind struct {
	// Name is the kind as manifests spell it, e.g. "Job".
	Name string
	// Resource is the plural in URLs, e.g. "jobs".
	Resource string
	// Singular and ShortNames are accepted by commands in place of Resource.
	Singular   string
	ShortNames []string
	// Namespaced tells whether objects of this kind live in a workspace.
	Namespaced bool
	// Payloads are the payloads of the kind Job; other kinds have none.
	Payloads PayloadSet
	// New returns an empty object of this kind with apiVersion and kind set.
	New func() Object
	// Columns are the table columns beside name and age.
	Columns []Column
	// Summary returns the fields that an index keeps: type and phase of a job, both empty
	// for other kinds.
	Summary func(Object) (JobType, JobPhase)

	validate       func(Object) field.ErrorList
	validateUpdate func(obj, old Object) field.ErrorList
	validateStatus func(obj, old Object) field.ErrorList
	prepareCreate  func(obj Object, trusted bool)
	prepareUpdate  func(obj, old Object)
	stored         func(Object) Object
	merged         func(obj, current Object)
}

// Strategy holds the rules of one kind, whose objects have the Go type T. An unset field
// means the default that Kind documents.
//
// +kubebuilder:object:generate=false
type Strategy[T Object] struct {
	// New returns an empty object with apiVersion and kind set. Required.
	New func() T
	// Validate, ValidateUpdate and ValidateStatus implement the methods of Kind.
	Validate       func(T) field.ErrorList
	ValidateUpdate func(obj, old T) field.ErrorList
	ValidateStatus func(obj, old T) field.ErrorList
	// PrepareForCreate, PrepareForUpdate, Stored and Merge extend the methods of Kind.
	PrepareForCreate func(obj T, trusted bool)
	PrepareForUpdate func(obj, old T)
	Stored           func(T) T
	Merge            func(obj, current T)
	// Summary and Columns implement the fields of Kind.
	Summary func(T) (JobType, JobPhase)
	Columns []ColumnOf[T]
}

// DefineKind completes k, which has its names, with a strategy.
func DefineKind[T Object](k Kind, s Strategy[T]) Kind {
	k.New = func() Object { return s.New() }
	k.Summary = func(obj Object) (JobType, JobPhase) {
		if s.Summary == nil {
			return "", ""
		}
		return s.Summary(obj.(T))
	}
	k.validate, k.validateUpdate, k.validateStatus = one(s.Validate), two(s.ValidateUpdate), two(s.ValidateStatus)
	k.prepareCreate = func(obj Object, trusted bool) {
		if s.PrepareForCreate != nil {
			s.PrepareForCreate(obj.(T), trusted)
		}
	}
	k.prepareUpdate = func(obj, old Object) {
		if s.PrepareForUpdate != nil {
			s.PrepareForUpdate(obj.(T), old.(T))
		}
	}
	k.stored = func(obj Object) Object {
		if s.Stored == nil {
			return obj
		}
		return s.Stored(obj.(T))
	}
	k.merged = func(obj, current Object) {
		if s.Merge != nil {
			s.Merge(obj.(T), current.(T))
		}
	}
	for _, c := range s.Columns {
		k.Columns = append(k.Columns, c.column())
	}
	return k
}

func one[T Object](f func(T) field.ErrorList) func(Object) field.ErrorList {
	return func(obj Object) field.ErrorList {
		if f == nil {
			return nil
		}
		return f(obj.(T))
	}
}

func two[T Object](f func(a, b T) field.ErrorList) func(a, b Object) field.ErrorList {
	return func(a, b Object) field.ErrorList {
		if f == nil {
			return nil
		}
		return f(a.(T), b.(T))
	}
}

// Validate validates an object before its creation.
func (k Kind) Validate(obj Object) field.ErrorList { return k.validate(obj) }

// ValidateUpdate validates an object that will replace old.
func (k Kind) ValidateUpdate(obj, old Object) field.ErrorList { return k.validateUpdate(obj, old) }

// ValidateStatus validates a change of the status alone, from old to obj.
func (k Kind) ValidateStatus(obj, old Object) field.ErrorList { return k.validateStatus(obj, old) }

// PrepareForCreate clears the fields that only the server sets: the status, and those that
// the strategy names. trusted means that the request may act for others.
func (k Kind) PrepareForCreate(obj Object, trusted bool) {
	part(obj, "Status").SetZero()
	k.prepareCreate(obj, trusted)
}

// PrepareForUpdate prepares obj, which will replace old, for validation and storage: it
// copies the status of old and the other fields that a client cannot change.
func (k Kind) PrepareForUpdate(obj, old Object) {
	part(obj, "Status").Set(part(old, "Status"))
	k.prepareUpdate(obj, old)
}

// WithStatus returns a copy of old with the status of obj.
func (k Kind) WithStatus(old, obj Object) Object {
	changed, from := copyOf(old), k.Stored(copyOf(obj))
	part(changed, "Status").Set(part(from, "Status"))
	return changed
}

// Spec returns the spec of an object for reading.
func (k Kind) Spec(obj Object) any { return part(obj, "Spec").Interface() }

// Stored returns obj without its computed fields, as it is stored. The result shares memory
// with obj.
func (k Kind) Stored(obj Object) Object { return k.stored(obj) }

// Merge returns current with the spec of obj, for apply. The strategy restores the fields
// that apply does not change.
func (k Kind) Merge(current, obj Object) Object {
	merged := copyOf(current)
	part(merged, "Spec").Set(part(copyOf(obj), "Spec"))
	k.merged(merged, current)
	return merged
}

func copyOf(obj Object) Object {
	same, _ := obj.DeepCopyObject().(Object) // generated code returns its own type
	return same
}

// part is the spec or the status of an object; every kind has both.
func part(obj Object, name string) reflect.Value {
	return reflect.ValueOf(obj).Elem().FieldByName(name)
}
