package lifecycle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
)

// TestALateResultIsRecordedBesideWhatIs tries outcomes of attempts that do not hold the job
// any more: rule 1.
func TestALateResultIsRecordedBesideWhatIs(t *testing.T) {
	known := func(attempt string) func(*v1.Job) {
		return func(j *v1.Job) { j.Status.LateResult = &v1.LateResult{Attempt: attempt} }
	}
	for name, tc := range map[string]struct {
		status changes
		late   lifecycle.Late
		want   *v1.LateResult // nil: no news
	}{
		"a job that has ended": {
			changes{finished},
			lifecycle.Late{Attempt: "u-1", Outcome: action.Fail(v1.ReasonExitCode, "exit 3")},
			&v1.LateResult{Attempt: "u-1", Outcome: v1.JobFailed, Reason: v1.ReasonExitCode, Message: "exit 3"},
		},
		"a job that runs": {
			changes{running},
			lifecycle.Late{Attempt: "u-0", Outcome: verdict(action.Succeeded, "done")},
			&v1.LateResult{Attempt: "u-0", Outcome: v1.JobSucceeded, Message: "done"},
		},
		"an attempt that was stopped": {
			changes{running}, lifecycle.Late{Attempt: "u-0", Outcome: verdict(action.Stopped, "")}, &v1.LateResult{Attempt: "u-0", Outcome: v1.JobCanceled},
		},
		"an attempt that was lost": {
			nil, lifecycle.Late{Attempt: "u-0", Outcome: verdict(action.Lost, "")}, &v1.LateResult{Attempt: "u-0", Outcome: v1.JobCanceled},
		},
		"only once": {changes{finished, known("u-1")}, lifecycle.Late{Attempt: "u-1", Outcome: verdict(action.Succeeded, "")}, nil},
		"but again of another attempt": {
			changes{finished, known("u-0")}, lifecycle.Late{Attempt: "u-1", Outcome: verdict(action.Succeeded, "")}, &v1.LateResult{Attempt: "u-1", Outcome: v1.JobSucceeded},
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := job(tc.status...)
			before := j.DeepCopy()
			status, news := lifecycle.WithLate(j, "w", tc.late, start.Add(time.Minute))
			if diff := cmp.Diff(before, j); diff != "" {
				t.Fatalf("it changed its argument (-before +after):\n%s", diff)
			}
			want := before.Status
			if tc.want != nil {
				tc.want.Worker, tc.want.Time = "w", *micro(time.Minute)
				want.LateResult = tc.want
			}
			if diff := cmp.Diff(want, status); diff != "" || news != (tc.want != nil) {
				t.Errorf("news: %t, status (-want +got):\n%s", news, diff)
			}
			after := before.DeepCopy()
			after.Status = status
			for _, err := range append(v1.Check(after), v1.CheckTransition(before, after)...) {
				t.Error(err)
			}
		})
	}
}
