package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
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

// Object is what every stored kind is: typed, named and versioned.
//
// +kubebuilder:object:generate=false
type Object interface {
	metav1.Object
	runtime.Object
	// Default fills what is unset with its documented default.
	Default()
}
