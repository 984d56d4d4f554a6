package lifecycle

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// Late is an outcome of an attempt that does not hold the job any more.
type Late struct {
	Attempt string
	Outcome action.Outcome
}

// WithLate is job's status with what an attempt of worker came to that does not hold the
// job, and whether that is news. It changes nothing else, whatever the phase.
func WithLate(job *v1.Job, worker string, late Late, now time.Time) (v1.JobStatus, bool) {
	status := job.Status
	if status.LateResult != nil && status.LateResult.Attempt == late.Attempt {
		return status, false
	}
	outcome := map[action.Verdict]v1.JobPhase{
		action.Succeeded: v1.JobSucceeded, action.Failed: v1.JobFailed,
		action.Stopped: v1.JobCanceled, action.Lost: v1.JobCanceled,
	}[late.Outcome.Verdict]
	status.LateResult = &v1.LateResult{
		Attempt: late.Attempt, Worker: worker, Time: metav1.NewMicroTime(now), Outcome: outcome,
		Reason: late.Outcome.Reason, Message: late.Outcome.Message,
	}
	return status, true
}
