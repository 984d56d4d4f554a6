package lifecycle

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// Progress is the status after attempt has reported pct (−1: not known) and step
// (empty: as before), and whether that changes anything. A pct that falls, and a
// report of an attempt that does not hold the job any more, changes nothing. A
// running attempt shows at most 99: 100 means that the job has succeeded.
func Progress(status v1.JobStatus, attempt string, pct int, step string, now time.Time) (v1.JobStatus, bool) {
	if status.CurrentAttempt == nil || status.CurrentAttempt.ID != attempt {
		return status, false
	}
	changed := false
	if pct := int32(min(pct, 99)); pct > status.Pct {
		status.Pct, changed = pct, true
	}
	if step != "" && step != status.Step {
		status.Step, changed = step, true
	}
	if changed {
		at := metav1.NewMicroTime(now)
		status.LastUpdateTime = &at
	}
	return status, changed
}
