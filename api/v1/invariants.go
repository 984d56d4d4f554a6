package v1

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Check reports every invariant of doc.go that the job violates, each error with
// the invariant's number. Whoever stores or changes a job in a test calls it.
func Check(j *Job) []error {
	var errs []error
	s := &j.Status
	violated := func(invariant int, format string, args ...any) {
		errs = append(errs, fmt.Errorf("job %s/%s: invariant %d: "+format, append([]any{j.Namespace, j.Name, invariant}, args...)...))
	}
	terminal := s.Phase.Terminal()

	switch s.Phase {
	case "", JobQueued, JobRunning, JobSucceeded, JobFailed, JobCanceled:
	default:
		violated(1, "unknown phase %q", s.Phase)
	}
	if terminal != (s.CompletionTime != nil) {
		violated(1, "phase is %s, completionTime is %v", s.Phase, s.CompletionTime)
	}
	if running := s.Phase == JobRunning; running != (s.CurrentAttempt != nil) {
		violated(2, "phase is %s, currentAttempt is %v", s.Phase, s.CurrentAttempt)
	}
	for _, condition := range []string{ConditionComplete, ConditionFailed, ConditionCanceled, ConditionFinished} {
		want := terminal && (condition == ConditionFinished || condition == TerminalCondition(s.Phase))
		if got := s.IsConditionTrue(condition); got != want {
			violated(3, "phase is %s, condition %s is %t", s.Phase, condition, got)
		}
	}
	if s.Attempts < 0 || s.Failures < 0 || s.Interruptions < 0 || s.Failures+s.Interruptions > s.Attempts {
		violated(4, "%d attempts, %d failures, %d interruptions", s.Attempts, s.Failures, s.Interruptions)
	}
	if s.Pct < 0 || s.Pct > 100 || s.Phase == JobSucceeded && s.Pct != 100 {
		violated(4, "phase is %s, pct is %d", s.Phase, s.Pct)
	}
	if s.CompletionTime.Before(s.StartTime) {
		violated(6, "completed at %v, before it was started at %v", s.CompletionTime, s.StartTime)
	}
	if known := slices.Contains(Reasons(), s.Reason); !known && (s.Reason != "" || terminal) {
		violated(5, "phase is %s, reason %q is not one of the constants", s.Phase, s.Reason)
	}
	checkBounds(s, violated)
	return errs
}

// Bounds of a status, far beyond what a controller writes.
const (
	// MaxStatusMessage is how many bytes a message has at most: the last words of an action
	// are some kilobytes.
	MaxStatusMessage = 64 << 10
	// maxCount keeps counters from wrapping.
	maxCount = 1_000_000_000
	// MaxLease is how far ahead of the clock the end of a lease may lie: nothing may hold a
	// job that its worker does not renew.
	MaxLease = 24 * time.Hour
)

func checkBounds(s *JobStatus, violated func(invariant int, format string, args ...any)) {
	for name, text := range map[string]string{"message": s.Message, "step": s.Step} {
		if len(text) > MaxStatusMessage {
			violated(8, "%s has %d bytes, at most %d are allowed", name, len(text), MaxStatusMessage)
		}
	}
	for _, c := range s.Conditions {
		if len(c.Message) > MaxStatusMessage {
			violated(8, "the message of condition %s has %d bytes, at most %d are allowed", c.Type, len(c.Message), MaxStatusMessage)
		}
	}
	for name, n := range map[string]int64{"attempts": int64(s.Attempts), "failures": int64(s.Failures), "interruptions": int64(s.Interruptions), "reruns": int64(s.Reruns)} {
		if n > maxCount {
			violated(8, "%s is %d, at most %d is allowed", name, n, int64(maxCount))
		}
	}
}

// BoundMessage is a message that a status can hold, with its middle left out when it is
// longer: what failed stands at the beginning, the last words of the action at the end.
func BoundMessage(text string) string {
	const mark = "\n…\n"
	if len(text) <= MaxStatusMessage {
		return text
	}
	half := (MaxStatusMessage - len(mark)) / 2
	return strings.ToValidUTF8(text[:half], "") + mark + strings.ToValidUTF8(text[len(text)-half:], "")
}

// CheckLease reports a lease that lies further ahead of now than MaxLease.
func CheckLease(j *Job, now time.Time) error {
	a := j.Status.CurrentAttempt
	if a == nil || a.LeaseExpires == nil || !a.LeaseExpires.After(now.Add(MaxLease)) {
		return nil
	}
	return fmt.Errorf("job %s/%s: invariant 8: currentAttempt.leaseExpires is %v, at most %v ahead of the clock is allowed", j.Namespace, j.Name, a.LeaseExpires, MaxLease)
}

// CheckTransition reports every invariant of doc.go that the change from old to
// j violates. The two are one object at two points in time.
func CheckTransition(old, j *Job) []error {
	var errs []error
	violated := func(invariant int, format string, args ...any) {
		errs = append(errs, fmt.Errorf("job %s/%s: invariant %d: "+format, append([]any{j.Namespace, j.Name, invariant}, args...)...))
	}
	was, is := &old.Status, &j.Status
	if is.Reruns < was.Reruns {
		violated(4, "reruns fell from %d to %d", was.Reruns, is.Reruns)
	}
	if is.Attempts < was.Attempts {
		violated(4, "attempts fell from %d to %d", was.Attempts, is.Attempts)
	}
	if was.Phase != "" && is.Phase == "" {
		violated(6, "phase %s was taken back", was.Phase)
	}
	if is.Reruns > was.Reruns {
		if !was.Phase.Terminal() {
			violated(7, "run %d began while run %d was %s", is.Reruns, was.Reruns, was.Phase)
		}
		return errs
	}
	if was.Phase.Terminal() {
		if is.Phase != was.Phase || is.Reason != was.Reason || is.Message != was.Message || !is.CompletionTime.Equal(was.CompletionTime) {
			violated(1, "finished as %s/%s at %v, now %s/%s at %v", was.Phase, was.Reason, was.CompletionTime, is.Phase, is.Reason, is.CompletionTime)
		}
	}
	if suspended := is.StartTime == nil && is.IsConditionTrue(ConditionSuspended); was.StartTime != nil && !suspended && (is.StartTime == nil || was.StartTime.Before(is.StartTime)) {
		violated(6, "startTime moved from %v to %v", was.StartTime, is.StartTime)
	}
	if is.Failures < was.Failures || is.Interruptions < was.Interruptions {
		violated(4, "failures, interruptions went from %d, %d to %d, %d",
			was.Failures, was.Interruptions, is.Failures, is.Interruptions)
	}
	if a, b := was.CurrentAttempt, is.CurrentAttempt; a != nil && b != nil {
		switch {
		case a.ID == b.ID && is.Pct < was.Pct:
			violated(4, "pct fell from %d to %d within attempt %s", was.Pct, is.Pct, a.ID)
		case a.ID != b.ID && is.Attempts == was.Attempts:
			violated(4, "attempt %s became %s without being counted", a.ID, b.ID)
		}
	}
	return errs
}
