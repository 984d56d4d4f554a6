package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Revision is a state of a compose project that was found good: what a deploy asked for
// and the very images that ran. Nothing changes it; it goes when newer ones have filled
// its place.
type Revision struct {
	// number counts the revisions of the project, from 1, over all workspaces.
	Number int64 `json:"number"`
	// project is the compose project.
	Project string `json:"project"`
	// time is when it was found good.
	Time metav1.Time `json:"time"`
	// job is the job whose deploy it was, attempt its attempt.
	Job     string `json:"job"`
	Attempt string `json:"attempt"`
	// rollbackOf is the revision that was brought back to make this one. Unset: it was
	// deployed from a compose file.
	// +optional
	RollbackOf int64 `json:"rollbackOf,omitempty"`
	// services are the project's, sorted by name.
	Services []RevisionService `json:"services"`
	// secrets are the names of those that it refers to; their values are not kept.
	// +optional
	Secrets []string `json:"secrets,omitempty"`
	// compose is the compose file with its images pinned, in YAML.
	// +optional
	Compose string `json:"compose,omitempty"`
	// diff is the unified difference of compose to the revision before it, where that was
	// asked for and there is one.
	// +optional
	Diff string `json:"diff,omitempty"`
	// damaged says what is wrong with the revision's file; then nothing but its number and
	// project is known, and it cannot be brought back.
	// +optional
	Damaged string `json:"damaged,omitempty"`
}

// RevisionService is what one service ran from.
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
	// state is how its containers stood: running, or completed for one that had ended with
	// exit code 0. Unset: the revision is of an earlier version.
	// +optional
	State RevisionState `json:"state,omitempty"`
}

// RevisionState is how the containers of a kept service stood.
type RevisionState string

// The states of a kept service.
const (
	RevisionRunning   RevisionState = "running"
	RevisionCompleted RevisionState = "completed"
)

// RevisionList is the answer to a request for revisions, the newest first.
type RevisionList struct {
	Items []Revision `json:"items"`
}
