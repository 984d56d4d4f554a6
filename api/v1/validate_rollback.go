package v1

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateRollback checks what only verb up and only verb rollback may have.
func validateRollback(d *DeployAction, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch d.Rollback {
	case "", RollbackNever:
	case RollbackOnFailure:
		if d.Verb != DeployUp {
			errs = append(errs, field.Forbidden(p.Child("rollback"), "OnFailure goes with verb up only"))
		}
	default:
		errs = append(errs, field.NotSupported(p.Child("rollback"), d.Rollback, []RollbackPolicy{RollbackOnFailure, RollbackNever}))
	}
	if d.Verb != DeployRollback {
		if d.Revision != nil {
			errs = append(errs, field.Forbidden(p.Child("revision"), "goes with verb rollback only"))
		}
		return append(errs, validateRevision(d.Revision, p.Child("revision"))...)
	}
	if d.ProjectName == "" {
		errs = append(errs, field.Required(p.Child("projectName"), "name the compose project to roll back"))
	}
	errs = append(errs, validateRevision(d.Revision, p.Child("revision"))...)
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"composePath", d.ComposePath != ""}, {"composePaths", len(d.ComposePaths) > 0}, {"profiles", len(d.Profiles) > 0}, {"extraArgs", len(d.ExtraArgs) > 0}, {"env", len(d.Env) > 0},
	} {
		if f.set {
			errs = append(errs, field.Forbidden(p.Child(f.name), "not with verb rollback: the revision says it"))
		}
	}
	return errs
}

func validateRevision(n *int64, p *field.Path) field.ErrorList {
	if n == nil || *n >= 1 {
		return nil
	}
	return field.ErrorList{field.Invalid(p, *n, "must be at least 1, or unset for the one before the newest")}
}
