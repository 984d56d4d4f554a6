package v1

// PrepareUpdate brings j, which is about to replace old, into the form in which it is
// validated and stored. What only a person's decision about a finished job sets
// (cancel, forceFinish, reruns) and a manifest does not mention is carried over; a
// rerun unsets what ended the run before; and a changed spec of a finished job is
// dealt with as its updatePolicy says.
func PrepareUpdate(j, old *Job) {
	s, was := &j.Spec, &old.Spec
	keepTexts(s, was)
	if s.Reruns == 0 {
		s.Reruns = was.Reruns
	}
	if !old.Finished() {
		return
	}
	if s.Reruns <= was.Reruns {
		if s.ForceFinish == nil {
			s.ForceFinish = was.ForceFinish
		}
		s.Cancel = s.Cancel || was.Cancel
		if s.UpdatePolicy == "" || s.UpdatePolicy == UpdateReject || !changesRun(s, was) {
			return
		}
		if s.UpdatePolicy == UpdateIgnore {
			policy := s.UpdatePolicy
			was.DeepCopyInto(s)
			s.UpdatePolicy = policy
			return
		}
		s.Reruns = max(was.Reruns, old.Status.Reruns) + 1
	}
	if was.Cancel {
		s.Cancel = false
	}
	if was.ForceFinish != nil {
		s.ForceFinish = nil
	}
}

// changesRun reports whether the specs differ in more than what decides about changes.
func changesRun(s, was *JobSpec) bool {
	for _, name := range changedFields(s, was) {
		switch name {
		case "updatePolicy", "createdBy", "type":
		default:
			return true
		}
	}
	return false
}
