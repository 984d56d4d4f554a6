package v1

import (
	"fmt"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidateJobUpdate says everything that is wrong with changing old, as it is
// stored, into j. What was wrong with old already is not held against j, so that
// a job which an older version accepted can still be canceled.
func ValidateJobUpdate(j, old *Job) field.ErrorList {
	errs := apivalidation.ValidateObjectMetaUpdate(&j.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	errs = append(errs, validateSpecUpdate(j, old, field.NewPath("spec"))...)
	return addNew(errs, ValidateJob(j), func() field.ErrorList { return ValidateJob(old) })
}

// ValidateWorkspaceUpdate says everything that is wrong with changing old, as it
// is stored, into w.
func ValidateWorkspaceUpdate(w, old *Workspace) field.ErrorList {
	errs := apivalidation.ValidateObjectMetaUpdate(&w.ObjectMeta, &old.ObjectMeta, field.NewPath("metadata"))
	return addNew(errs, ValidateWorkspace(w), func() field.ErrorList { return ValidateWorkspace(old) })
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
	terminal := old.Status.Phase.Terminal()
	if was.Cancel && !s.Cancel && !terminal {
		errs = append(errs, field.Forbidden(path.Child("cancel"), "a cancel cannot be taken back; apply the job under another name"))
	}
	if old.Status.StartTime == nil && !terminal {
		return errs
	}
	why := "field is immutable once the job has started; delete the job or apply it under another name"
	if terminal {
		why = fmt.Sprintf("field is immutable, the job has finished (%s); delete the job or apply it under another name", old.Status.Phase)
	}
	for _, name := range changedFields(s, was) {
		switch name {
		case "type", "createdBy": // said above
		case "priority", "suspend", "cancel":
			if terminal {
				errs = append(errs, field.Forbidden(path.Child(name), why))
			}
		default:
			errs = append(errs, field.Forbidden(path.Child(name), why))
		}
	}
	return errs
}

// addNew appends to errs those of more that it does not hold yet and that are not
// among before, which is asked only when there are any.
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
