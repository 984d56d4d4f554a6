package v1

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Finished reports whether the job has ended and no rerun is requested. Code that waits for a
// job must use Finished instead of the phase: after a rerun is requested, the phase can stay
// terminal for a moment, in stores that do not start the next run in the same write.
func (j *Job) Finished() bool {
	return j.Status.Phase.Terminal() && j.Spec.Reruns <= j.Status.Reruns
}

// Rerun returns the status of a finished job after spec.reruns was raised to reruns: queued
// since now, with the outcome of the previous run in history. Stores apply Rerun in the
// write of the spec if they can; otherwise the job's reconciler applies it. A status that
// is not terminal, or already belongs to that run, is returned unchanged.
func Rerun(s JobStatus, reruns int32, now time.Time) JobStatus {
	if !s.Phase.Terminal() || reruns <= s.Reruns {
		return s
	}
	ended := RunStatus{
		Reruns: s.Reruns, Phase: s.Phase, Reason: s.Reason, Message: s.Message, StartTime: s.StartTime,
		Attempts: s.Attempts, Failures: s.Failures, Interruptions: s.Interruptions,
	}
	if s.CompletionTime != nil {
		ended.CompletionTime = *s.CompletionTime
	}
	history := append(slices.Clone(s.History), ended)
	history = history[max(0, len(history)-MaxHistory):]
	at := metav1.NewMicroTime(now)
	return JobStatus{
		Phase: JobQueued, Reason: ReasonQueued, QueuedTime: &at, LastUpdateTime: &at,
		Reruns: reruns, Attempts: s.Attempts, History: history, LateResult: s.LateResult, IdleTimeoutSeconds: s.IdleTimeoutSeconds,
	}
}

// RunAttempts returns the number of attempts of the current run.
func (s *JobStatus) RunAttempts() int32 {
	if len(s.History) == 0 {
		return s.Attempts
	}
	return s.Attempts - s.History[len(s.History)-1].Attempts
}
