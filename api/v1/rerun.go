package v1

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Finished reports whether the job has ended and no other run of it is asked for.
// Whoever waits for a job asks this and not its phase: where a store cannot start the
// next run in the write that asks for it, a status stays terminal for a moment while
// spec.reruns says that the job is to run again.
func (j *Job) Finished() bool {
	return j.Status.Phase.Terminal() && j.Spec.Reruns <= j.Status.Reruns
}

// Rerun is the status with which a finished job starts over when spec.reruns is
// raised to reruns: queued since now, with how the run before ended in history.
// A store that can applies Rerun in the write that stores the raised spec; elsewhere
// the job's reconciler does. A status that is not terminal, or is
// about that run already, comes back as it is.
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

// RunAttempts is how many attempts this run of the job has had.
func (s *JobStatus) RunAttempts() int32 {
	if len(s.History) == 0 {
		return s.Attempts
	}
	return s.Attempts - s.History[len(s.History)-1].Attempts
}
