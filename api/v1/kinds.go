package v1

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// KindSet is the kinds that a store, a server or a client knows, in the order in which
// their objects must be applied: what others live in comes first.
//
// +kubebuilder:object:generate=false
type KindSet []Kind

// ours is never changed; whoever wants other kinds makes a set of their own.
var ours = sync.OnceValue(func() KindSet { return KindsWith(ourPayloads()) })

// KindsWith are the kinds of this version with jobs of other types.
func KindsWith(payloads PayloadSet) KindSet {
	return KindSet{workspaceKind(payloads), jobKind(payloads)}
}

// Payloads are those that the jobs of the set may have.
func (s KindSet) Payloads() PayloadSet {
	job, _ := s.ByName(KindJob)
	return job.Payloads
}

// Kinds are those of this version.
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

// KindOf is the kind that the object itself says; empty: it says none.
func KindOf(obj Object) string {
	kind := obj.GetObjectKind()
	if meta, ok := kind.(*metav1.TypeMeta); ok {
		return meta.Kind // GroupVersionKind would parse the apiVersion
	}
	return kind.GroupVersionKind().Kind
}

// Of finds the kind of an object: by its type if it does not say its kind.
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

// Validate says what is wrong with an object of one of the kinds.
func (s KindSet) Validate(obj Object) error {
	kind, ok := s.Of(obj)
	if !ok {
		return fmt.Errorf("unknown kind %T", obj)
	}
	return kind.Validate(obj).ToAggregate()
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
	// Singular and ShortNames are what a person may type instead of Resource.
	Singular   string
	ShortNames []string
	// Namespaced tells whether objects of this kind live in a workspace.
	Namespaced bool
	// Payloads are those that its objects may have in JobSpec.Custom and beside it. No kind
	// but Job has any.
	Payloads PayloadSet
	// New returns an empty object of this kind with apiVersion and kind set.
	New func() Object
	// Columns are what a table shows of an object beside its name and age.
	Columns []Column
	// Summary is what an index keeps of an object: the type and phase of what runs,
	// both empty for any other kind.
	Summary func(Object) (JobType, JobPhase)

	validate       func(Object) field.ErrorList
	validateUpdate func(obj, old Object) field.ErrorList
	validateStatus func(obj, old Object) field.ErrorList
	prepareCreate  func(obj Object, trusted bool)
	prepareUpdate  func(obj, old Object)
	stored         func(Object) Object
	merged         func(obj, current Object)
}

// Strategy is what is particular to the kind whose objects are of type T. Whatever is
// unset means the rule that Kind documents and no more.
//
// +kubebuilder:object:generate=false
type Strategy[T Object] struct {
	// New returns an empty object with apiVersion and kind set. Required.
	New func() T
	// Validate, ValidateUpdate and ValidateStatus are those of Kind.
	Validate       func(T) field.ErrorList
	ValidateUpdate func(obj, old T) field.ErrorList
	ValidateStatus func(obj, old T) field.ErrorList
	// PrepareForCreate, PrepareForUpdate, Stored and Merge add to those of Kind.
	PrepareForCreate func(obj T, trusted bool)
	PrepareForUpdate func(obj, old T)
	Stored           func(T) T
	Merge            func(obj, current T)
	// Summary and Columns are those of Kind.
	Summary func(T) (JobType, JobPhase)
	Columns []ColumnOf[T]
}

// DefineKind makes a kind of its names, which are set in k, and its strategy.
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

// Validate says what is wrong with an object that is created.
func (k Kind) Validate(obj Object) field.ErrorList { return k.validate(obj) }

// ValidateUpdate says what is wrong with an object that replaces old.
func (k Kind) ValidateUpdate(obj, old Object) field.ErrorList { return k.validateUpdate(obj, old) }

// ValidateStatus says what forbids the change from old to obj, which differs from it in
// its status alone.
func (k Kind) ValidateStatus(obj, old Object) field.ErrorList { return k.validateStatus(obj, old) }

// PrepareForCreate clears what only the server sets: the status and what belongs to the
// kind. trusted tells that the request may speak for others.
func (k Kind) PrepareForCreate(obj Object, trusted bool) {
	part(obj, "Status").SetZero()
	k.prepareCreate(obj, trusted)
}

// PrepareForUpdate brings obj, which is about to replace old, into the form in which it is
// validated and stored: with the status of old, and what else a client does not change.
func (k Kind) PrepareForUpdate(obj, old Object) {
	part(obj, "Status").Set(part(old, "Status"))
	k.prepareUpdate(obj, old)
}

// WithStatus is a copy of old with the status of obj.
func (k Kind) WithStatus(old, obj Object) Object {
	changed, from := copyOf(old), k.Stored(copyOf(obj))
	part(changed, "Status").Set(part(from, "Status"))
	return changed
}

// Spec is the spec of an object, to be read.
func (k Kind) Spec(obj Object) any { return part(obj, "Spec").Interface() }

// Stored is obj as it is stored: without what is computed when it is read. It shares
// memory with obj.
func (k Kind) Stored(obj Object) Object { return k.stored(obj) }

// Merge is current with the spec of obj, as apply makes it, and with what apply leaves as
// it is.
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
