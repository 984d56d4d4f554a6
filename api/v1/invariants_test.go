package v1

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func newStatus(phase JobPhase, change func(*JobStatus)) JobStatus {
	at := metav1.NewMicroTime(time.Unix(1_796_034_567, 0))
	s := JobStatus{Phase: phase, Reason: ReasonQueued}
	switch phase {
	case JobQueued:
	case JobRunning:
		s.Reason, s.StartTime, s.Attempts, s.CurrentAttempt = ReasonStarted, &at, 1, &Attempt{ID: "u-1"}
	case JobSucceeded, JobFailed, JobCanceled:
		s.Reason, s.Pct, s.StartTime, s.CompletionTime, s.Attempts = ReasonCompleted, 100, &at, &at, 1
		s.SetCondition(TerminalCondition(phase), metav1.ConditionTrue, s.Reason, "", 1, metav1.Time(at))
		s.SetCondition(ConditionFinished, metav1.ConditionTrue, s.Reason, "", 1, metav1.Time(at))
	}
	if change != nil {
		change(&s)
	}
	return s
}

// numbers are the invariants that errs name.
func numbers(errs []error) string {
	var found []string
	for _, err := range errs {
		var n int
		if _, after, ok := strings.Cut(err.Error(), "invariant "); ok {
			_, _ = fmt.Sscanf(after, "%d:", &n)
		}
		found = append(found, fmt.Sprint(n))
	}
	return strings.Join(found, " ")
}

func TestCheck(t *testing.T) {
	cases := map[string]struct {
		status JobStatus
		want   string
	}{
		"a new job":                         {JobStatus{}, ""},
		"a queued job":                      {newStatus(JobQueued, nil), ""},
		"a running job":                     {newStatus(JobRunning, nil), ""},
		"a succeeded job":                   {newStatus(JobSucceeded, nil), ""},
		"a failed job":                      {newStatus(JobFailed, nil), ""},
		"a canceled job":                    {newStatus(JobCanceled, nil), ""},
		"a phase of its own":                {newStatus("Paused", nil), "1"},
		"finished without a time":           {newStatus(JobFailed, func(s *JobStatus) { s.CompletionTime = nil }), "1"},
		"a time of completion while queued": {newStatus(JobQueued, func(s *JobStatus) { s.CompletionTime = &metav1.MicroTime{} }), "1"},
		"running without an attempt":        {newStatus(JobRunning, func(s *JobStatus) { s.CurrentAttempt = nil }), "2"},
		"an attempt while queued":           {newStatus(JobQueued, func(s *JobStatus) { s.CurrentAttempt = &Attempt{} }), "2"},
		"completed before it was started": {newStatus(JobFailed, func(s *JobStatus) {
			s.StartTime = &metav1.MicroTime{Time: s.CompletionTime.Add(time.Second)}
		}), "6"},
		"finished without conditions":          {newStatus(JobFailed, func(s *JobStatus) { s.Conditions = nil }), "3 3"},
		"finished in two ways":                 {newStatus(JobFailed, func(s *JobStatus) { s.SetCondition(ConditionComplete, "True", "X", "", 1, metav1.Time{}) }), "3"},
		"queued with the condition Finished":   {newStatus(JobQueued, func(s *JobStatus) { s.SetCondition(ConditionFinished, "True", "X", "", 1, metav1.Time{}) }), "3"},
		"more outcomes than attempts":          {newStatus(JobRunning, func(s *JobStatus) { s.Failures, s.Interruptions = 1, 1 }), "4"},
		"more than all":                        {newStatus(JobRunning, func(s *JobStatus) { s.Pct = 101 }), "4"},
		"succeeded half way":                   {newStatus(JobSucceeded, func(s *JobStatus) { s.Pct = 50 }), "4"},
		"a reason of its own":                  {newStatus(JobRunning, func(s *JobStatus) { s.Reason = "Because" }), "5"},
		"finished without a reason":            {newStatus(JobFailed, func(s *JobStatus) { s.Reason = "" }), "5"},
		"a queued job no one has looked at":    {newStatus(JobQueued, func(s *JobStatus) { s.Reason = "" }), ""},
		"everything that is wrong is reported": {newStatus(JobRunning, func(s *JobStatus) { s.CurrentAttempt = nil; s.Pct = -1; s.Reason = "x" }), "2 4 5"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			errs := Check(&Job{Status: c.status})
			if diff := cmp.Diff(c.want, numbers(errs)); diff != "" {
				t.Errorf("invariants (-want +got):\n%s\n%v", diff, errs)
			}
		})
	}
}

func TestCheckTransition(t *testing.T) {
	later := metav1.NewMicroTime(time.Unix(1_796_034_999, 0))
	cases := map[string]struct {
		from, to JobStatus
		want     string
	}{
		"created to queued":   {JobStatus{}, newStatus(JobQueued, nil), ""},
		"queued to running":   {newStatus(JobQueued, nil), newStatus(JobRunning, nil), ""},
		"running to failed":   {newStatus(JobRunning, nil), newStatus(JobFailed, nil), ""},
		"queued to succeeded": {newStatus(JobQueued, nil), newStatus(JobSucceeded, nil), ""},
		"interrupted": {
			newStatus(JobRunning, func(s *JobStatus) { s.Pct = 50 }),
			newStatus(JobQueued, func(s *JobStatus) {
				s.Attempts, s.Interruptions, s.StartTime = 1, 1, newStatus(JobRunning, nil).StartTime
			}), "",
		},
		"a new attempt starts from nothing": {
			newStatus(JobRunning, func(s *JobStatus) { s.Pct = 50 }),
			newStatus(JobRunning, func(s *JobStatus) { s.Attempts, s.CurrentAttempt = 2, &Attempt{ID: "u-2"} }), "",
		},
		"finished to another phase": {newStatus(JobFailed, nil), newStatus(JobSucceeded, nil), "1"},
		"finished again, later": {
			newStatus(JobFailed, nil), newStatus(JobFailed, func(s *JobStatus) { s.CompletionTime = &later }), "1",
		},
		"finished for another reason": {
			newStatus(JobFailed, nil), newStatus(JobFailed, func(s *JobStatus) { s.Reason = ReasonToolError }), "1",
		},
		"a finished job's message stays": {
			newStatus(JobFailed, nil), newStatus(JobFailed, func(s *JobStatus) { s.Message = "The tool answered after it was stopped." }), "1",
		},
		"a late result changes nothing": {
			newStatus(JobFailed, nil), newStatus(JobFailed, func(s *JobStatus) { s.LateResult = &LateResult{Attempt: "u-1"} }), "",
		},
		"a rerun of a finished job": {
			newStatus(JobFailed, nil), Rerun(newStatus(JobFailed, nil), 1, later.Time), "",
		},
		"a rerun of a running job": {
			newStatus(JobRunning, nil), newStatus(JobRunning, func(s *JobStatus) { s.Reruns = 1 }), "7",
		},
		"a rerun taken back": {
			newStatus(JobQueued, func(s *JobStatus) { s.Reruns = 1 }), newStatus(JobQueued, nil), "4",
		},
		"a suspension unsets the start": {
			newStatus(JobRunning, nil), newStatus(JobQueued, func(s *JobStatus) {
				s.Attempts = 1
				s.SetCondition(ConditionSuspended, "True", ReasonSuspended, "", 1, metav1.Time{})
			}), "",
		},
		"a phase taken back": {newStatus(JobQueued, nil), JobStatus{}, "6"},
		"a start that moves": {
			newStatus(JobRunning, nil), newStatus(JobRunning, func(s *JobStatus) { s.StartTime = &later }), "6",
		},
		"counters that fall": {
			newStatus(JobQueued, func(s *JobStatus) { s.Attempts, s.Failures = 2, 2 }), newStatus(JobQueued, func(s *JobStatus) { s.Attempts = 2 }), "4",
		},
		"progress that falls": {
			newStatus(JobRunning, func(s *JobStatus) { s.Pct = 50 }), newStatus(JobRunning, func(s *JobStatus) { s.Pct = 49 }), "4",
		},
		"an attempt that was not counted": {
			newStatus(JobRunning, nil), newStatus(JobRunning, func(s *JobStatus) { s.CurrentAttempt = &Attempt{ID: "u-2"} }), "4",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			errs := CheckTransition(&Job{Status: c.from}, &Job{Status: c.to})
			if diff := cmp.Diff(c.want, numbers(errs)); diff != "" {
				t.Errorf("invariants (-want +got):\n%s\n%v", diff, errs)
			}
		})
	}
}
