package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindJobExplanation is the kind of the answer to GET …/jobs/NAME/explain.
const KindJobExplanation = "JobExplanation"

// JobExplanation says why a job is where it is. It is computed when it is asked for
// and never stored.
//
// +kubebuilder:skip
// +kubebuilder:object:generate=false
type JobExplanation struct {
	metav1.TypeMeta `json:",inline"`

	// name and namespace are the job's.
	Name      string `json:"name"`
	Namespace string `json:"namespace"`

	// phase, reason and message are those of the job's status.
	Phase   JobPhase `json:"phase"`
	Reason  string   `json:"reason,omitempty"`
	Message string   `json:"message,omitempty"`

	// since is since when the job is in that phase, as far as that is known.
	Since *metav1.MicroTime `json:"since,omitempty"`

	// position is how many jobs are expected to start before it. Unset: it is not in
	// the queue, or next.
	Position int32 `json:"position,omitempty"`

	// blockedBy is everything that keeps a queued job from starting; never empty for
	// a queued job that does not start right now.
	BlockedBy []Blocker `json:"blockedBy,omitempty"`

	// estimatedStart is when it may be expected to start, from the recent run times of
	// jobs. Unset: that cannot be said, or it runs or has finished.
	EstimatedStart *metav1.MicroTime `json:"estimatedStart,omitempty"`

	// advice is what a person can do about it.
	Advice string `json:"advice,omitempty"`
}
