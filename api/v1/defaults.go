package v1

// Default fills what the author left unset with its documented default. It sets
// only what later readers would otherwise each have to derive; limits whose unset
// meaning is "none" stay unset.
func (j *Job) Default() {
	if j.Spec.Type == "" {
		j.Spec.Type = payloadType(&j.Spec)
	}
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
