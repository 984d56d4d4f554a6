package v1

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func jobKind(payloads PayloadSet) Kind {
	return DefineKind(Kind{
		Name: KindJob, Resource: ResourceJobs, Singular: "job", ShortNames: []string{"jw"}, Namespaced: true, Payloads: payloads,
	}, Strategy[*Job]{
		New:            func() *Job { return &Job{TypeMeta: metav1.TypeMeta{APIVersion: APIVersion, Kind: KindJob}} },
		Validate:       payloads.ValidateJob,
		ValidateUpdate: payloads.validateJobUpdate,
		ValidateStatus: validateJobStatus,
		PrepareForCreate: func(j *Job, trusted bool) {
			if !trusted {
				j.Spec.CreatedBy = nil
			}
			j.Status = payloads.InitialStatus(j)
		},
		PrepareForUpdate: func(j, old *Job) {
			j.Spec.CreatedBy = old.Spec.CreatedBy
			PrepareUpdate(j, old)
		},
		Stored: func(j *Job) *Job {
			if j.Status.BlockedBy == nil {
				return j
			}
			stored := *j
			stored.Status.BlockedBy = nil
			return &stored
		},
		// A cancellation is an operation and not part of a manifest.
		Merge:   func(j, current *Job) { j.Spec.Cancel = j.Spec.Cancel || current.Spec.Cancel },
		Summary: func(j *Job) (JobType, JobPhase) { return j.Spec.Type, j.Status.Phase },
		Columns: []ColumnOf[*Job]{
			{Name: "TYPE", Value: func(j *Job, _ time.Time) any { return string(j.Spec.Type) }},
			{Name: "PHASE", Value: func(j *Job, _ time.Time) any { return string(j.Status.Phase) }},
			{Name: "PCT", Value: func(j *Job, _ time.Time) any { return fmt.Sprintf("%d%%", j.Status.Pct) }},
			{Name: "STEP", Value: func(j *Job, _ time.Time) any { return j.Status.Step }},
			{Name: "REASON", Value: func(j *Job, _ time.Time) any { return j.Status.Reason }},
			{Name: "ATTEMPTS", Wide: true, Value: func(j *Job, _ time.Time) any { return j.Status.Attempts }},
			{Name: "RUN-TIME", Wide: true, Value: func(j *Job, now time.Time) any {
				if run, ok := j.RunTime(now); ok {
					return run
				}
				return nil
			}},
			{Name: "MESSAGE", Wide: true, Value: func(j *Job, _ time.Time) any { return j.Status.Message }},
		},
	})
}

// RunTime is how long the job has run, or ran; false: it has not begun.
func (j *Job) RunTime(now time.Time) (time.Duration, bool) {
	if j.Status.StartTime == nil {
		return 0, false
	}
	if j.Status.CompletionTime != nil {
		now = j.Status.CompletionTime.Time
	}
	return now.Sub(j.Status.StartTime.Time), true
}

// validateJobStatus checks a status that is written from outside against what a job may
// become: a terminal phase is sticky and counters never fall, whoever writes.
func validateJobStatus(j, old *Job) field.ErrorList {
	var errs field.ErrorList
	for _, err := range append(CheckTransition(old, j), Check(j)...) {
		errs = append(errs, field.Forbidden(field.NewPath("status"), err.Error()))
	}
	if err := CheckLease(j, time.Now()); err != nil { //nolint:forbidigo // a bound against nonsense, at the edge: a write from outside brings no clock
		errs = append(errs, field.Forbidden(field.NewPath("status"), err.Error()))
	}
	return errs
}
