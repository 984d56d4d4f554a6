package v1

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRerunKeepsHowTheRunBeforeEnded(t *testing.T) {
	now := metav1.NewMicroTime(time.Unix(1_796_035_000, 0))
	ended := newStatus(JobFailed, func(s *JobStatus) {
		s.Attempts, s.Failures, s.Message, s.Pct = 3, 3, "exit 1", 40
	})
	got := Rerun(ended, 1, now.Time)
	want := JobStatus{
		Phase: JobQueued, Reason: ReasonQueued, QueuedTime: &now, LastUpdateTime: &now, Reruns: 1, Attempts: 3,
		History: []RunStatus{{
			Phase: JobFailed, Reason: ended.Reason, Message: "exit 1", StartTime: ended.StartTime,
			CompletionTime: *ended.CompletionTime, Attempts: 3, Failures: 3,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if n := got.RunAttempts(); n != 0 {
		t.Errorf("RunAttempts = %d, want 0", n)
	}
}

func TestRerunLeavesAloneWhatHasNotFinished(t *testing.T) {
	for _, s := range []JobStatus{newStatus(JobRunning, nil), newStatus(JobFailed, func(s *JobStatus) { s.Reruns = 1 })} {
		if diff := cmp.Diff(s, Rerun(s, 1, time.Unix(0, 0))); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	s := newStatus(JobSucceeded, nil)
	for n := range int32(2 * MaxHistory) {
		s = Rerun(s, n+1, time.Unix(0, 0))
		s.Phase = JobSucceeded
	}
	if len(s.History) != MaxHistory || s.History[MaxHistory-1].Reruns != 2*MaxHistory-1 {
		t.Errorf("history = %+v", s.History)
	}
}
