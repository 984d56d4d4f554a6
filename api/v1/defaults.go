package v1

// Default fills what the author left unset with its documented default. It sets
// only what later readers would otherwise each have to derive; limits whose unset
// meaning is "none" stay unset.
func (j *Job) Default() {
	if j.Spec.Type == "" {
		j.Spec.Type = ourPayloads().typeOf(&j.Spec)
	}
}

// InitialStatus is the status of a job of this version's types that is created now.
func (j *Job) InitialStatus() JobStatus { return ourPayloads().InitialStatus(j) }

// InitialStatus is the status of a job that is created now. The limits that it decides are
// kept in the status and not in the spec, which is the author's: a manifest that is applied
// again changes nothing, and a stored job gets no limit that its author never saw.
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

// Default implements Object; a Workspace has no defaults to fill.
func (w *Workspace) Default() {}
