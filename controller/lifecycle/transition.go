package lifecycle

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// transition builds one new status.
type transition struct {
	job    *v1.Job
	seen   Observed
	now    time.Time
	status v1.JobStatus
}

func (t *transition) micro() *metav1.MicroTime {
	now := metav1.NewMicroTime(t.now)
	return &now
}

// changed is a decision to write the status as it stands.
func (t *transition) changed(do Do) Decision {
	t.status.ObservedGeneration = t.job.Generation
	t.status.LastUpdateTime = t.micro()
	return Decision{Status: t.status, Changed: true, Do: do}
}

// start writes the next attempt down.
func (t *transition) start() Decision {
	t.status.Attempts++
	t.status.CurrentAttempt = &v1.Attempt{
		ID:        fmt.Sprintf("%s-%d", t.job.UID, t.status.Attempts),
		Worker:    t.seen.Worker,
		StartTime: *t.micro(),
	}
	if t.status.StartTime == nil {
		t.status.StartTime = t.micro()
	}
	t.status.Phase, t.status.Reason, t.status.Message = v1.JobRunning, v1.ReasonStarted, ""
	t.status.Pct, t.status.Step = 0, ""
	t.status.Result, t.status.Artifacts = nil, nil
	d := t.changed(Start)
	d.Again = t.untilDeadline()
	return d
}

// record ends a tracking record.
func (t *transition) record() Decision {
	if t.status.StartTime == nil {
		t.status.StartTime = t.micro()
	}
	t.status.Pct = 100
	return t.finish(v1.JobSucceeded, v1.ReasonRecorded, "")
}

// finish ends the job.
func (t *transition) finish(phase v1.JobPhase, reason, message string) Decision {
	t.status.Phase, t.status.Reason, t.status.Message = phase, reason, message
	t.status.CurrentAttempt = nil
	t.status.CompletionTime = t.micro()
	at := metav1.NewTime(t.now)
	if t.status.IsConditionTrue(v1.ConditionCanceling) {
		t.status.SetCondition(v1.ConditionCanceling, metav1.ConditionFalse, reason, "", t.job.Generation, at)
	}
	for _, condition := range []string{v1.TerminalCondition(phase), v1.ConditionFinished} {
		t.status.SetCondition(condition, metav1.ConditionTrue, reason, "", t.job.Generation, at)
	}
	return t.changed(Nothing)
}

// canceling marks a running job as asked to stop, and reports whether that is new.
func (t *transition) canceling() bool {
	return t.status.SetCondition(v1.ConditionCanceling, metav1.ConditionTrue, v1.ReasonCancelRequested,
		"Asked to stop; waiting for the action to end.", t.job.Generation, metav1.NewTime(t.now))
}

// interrupted queues the job again after an attempt without an outcome.
func (t *transition) interrupted(o action.Outcome) Decision {
	t.status.Interruptions++
	if t.status.Interruptions > v1.MaxInterruptions {
		return t.finish(v1.JobFailed, v1.ReasonTooManyInterruptions, fmt.Sprintf(
			"Interrupted %d times, %d are allowed. Find out whether the job brings its worker down, then apply it again under another name.%s",
			t.status.Interruptions, v1.MaxInterruptions, last(o)))
	}
	t.status.Phase, t.status.Reason = v1.JobQueued, v1.ReasonInterrupted
	t.status.Message = fmt.Sprintf("Attempt %d was interrupted and will be run again (interruption %d of at most %d).%s",
		t.status.Attempts, t.status.Interruptions, v1.MaxInterruptions, last(o))
	t.status.CurrentAttempt = nil
	t.status.Step = ""
	return t.changed(Nothing)
}

// last is the outcome's own words as a further sentence.
func last(o action.Outcome) string {
	if o.Message == "" {
		return ""
	}
	return " " + o.Message
}

func canceledMessage(o action.Outcome) string {
	switch o.Verdict {
	case action.Succeeded:
		return "Canceled; the action had completed before it could be stopped." + last(o)
	case action.Failed:
		return "Canceled; the action had failed before it could be stopped." + last(o)
	case action.Stopped:
		return "Canceled while it was running." + last(o)
	case action.Lost:
		return "Canceled after its attempt was interrupted." + last(o)
	}
	return "Canceled."
}

// deadline is when activeDeadlineSeconds ends; false: never.
func (t *transition) deadline() (time.Time, bool) {
	limit := t.job.Spec.ActiveDeadlineSeconds
	if limit == nil || t.status.StartTime == nil {
		return time.Time{}, false
	}
	return t.status.StartTime.Add(time.Duration(*limit) * time.Second), true
}

func (t *transition) deadlinePassed() bool {
	deadline, ok := t.deadline()
	return ok && !t.now.Before(deadline)
}

func (t *transition) untilDeadline() time.Duration {
	deadline, ok := t.deadline()
	if !ok {
		return 0
	}
	return max(deadline.Sub(t.now), time.Nanosecond)
}

func (t *transition) deadlineMessage() string {
	return fmt.Sprintf("Ran for %s; spec.activeDeadlineSeconds allows %d s over all attempts. Raise it, or find out in the log what took so long.",
		t.now.Sub(t.status.StartTime.Time).Round(100*time.Millisecond), *t.job.Spec.ActiveDeadlineSeconds)
}
