package v1

// Default sets the documented defaults of unset fields. It sets only fields that readers
// would otherwise have to derive; limits whose unset meaning is "none" stay unset.
func (j *Job) Default() {
	if j.Spec.Type == "" {
		j.Spec.Type = ourPayloads().typeOf(&j.Spec)
	}
}

// InitialStatus returns the status of a new job of this version's types.
func (j *Job) InitialStatus() JobStatus { return ourPayloads().InitialStatus(j) }

// InitialStatus returns the status of a job that is created now. Default limits are stored in
// the status and not in the spec: applying a manifest again must change nothing, and an
// already stored job must not get a new limit.
func (s PayloadSet) InitialStatus(j *Job) JobStatus {
	status := JobStatus{Phase: JobQueued, Reason: ReasonQueued}
	jobType := j.Spec.Type
	if jobType == "" {
		jobType = s.typeOf(&j.Spec)
	}
	if p, ok := s.ByType(jobType); ok && p.IdleTimeoutSeconds > 0 {
		limit := p.IdleTimeoutSeconds
		status.IdleTimeoutSeconds = &limit
	}
	return status
}

// IdleTimeout returns how many seconds an attempt may run without output or progress; false
// means no limit.
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

// Default implements Object; a Workspace has no defaults to fill.
func (w *Workspace) Default() {}
