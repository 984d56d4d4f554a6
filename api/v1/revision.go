package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Revision is a good state of a compose project: the rendered compose file of a deploy that
// succeeded, and the exact images that ran. A revision is immutable. It is removed when the
// limit of revisions is reached.
type Revision struct {
	// number counts the revisions of the project, from 1, over all workspaces.
	Number int64 `json:"number"`
	// project is the compose project.
	Project string `json:"project"`
	// time is when the deploy succeeded.
	Time metav1.Time `json:"time"`
	// job and attempt are those of the deploy.
	Job     string `json:"job"`
	Attempt string `json:"attempt"`
	// rollbackOf is the revision that this one restored. Unset: the deploy used a compose
	// file.
	// +optional
	RollbackOf int64 `json:"rollbackOf,omitempty"`
	// services are the project's, sorted by name.
	Services []RevisionService `json:"services"`
	// secrets are the names of the secrets that the revision refers to, without values.
	// +optional
	Secrets []string `json:"secrets,omitempty"`
	// compose is the compose file with its images pinned, in YAML.
	// +optional
	Compose string `json:"compose,omitempty"`
	// diff is the unified diff of compose against the previous revision. Set on request,
	// if there is a previous one.
	// +optional
	Diff string `json:"diff,omitempty"`
	// damaged is the problem of the revision's file. Only number and project of such a
	// revision are known, and it cannot be restored.
	// +optional
	Damaged string `json:"damaged,omitempty"`
}

// RevisionService is the image and configuration of one service.
type RevisionService struct {
	// name is the service's.
	Name string `json:"name"`
	// image is the name that the compose file gives, and imageID the image that ran.
	Image   string `json:"image"`
	ImageID string `json:"imageID"`
	// digest is the image's name in its registry (repository@sha256:…). Unset: it is in
	// none.
	// +optional
	Digest string `json:"digest,omitempty"`
	// configHash is compose's hash of the service's configuration.
	ConfigHash string `json:"configHash"`
	// replicas is how many containers it had.
	Replicas int `json:"replicas"`
	// state is the state of its containers: running, or completed after exit code 0. Unset:
	// the revision was saved by an earlier version.
	// +optional
	State RevisionState `json:"state,omitempty"`
}

// RevisionState is the state of a service's containers in a revision.
type RevisionState string

// The states of a service in a revision.
const (
	RevisionRunning   RevisionState = "running"
	RevisionCompleted RevisionState = "completed"
)

// RevisionList is the answer to a request for revisions, the newest first.
type RevisionList struct {
	Items []Revision `json:"items"`
}
