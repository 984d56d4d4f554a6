package status

import (
	"fmt"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store/events"
)

// Emit records an event for the job's present status.
func (w *Writer) Emit(job *v1.Job) {
	if w.Events == nil {
		return
	}
	s := &job.Status
	reason, message := s.Reason, s.Message
	if reason == "" {
		reason = v1.ReasonQueued
	}
	if message == "" {
		switch reason {
		case v1.ReasonQueued:
			message = fmt.Sprintf("Queued with priority %d.", job.Spec.Priority)
		case v1.ReasonStarted:
			message = fmt.Sprintf("Attempt %d started by worker %s.", s.Attempts, s.CurrentAttempt.Worker)
		case v1.ReasonRecorded:
			message = "A tracking record, which has no side effect."
		case v1.ReasonCompleted:
			message = fmt.Sprintf("Attempt %d succeeded.", s.Attempts)
		}
	}
	w.notify(job, eventType(s), reason, message)
}

func (w *Writer) notify(job *v1.Job, kind string, reason, message string) {
	if w.Events == nil {
		return
	}
	e := events.Event{
		Time: time.Now(), Workspace: job.Namespace, Job: job.Name, UID: job.UID,
		Type: kind, Reason: reason, Message: message,
	}
	if job.Status.CurrentAttempt != nil {
		e.Attempt = job.Status.CurrentAttempt.ID
	}
	w.Events.Record(e)
}

// eventType is Warning for statuses that need somebody's attention.
func eventType(s *v1.JobStatus) string {
	switch {
	case s.Phase == v1.JobFailed, s.Reason == v1.ReasonRetrying, s.Reason == v1.ReasonInterrupted,
		s.Reason == v1.ReasonDependencyFailed, s.Reason == v1.ReasonForceFinished:
		return events.Warning
	}
	return events.Normal
}

// announce records events for the difference between two statuses of a job.
func (w *Writer) announce(job *v1.Job, was *v1.JobStatus) {
	s := &job.Status
	switch {
	case s.Phase != was.Phase, s.Reason != was.Reason:
		w.Emit(job)
	case s.CurrentAttempt != nil && was.CurrentAttempt != nil && s.CurrentAttempt.Worker != was.CurrentAttempt.Worker:
		w.notify(job, events.Warning, "LeaseExpired", fmt.Sprintf("Worker %s has not renewed its lease on attempt %s; worker %s takes over.",
			was.CurrentAttempt.Worker, was.CurrentAttempt.ID, s.CurrentAttempt.Worker))
	case s.IsConditionTrue(v1.ConditionCanceling) && !was.IsConditionTrue(v1.ConditionCanceling):
		w.notify(job, events.Normal, v1.ConditionCanceling, "Asked to stop; waiting for the action to end.")
	}
	if s.LateResult != nil && was.LateResult == nil {
		w.notify(job, events.Warning, "LateResult", fmt.Sprintf("Attempt %s of worker %s came to %s after the job had been decided without it; that changes nothing. %s",
			s.LateResult.Attempt, s.LateResult.Worker, s.LateResult.Outcome, s.LateResult.Message))
	}
}
