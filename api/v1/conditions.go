package v1

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The types of condition a Job may carry.
const (
	// ConditionComplete is True once the job has succeeded.
	ConditionComplete = "Complete"
	// ConditionFailed is True once the job has failed.
	ConditionFailed = "Failed"
	// ConditionCanceled is True once the job has been canceled.
	ConditionCanceled = "Canceled"
	// ConditionFinished is True for every terminal outcome, so that waiting for it
	// never hangs.
	ConditionFinished = "Finished"
	// ConditionSuspended is True while the job is kept from running by suspend.
	ConditionSuspended = "Suspended"
	// ConditionCanceling is True from the moment a running job is asked to stop
	// until it has.
	ConditionCanceling = "Canceling"
)

// TerminalCondition returns the condition that p stands for: Complete, Failed or
// Canceled; the empty string when p is not terminal.
func TerminalCondition(p JobPhase) string {
	switch p {
	case JobSucceeded:
		return ConditionComplete
	case JobFailed:
		return ConditionFailed
	case JobCanceled:
		return ConditionCanceled
	case JobQueued, JobRunning:
	}
	return ""
}

// EndedMessage is how a condition words that a job has ended with phase p, which is
// terminal.
func EndedMessage(p JobPhase) string {
	switch p {
	case JobSucceeded:
		return "The job has succeeded."
	case JobFailed:
		return "The job has failed."
	case JobCanceled:
		return "The job was canceled."
	case JobQueued, JobRunning:
	}
	return ""
}

// SetCondition sets one condition of s with its transition time, and reports
// whether anything changed.
func (s *JobStatus) SetCondition(conditionType string, status metav1.ConditionStatus, reason, message string, generation int64, now metav1.Time) bool {
	return meta.SetStatusCondition(&s.Conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: message,
		ObservedGeneration: generation, LastTransitionTime: now,
	})
}

// IsConditionTrue reports whether the condition is present with status True.
func (s *JobStatus) IsConditionTrue(conditionType string) bool {
	return meta.IsStatusConditionTrue(s.Conditions, conditionType)
}
