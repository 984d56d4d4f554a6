package v1

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAStatusIsBounded(t *testing.T) {
	running := func(change func(*JobStatus)) *Job {
		j := &Job{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "acme"}, Status: JobStatus{
			Phase: JobRunning, Reason: ReasonStarted, Attempts: 1, CurrentAttempt: &Attempt{ID: "u-1", Worker: "w"},
		}}
		change(&j.Status)
		return j
	}
	lease := func(d time.Duration) func(*JobStatus) {
		return func(s *JobStatus) { s.CurrentAttempt.LeaseExpires = &metav1.MicroTime{Time: time.Now().Add(d)} } //nolint:forbidigo // as in validateJobStatus
	}
	for name, tc := range map[string]struct {
		change func(*JobStatus)
		wrong  string
	}{
		"as a controller writes it": {lease(30 * time.Second), ""},
		"a lease until 2099":        {lease(73 * 365 * 24 * time.Hour), "leaseExpires"},
		"attempts that will wrap":   {func(s *JobStatus) { s.Attempts = math.MaxInt32 }, "attempts is 2147483647"},
		"a message of 900 kB":       {func(s *JobStatus) { s.Message = strings.Repeat("x", 900_000) }, "message has 900000 bytes"},
		"a step of 900 kB":          {func(s *JobStatus) { s.Step = strings.Repeat("x", 900_000) }, "step has 900000 bytes"},
		"a condition's message of 900 kB": {func(s *JobStatus) {
			s.Conditions = []metav1.Condition{{Type: "Suspended", Message: strings.Repeat("x", 900_000)}}
		}, "condition Suspended has 900000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			err := validateJobStatus(running(tc.change), running(func(*JobStatus) {})).ToAggregate()
			if tc.wrong == "" && err != nil || tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)) {
				t.Errorf("got %v, want %q", err, tc.wrong)
			}
		})
	}
}

func TestALongMessageKeepsItsEnds(t *testing.T) {
	got := BoundMessage("It failed. " + strings.Repeat("ö", MaxStatusMessage) + " the last words")
	if len(got) > MaxStatusMessage || !utf8.ValidString(got) || !strings.HasPrefix(got, "It failed. ö") || !strings.HasSuffix(got, "the last words") {
		t.Errorf("%d bytes, from %.20s", len(got), got)
	}
	if got := BoundMessage("short"); got != "short" {
		t.Errorf("got %q", got)
	}
}

// A status that contradicts itself comes from a hand edit alone: it is refused as a bad spec is.
func TestAnObjectFromElsewhereHasAStatusThatCanBe(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*JobStatus)
		wrong  string
	}{
		"none yet":                       {func(*JobStatus) {}, ""},
		"a phase that there is not":      {func(s *JobStatus) { s.Phase = "Suc\nlevel=ERROR" }, `unknown phase "Suc\nlevel=ERROR"`},
		"ended without a time or a word": {func(s *JobStatus) { s.Phase = JobSucceeded }, "completionTime is"},
	} {
		t.Run(name, func(t *testing.T) {
			j := &Job{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "acme"}, Spec: JobSpec{Type: JobTypeAPICall, APICall: &APICallAction{}}}
			j.Default()
			tc.change(&j.Status)
			err := Kinds().Validate(j)
			if tc.wrong == "" && err != nil || tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)) {
				t.Errorf("got %v, want %q", err, tc.wrong)
			}
		})
	}
}
