package print

import (
	"fmt"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
)

// Ending says how a job ended, in one line or more.
func Ending(job *v1.Job) string {
	text := strings.ToLower(string(job.Status.Phase))
	if job.Status.Phase != v1.JobSucceeded && job.Status.Reason != "" {
		text += " (" + job.Status.Reason + ")"
	}
	if job.Status.Message != "" {
		text += ": " + job.Status.Message
	}
	return text
}

// IdleLimit says how long an attempt may stand still, and who has decided that.
func IdleLimit(job *v1.Job) string {
	seconds, limited := job.IdleTimeout()
	switch {
	case limited && job.Spec.IdleTimeoutSeconds != nil:
		return fmt.Sprintf("%d s without output or progress (spec.idleTimeoutSeconds)", seconds)
	case limited:
		return fmt.Sprintf("%d s without output or progress (the default; spec.idleTimeoutSeconds changes it, 0: none)", seconds)
	case job.Spec.IdleTimeoutSeconds != nil:
		return "none (spec.idleTimeoutSeconds is 0)"
	case job.Spec.Type == v1.JobTypeDeploy:
		return "those of its stages (spec.deploy.limits)"
	case job.Spec.Type == v1.JobTypeAPICall && job.Spec.APICall != nil && job.Spec.APICall.URL != "":
		return "spec.apiCall.timeoutSeconds for each request (unset: 30)"
	case job.Spec.Type == v1.JobTypeBuild:
		return "none (the job is from before there was a default; spec.idleTimeoutSeconds sets one)"
	}
	return ""
}

// At is a time with its age.
func At(t time.Time) string {
	return fmt.Sprintf("%s (%s ago)", t.UTC().Format(time.RFC3339), Since(t, time.Now()))
}

// Pairs are labels as KEY=VALUE.
func Pairs(m map[string]string) string {
	var out []string
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	return strings.Join(out, ", ")
}
