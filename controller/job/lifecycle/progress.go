package lifecycle

import (
	"bytes"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// Report is the progress that a running attempt has reported.
type Report struct {
	// Attempt is the id of the attempt.
	Attempt string
	// Pct is how far it is, in percent; -1: not known.
	Pct int
	// Step is what it does; empty: as before.
	Step string
	// Result is its result as far as it is known; nil: as before.
	Result *v1.JSON
}

// Progress is the status after r, and whether that changes anything. A pct that falls,
// and a report of an attempt that does not hold the job any more, changes nothing. A
// running attempt shows at most 99: 100 means that the job has succeeded.
func Progress(status v1.JobStatus, r Report, now time.Time) (v1.JobStatus, bool) {
	if status.CurrentAttempt == nil || status.CurrentAttempt.ID != r.Attempt {
		return status, false
	}
	changed := false
	if pct := int32(min(r.Pct, 99)); pct > status.Pct {
		status.Pct, changed = pct, true
	}
	if r.Step != "" && r.Step != status.Step {
		status.Step, changed = r.Step, true
	}
	if r.Result != nil && (status.Result == nil || !bytes.Equal(r.Result.Raw, status.Result.Raw)) {
		status.Result, changed = r.Result, true
	}
	if changed {
		at := metav1.NewMicroTime(now)
		status.LastUpdateTime = &at
	}
	return status, changed
}
