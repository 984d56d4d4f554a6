package v1

import (
	"fmt"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateJobUpdate validates the change from old, as it is stored, to j. Faults of old are
// not reported again, so that a job which an older version accepted can still be canceled.
func (s PayloadSet) validateJobUpdate(j, old *Job) field.ErrorList {
	errs := apivalidation.ValidateObjectMetaUpdate(&j.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	errs = append(errs, validateSpecUpdate(j, old, field.NewPath("spec"))...)
	return bounded(addNew(errs, s.jobProblems(j), func() field.ErrorList { return s.jobProblems(old) }))
}

// validateWorkspaceUpdate validates the change from old, as it is stored, to w.
func (s PayloadSet) validateWorkspaceUpdate(w, old *Workspace) field.ErrorList {
	errs := apivalidation.ValidateObjectMetaUpdate(&w.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	return bounded(addNew(errs, s.workspaceProblems(w), func() field.ErrorList { return s.workspaceProblems(old) }))
}

func validateSpecUpdate(j, old *Job, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	s, was := &j.Spec, &old.Spec
	if s.Type != was.Type {
		errs = append(errs, field.Forbidden(path.Child("type"), fmt.Sprintf("field is immutable, it is %s; apply the job under another name", was.Type)))
	}
	if !apiequality.Semantic.DeepEqual(s.CreatedBy, was.CreatedBy) {
		errs = append(errs, field.Forbidden(path.Child("createdBy"), "field is immutable; the server sets it at creation"))
	}
	terminal := old.Finished()
	rerun := s.Reruns > was.Reruns
	switch {
	case s.Reruns < was.Reruns:
		errs = append(errs, field.Invalid(path.Child("reruns"), s.Reruns, fmt.Sprintf("must not fall, it is %d", was.Reruns)))
	case rerun && !terminal:
		errs = append(errs, field.Forbidden(path.Child("reruns"), fmt.Sprintf("the job has not finished (%s); cancel it first, then run it again", phaseOf(old))))
	case rerun:
		return append(errs, validateRerun(s, path)...)
	}
	if was.Cancel && !s.Cancel && !terminal {
		errs = append(errs, field.Forbidden(path.Child("cancel"), "a cancel cannot be taken back; once the job has ended, run it again with jobwright retry"))
	}
	if was.ForceFinish != nil && !apiequality.Semantic.DeepEqual(s.ForceFinish, was.ForceFinish) {
		errs = append(errs, field.Forbidden(path.Child("forceFinish"), "field is immutable once it is set"))
	}
	if old.Status.StartTime == nil && !terminal {
		return errs
	}
	why := "field is immutable once the job has started; cancel the job and apply the change with updatePolicy: Rerun, or apply it under another name"
	if terminal {
		why = fmt.Sprintf("field is immutable, the job has finished (%s); run it again with the change by updatePolicy: Rerun, or apply it under another name", old.Status.Phase)
	}
	for _, name := range changedFields(s, was) {
		if !mutable(name, terminal) {
			errs = append(errs, field.Forbidden(path.Child(name), why))
		}
	}
	return errs
}

// mutable reports whether a field of the spec may change after the start of the job, or has
// been refused before.
func mutable(name string, finished bool) bool {
	switch name {
	case "type", "createdBy", "reruns":
		return true // said above
	case "updatePolicy":
		return true
	case "priority", "suspend", "cancel", "forceFinish", "backoffLimit", "backoff", "failurePolicy", "onInterruption",
		"idleTimeoutSeconds", "attemptTimeoutSeconds", "activeDeadlineSeconds":
		return !finished
	}
	return false
}

// validateRerun refuses a new run that would end before it begins.
func validateRerun(s *JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Cancel {
		errs = append(errs, field.Forbidden(path.Child("cancel"), "must be false for the job to run again"))
	}
	if s.ForceFinish != nil {
		errs = append(errs, field.Forbidden(path.Child("forceFinish"), "must be unset for the job to run again"))
	}
	return errs
}

func phaseOf(j *Job) JobPhase {
	if j.Status.Phase == "" {
		return JobQueued
	}
	return j.Status.Phase
}

// addNew appends to errs the errors of more that are neither in errs nor in before. It calls
// before only when more has errors.
func addNew(errs, more field.ErrorList, before func() field.ErrorList) field.ErrorList {
	if len(more) == 0 {
		return errs
	}
	known := map[string]bool{}
	for _, err := range append(before(), errs...) {
		known[err.Error()] = true
	}
	for _, err := range more {
		if !known[err.Error()] {
			errs = append(errs, err)
		}
	}
	return errs
}
