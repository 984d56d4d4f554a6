package v1

// Default fills what the author left unset with its documented default. It sets
// only what later readers would otherwise each have to derive; limits whose unset
// meaning is "none" stay unset.
func (j *Job) Default() {
	if j.Spec.Type == "" {
		j.Spec.Type = payloadType(&j.Spec)
	}
}

// buildIdleTimeoutSeconds is the idle limit of a build that sets none: three times the
// longest silence of an installer that works (npx behind a slow registry), and short
// enough that a tool that hangs is found out within the quarter of an hour.
const buildIdleTimeoutSeconds = 900

// InitialStatus is the status of a job that is created now. The limits that it decides are
// kept in the status and not in the spec, which is the author's: a manifest that is applied
// again changes nothing, and a job that is stored already gets no limit that its author
// never saw.
func (j *Job) InitialStatus() JobStatus {
	status := JobStatus{Phase: JobQueued, Reason: ReasonQueued}
	if j.Spec.Type == JobTypeBuild || j.Spec.Type == "" && payloadType(&j.Spec) == JobTypeBuild {
		limit := int64(buildIdleTimeoutSeconds)
		status.IdleTimeoutSeconds = &limit
	}
	return status
}

// IdleTimeout is how many seconds an attempt may give neither output nor progress; false:
// there is no such limit.
func (j *Job) IdleTimeout() (seconds int64, limited bool) {
	limit := j.Spec.IdleTimeoutSeconds
	if limit == nil {
		limit = j.Status.IdleTimeoutSeconds
	}
	if limit == nil || *limit <= 0 {
		return 0, false
	}
	return *limit, true
}

// payloadType is the type that the one payload of s stands for; empty unless
// exactly one is set.
func payloadType(s *JobSpec) JobType {
	var found []JobType
	if s.Build != nil {
		found = append(found, JobTypeBuild)
	}
	if s.Deploy != nil {
		found = append(found, JobTypeDeploy)
	}
	if s.APICall != nil {
		found = append(found, JobTypeAPICall)
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// Default implements Object; a Workspace has no defaults to fill.
func (w *Workspace) Default() {}
