package v1

import (
	"testing"
	"time"
)

// TestTheIdleLimitIsDecidedAtCreation tries every origin that a limit may have.
func TestTheIdleLimitIsDecidedAtCreation(t *testing.T) {
	type limit struct {
		seconds int64
		limited bool
	}
	stored := func(j *Job) { j.Status = JobStatus{Phase: JobQueued} } // by a version that knew no default
	for name, tc := range map[string]struct {
		spec   func(*Job)
		status func(*Job)
		want   limit
	}{
		"a build":                             {want: limit{900, true}},
		"a build that says less":              {spec: func(j *Job) { j.Spec.IdleTimeoutSeconds = new(int64(5)) }, want: limit{5, true}},
		"a build that says none":              {spec: func(j *Job) { j.Spec.IdleTimeoutSeconds = new(int64(0)) }},
		"a build without a type":              {spec: func(j *Job) { j.Spec.Type = "" }, want: limit{900, true}},
		"a build of before there was a limit": {status: stored},
		"one of those that says a limit":      {spec: func(j *Job) { j.Spec.IdleTimeoutSeconds = new(int64(5)) }, status: stored, want: limit{5, true}},
		"a deploy has its stages' limits":     {spec: deploy(DeployAction{Verb: DeployUp, ComposePath: "a"})},
		"a call has its timeout":              {spec: apiCall(APICallAction{URL: "http://a"})},
		"a build that is run again": {status: func(j *Job) {
			j.Status.Phase = JobFailed
			j.Status = Rerun(j.Status, 1, time.Unix(0, 0))
		}, want: limit{900, true}},
		"an old build that is run again": {status: func(j *Job) {
			j.Status = Rerun(JobStatus{Phase: JobFailed}, 1, time.Unix(0, 0))
		}},
	} {
		job := newJob(tc.spec)
		job.Status = job.InitialStatus()
		if tc.status != nil {
			tc.status(job)
		}
		if seconds, limited := job.IdleTimeout(); (limit{seconds, limited}) != tc.want {
			t.Errorf("%s: %d, %v; want %+v", name, seconds, limited, tc.want)
		}
	}
}
