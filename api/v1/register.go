package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Names of the API group and of the kinds in it.
const (
	Group      = "jobwright.dev"
	Version    = "v1"
	APIVersion = Group + "/" + Version

	KindJob       = "Job"
	KindWorkspace = "Workspace"

	ResourceJobs       = "jobs"
	ResourceWorkspaces = "workspaces"

	// DefaultWorkspace always exists; a client that names no workspace means it.
	DefaultWorkspace = "default"
)

// GroupVersion is the group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: Group, Version: Version}

// Object is what every stored kind is: typed, named and versioned.
//
// +kubebuilder:object:generate=false
type Object interface {
	metav1.Object
	runtime.Object
	// Default fills what is unset with its documented default.
	Default()
}

// Kind is one of the kinds this version serves.
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
	// New returns an empty object of this kind with apiVersion and kind set.
	New func() Object
	// Validate and ValidateUpdate say what is wrong with an object that is created, or
	// replaces old. Objects are of this kind.
	Validate       func(Object) field.ErrorList
	ValidateUpdate func(obj, old Object) field.ErrorList
}

// Kinds lists every kind that is stored and served, in the order in which they
// must be applied: what others live in comes first.
func Kinds() []Kind {
	return []Kind{
		{
			Name: KindWorkspace, Resource: ResourceWorkspaces, Singular: "workspace", ShortNames: []string{"ws"},
			New: func() Object {
				return &Workspace{TypeMeta: metav1.TypeMeta{APIVersion: APIVersion, Kind: KindWorkspace}}
			},
			Validate:       func(o Object) field.ErrorList { return ValidateWorkspace(o.(*Workspace)) },
			ValidateUpdate: func(o, old Object) field.ErrorList { return ValidateWorkspaceUpdate(o.(*Workspace), old.(*Workspace)) },
		},
		{
			Name: KindJob, Resource: ResourceJobs, Singular: "job", ShortNames: []string{"jw"}, Namespaced: true,
			New:            func() Object { return &Job{TypeMeta: metav1.TypeMeta{APIVersion: APIVersion, Kind: KindJob}} },
			Validate:       func(o Object) field.ErrorList { return ValidateJob(o.(*Job)) },
			ValidateUpdate: func(o, old Object) field.ErrorList { return ValidateJobUpdate(o.(*Job), old.(*Job)) },
		},
	}
}

// KindByName finds a kind by its name as manifests spell it.
func KindByName(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
