package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Project is a compose project of a workspace: what runs of it, and what the server keeps
// of it. Nobody creates one: the first up of a project does. Deleting one forgets what is
// kept.
type Project struct {
	// name is the compose project's.
	Name string `json:"name"`
	// state is up when every container runs or has ended with exit code 0, mixed when some
	// do not, and down when there are no containers.
	State ProjectState `json:"state"`
	// services are those that have containers, sorted by name.
	Services []ProjectService `json:"services"`
	// revisions is how many revisions are kept, and newest the number of the newest. Unset:
	// none.
	// +optional
	Revisions int `json:"revisions,omitempty"`
	// +optional
	Newest int64 `json:"newest,omitempty"`
	// deployed is when the newest revision was found good. Unset: none is kept.
	// +optional
	Deployed *metav1.Time `json:"deployed,omitempty"`
	// images is how many images are held for its revisions, and imageBytes their size in
	// the engine; layers that images share count for each of them.
	Images     int   `json:"images"`
	ImageBytes int64 `json:"imageBytes"`
}

// ProjectState is how a project's containers stand.
type ProjectState string

// The states of a project.
const (
	ProjectUp    ProjectState = "up"
	ProjectMixed ProjectState = "mixed"
	ProjectDown  ProjectState = "down"
)

// ProjectService is one service of a project that has containers.
type ProjectService struct {
	// name is the service's.
	Name string `json:"name"`
	// containers is how many it has, and running how many of them run.
	Containers int `json:"containers"`
	Running    int `json:"running"`
}

// ProjectList is the answer to a request for projects, sorted by name.
type ProjectList struct {
	Items []Project `json:"items"`
}
