package actiontest

import (
	"context"
	"slices"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

const (
	// grace is the grace period of a canceled attempt. A Runner that has used it up must
	// kill; killTime bounds the kill on a busy machine.
	grace    = 10 * time.Second
	killTime = 30 * time.Second
)

// Harness is a Runner and the jobs to try it with.
type Harness struct {
	Runner action.Runner
	// Success succeeds, Failure fails by itself, Endless ends only when it is stopped.
	Success, Failure, Endless *v1.Job
	// Running reports whether a line of output or a step shows that Endless is running. The
	// suite stops Endless then.
	Running func(text string) bool
	// Bad are jobs with payloads that validation refuses.
	Bad map[string]*v1.Job
	// Left counts the processes of an attempt that are still running. Nil: the Runner starts
	// none.
	Left func(attempt string) (int, error)
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	t.Run("success", func(t *testing.T) {
		outcome := h.run(t, t.Context(), "actiontest-success", h.Success, newSink(t))
		if outcome.Verdict != action.Succeeded || outcome.Reason != "" {
			t.Errorf("outcome = %+v, want Succeeded without a reason", outcome)
		}
	})
	t.Run("failure", func(t *testing.T) {
		h.fails(t, "actiontest-failure", h.Failure)
	})
	for name, job := range h.Bad {
		t.Run("bad payload: "+name, func(t *testing.T) {
			if outcome := h.fails(t, "actiontest-bad", job); outcome.Reason != v1.ReasonInvalidArguments {
				t.Errorf("reason = %s, want %s: %s", outcome.Reason, v1.ReasonInvalidArguments, outcome.Message)
			}
		})
	}
	t.Run("stopped while it runs", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := newSink(t)
		var asked time.Time
		s.seen = func(text string) {
			if asked.IsZero() && h.Running(text) {
				asked = time.Now()
				cancel()
			}
		}
		outcome := h.run(t, ctx, "actiontest-stop", h.Endless, s)
		if outcome.Verdict != action.Stopped {
			t.Fatalf("outcome = %+v, want Stopped", outcome)
		}
		if took := time.Since(asked); took > grace+killTime {
			t.Errorf("it took %s to stop; the grace is %s", took, grace)
		}
	})
	t.Run("stopped before it starts", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if outcome := h.run(t, ctx, "actiontest-early", h.Endless, newSink(t)); outcome.Verdict != action.Stopped || !outcome.Repeatable {
			t.Errorf("outcome = %+v, want Stopped, and that it may be repeated", outcome)
		}
	})
	t.Run("recover", func(t *testing.T) {
		a := attempt("actiontest-recover", h.Success)
		for range 2 { // a server may die while it recovers
			outcome, err := h.Runner.Recover(t.Context(), a)
			if err != nil || outcome.Verdict != action.Lost {
				t.Errorf("Recover = %+v, %v, want Lost", outcome, err)
			}
		}
		h.nothingLeft(t, a.ID)
	})
}

func attempt(id string, job *v1.Job) action.Attempt {
	return action.Attempt{ID: id, Job: job.DeepCopy(), Grace: grace}
}

func (h Harness) run(t *testing.T, ctx context.Context, id string, job *v1.Job, s *sink) action.Outcome { //nolint:revive // t comes first in tests
	t.Helper()
	outcome := h.Runner.Run(ctx, attempt(id, job), s)
	s.end()
	undecided := outcome.Verdict == action.Stopped || outcome.Verdict == action.Lost
	if undecided && outcome.Message == "" || !undecided && outcome.Repeatable {
		t.Errorf("outcome = %+v: what was stopped says so in a message, and only what was stopped or lost is repeatable", outcome)
	}
	h.nothingLeft(t, id)
	return outcome
}

func (h Harness) fails(t *testing.T, id string, job *v1.Job) action.Outcome {
	t.Helper()
	outcome := h.run(t, t.Context(), id, job, newSink(t))
	if outcome.Verdict != action.Failed || !slices.Contains(v1.Reasons(), outcome.Reason) || outcome.Message == "" {
		t.Errorf("outcome = %+v, want Failed with one of v1's reasons and a message", outcome)
	}
	return outcome
}

func (h Harness) nothingLeft(t *testing.T, id string) {
	t.Helper()
	if h.Left == nil {
		return
	}
	if n, err := h.Left(id); n != 0 || err != nil {
		t.Errorf("%d processes of attempt %s are left, %v", n, id, err)
	}
}
