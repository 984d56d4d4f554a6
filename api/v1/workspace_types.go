package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Workspace is the namespace in which jobs live. It is cluster-scoped; its name
// is the metadata.namespace of its objects, which are invisible from every other
// workspace. The workspace "default" always exists.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=workspaces,singular=workspace,shortName=ws,scope=Cluster
// +kubebuilder:printcolumn:name="Display-Name",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Workspace struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the operator asks for.
	// +optional
	Spec WorkspaceSpec `json:"spec,omitzero"`

	// status is what the controller has observed.
	// +optional
	Status WorkspaceStatus `json:"status,omitzero"`
}

// WorkspaceSpec is what the operator asks of a workspace.
type WorkspaceSpec struct {
	// displayName is shown to people beside the name. It may change at any time.
	// Unset: the name.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	DisplayName string `json:"displayName,omitempty"`

	// weight is the workspace's share of the slots when several have queued jobs.
	// It may change at any time. Unset: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Weight *int32 `json:"weight,omitempty"`

	// maxRunning is how many of its jobs may run at once. Unset: no limit of its
	// own.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxRunning *int32 `json:"maxRunning,omitempty"`

	// maxQueued is how many of its jobs may be queued; more are refused at
	// creation. Unset: no limit of its own.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxQueued *int32 `json:"maxQueued,omitempty"`

	// suspend keeps every job of the workspace from starting. Running jobs go on.
	// Unset: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// suspendTypes keeps the jobs of these types from starting. Unset: none.
	// +optional
	// +listType=set
	SuspendTypes []JobType `json:"suspendTypes,omitempty"`

	// members gives people and services their roles in the workspace. This version
	// does not support it yet and refuses it. Unset: nobody but the operator.
	// +optional
	// +kubebuilder:validation:MaxItems=1000
	Members []WorkspaceMember `json:"members,omitempty"`
}

// WorkspaceMember gives one person or service a role.
type WorkspaceMember struct {
	// email names the member as its token does. One of email and id is required.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Email string `json:"email,omitempty"`
	// id names the member as its token does. One of email and id is required.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ID string `json:"id,omitempty"`
	// role is what the member may do. Required.
	Role WorkspaceRole `json:"role"`
}

// WorkspaceRole is what a member may do.
// +kubebuilder:validation:Enum=viewer;editor;admin
type WorkspaceRole string

// The roles of a workspace.
const (
	RoleViewer WorkspaceRole = "viewer"
	RoleEditor WorkspaceRole = "editor"
	RoleAdmin  WorkspaceRole = "admin"
)

// WorkspaceStatus is what the controller has observed of a Workspace.
type WorkspaceStatus struct {
	// observedGeneration is the metadata.generation that this status reflects.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// WorkspaceList is a list of Workspaces.
//
// +kubebuilder:object:root=true
type WorkspaceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Workspace `json:"items"`
}
