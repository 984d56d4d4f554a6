package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindJobExplanation is the kind of the answer to GET …/jobs/NAME/explain.
const KindJobExplanation = "JobExplanation"

// JobExplanation explains the phase of a job. It is computed on request and never stored.
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

	// since is when the job entered the phase. Unset: that is not known.
	Since *metav1.MicroTime `json:"since,omitempty"`

	// position is the number of jobs expected to start before this one. Unset: the job
	// is next, or not in the queue.
	Position int32 `json:"position,omitempty"`

	// blockedBy lists everything that keeps a queued job from starting. It is empty only
	// if the job can start now.
	BlockedBy []Blocker `json:"blockedBy,omitempty"`

	// estimatedStart is the expected start, estimated from recent run times. Unset: there
	// is no estimate, or the job runs or has finished.
	EstimatedStart *metav1.MicroTime `json:"estimatedStart,omitempty"`

	// advice is a suggestion for a person.
	Advice string `json:"advice,omitempty"`
}
