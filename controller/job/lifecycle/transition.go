package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	next   time.Time // the earliest thing that is due by the passing of time
	moment *metav1.MicroTime
}

// micro is now. The times of a status that are now share it: nobody changes them in place.
func (t *transition) micro() *metav1.MicroTime {
	if t.moment == nil {
		now := metav1.NewMicroTime(t.now)
		t.moment = &now
	}
	return t.moment
}

// due notes that something happens at that time.
func (t *transition) due(at time.Time) {
	if t.next.IsZero() || at.Before(t.next) {
		t.next = at
	}
}

// duePassed reports whether at has come, and notes it when it has not.
func (t *transition) duePassed(at time.Time) bool {
	if !t.now.Before(at) {
		return true
	}
	t.due(at)
	return false
}

func (t *transition) again() time.Duration {
	if t.next.IsZero() || t.status.Phase.Terminal() {
		return 0
	}
	return max(t.next.Sub(t.now), time.Nanosecond)
}

// changed is the move to write the status as it stands.
func (t *transition) changed(do Do) move {
	t.status.Message = v1.BoundMessage(t.status.Message) // it may be of several parts
	t.status.ObservedGeneration = t.job.Generation
	t.status.LastUpdateTime = t.micro()
	return move{changed: true, do: do}
}

// start writes the next attempt down.
func (t *transition) start() move {
	t.next = time.Time{} // what was due of a queued job is so no more
	failure := t.earlierFailure()
	t.status.Attempts++
	t.status.CurrentAttempt = &v1.Attempt{
		ID:        string(t.job.UID) + "-" + strconv.Itoa(int(t.status.Attempts)),
		StartTime: *t.micro(),
	}
	t.grantLease(t.status.CurrentAttempt)
	if t.status.StartTime == nil {
		t.status.StartTime = t.micro()
	}
	t.status.Phase, t.status.Reason, t.status.Message = v1.JobRunning, v1.ReasonStarted, failure
	t.status.Pct, t.status.Step = 0, ""
	t.status.Result, t.status.Artifacts = nil, nil
	t.status.NextAttemptTime, t.status.RetryAfterTime = nil, nil
	t.stopRequest() // notes what will be due
	return t.changed(Start)
}

// record ends a tracking record.
func (t *transition) record() move {
	if t.status.StartTime == nil {
		t.status.StartTime = t.micro()
	}
	t.status.Pct = 100
	return t.finish(v1.JobSucceeded, v1.ReasonRecorded, "")
}

// finish ends the job.
func (t *transition) finish(phase v1.JobPhase, reason, message string) move {
	t.status.Phase, t.status.Reason, t.status.Message = phase, reason, message
	t.status.CurrentAttempt, t.status.NextAttemptTime = nil, nil
	t.status.CompletionTime = t.micro()
	// By what the two say: of times of this process, Before asks the monotonic clock.
	if began := t.status.StartTime; began != nil && t.now.Round(0).Before(began.Round(0)) {
		t.status.CompletionTime = began.DeepCopy() // the clock was set back meanwhile
	}
	at := metav1.NewTime(t.now)
	for _, condition := range []string{v1.ConditionCanceling, v1.ConditionSuspended} {
		if t.status.IsConditionTrue(condition) {
			t.status.SetCondition(condition, metav1.ConditionFalse, reason, v1.EndedMessage(phase), t.job.Generation, at)
		}
	}
	t.status.Conditions = slices.Grow(t.status.Conditions, 2)
	for _, condition := range []string{v1.TerminalCondition(phase), v1.ConditionFinished} {
		t.status.SetCondition(condition, metav1.ConditionTrue, reason, v1.EndedMessage(phase), t.job.Generation, at)
	}
	return t.changed(Nothing)
}

// interrupted decides about an attempt without an outcome: it is run again where that
// does no harm or the job says so, and not too often.
func (t *transition) interrupted(o action.Outcome) move {
	t.status.Interruptions++
	policy := t.job.Spec.OnInterruption
	if policy == v1.InterruptionFail || policy == "" && !o.Repeatable {
		return t.finish(v1.JobFailed, v1.ReasonInterrupted, fmt.Sprintf(
			"Attempt %d was interrupted, and %s. Find out what it has done; then run the job again with jobwright retry.%s",
			t.status.Attempts, notRepeated(policy), last(o)))
	}
	if t.status.Interruptions > v1.MaxInterruptions {
		return t.finish(v1.JobFailed, v1.ReasonTooManyInterruptions, fmt.Sprintf(
			"Interrupted %d times, %d are allowed. Find out whether the job brings its worker down; then run it again with jobwright retry.%s",
			t.status.Interruptions, v1.MaxInterruptions, last(o)))
	}
	t.status.Phase, t.status.Reason = v1.JobQueued, v1.ReasonInterrupted
	t.status.Message = fmt.Sprintf("Attempt %d was interrupted and will be run again (interruption %d of at most %d).%s",
		t.status.Attempts, t.status.Interruptions, v1.MaxInterruptions, last(o))
	t.status.CurrentAttempt, t.status.Step = nil, ""
	return t.changed(Nothing)
}

func notRepeated(policy v1.InterruptionPolicy) string {
	if policy == v1.InterruptionFail {
		return "spec.onInterruption is Fail"
	}
	return "running it again might do its work twice (spec.onInterruption: Rerun allows it)"
}

// last is the outcome's own words as a further sentence.
func last(o action.Outcome) string {
	if o.Message == "" {
		return ""
	}
	return " " + o.Message
}

// lastFailure is what a failed attempt said, for a message about something else.
func lastFailure(o action.Outcome) string {
	return " The last attempt failed with " + o.Reason + ":" + last(o)
}

// earlierFailure is what the attempt before the present or the next one failed with; empty:
// none did. The message of a running job has it from the retry on.
func (t *transition) earlierFailure() string {
	switch t.status.Reason {
	case v1.ReasonStarted:
		return t.status.Message
	case v1.ReasonRetrying:
		failed, rest, _ := strings.Cut(t.status.Message, nextStart)
		_, said, _ := strings.Cut(rest, afterStart)
		return strings.TrimSpace(failed + ": " + said)
	}
	return ""
}

// deadlineFailed is the message of a job whose activeDeadlineSeconds have passed. Of a job that
// was retried it says why.
func (t *transition) deadlineFailed(stopped string) string {
	if failure := t.earlierFailure(); failure != "" {
		return stopped + " " + failure
	}
	return stopped
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

func forcedMessage(f *v1.ForceFinish, attempt *v1.Attempt) string {
	by, held := "an operator", ""
	if f.By != nil && (f.By.Email != "" || f.By.ID != "") {
		by = f.By.Email
		if by == "" {
			by = f.By.ID
		}
	}
	if attempt != nil {
		held = fmt.Sprintf(" Attempt %s of worker %s held the job.", attempt.ID, attempt.Worker)
	}
	return fmt.Sprintf("Finished by force by %s: %s%s", by, f.Message, held)
}

// deadline is when activeDeadlineSeconds ends; false: never.
func (t *transition) deadline() (time.Time, bool) {
	limit := t.job.Spec.ActiveDeadlineSeconds
	if limit == nil || t.status.StartTime == nil {
		return time.Time{}, false
	}
	return t.status.StartTime.Add(seconds(*limit)), true
}

func (t *transition) deadlinePassed() bool {
	deadline, ok := t.deadline()
	return ok && t.duePassed(deadline)
}

func (t *transition) deadlineMessage() string {
	return fmt.Sprintf("Ran for %s; spec.activeDeadlineSeconds allows %d s over all attempts. Raise it, or find out in the log what took so long.",
		t.since(t.status.StartTime.Time), *t.job.Spec.ActiveDeadlineSeconds)
}
