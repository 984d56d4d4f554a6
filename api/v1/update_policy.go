package v1

// PrepareUpdate prepares j, which will replace old, for validation and storage. Fields that a
// manifest does not contain because a person set them on the finished job (cancel,
// forceFinish, reruns) are copied from old. A rerun unsets cancel and forceFinish of the
// previous run. The updatePolicy decides about a changed spec of a finished job.
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

// changesRun reports whether the specs differ in a field other than updatePolicy, createdBy and type.
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
