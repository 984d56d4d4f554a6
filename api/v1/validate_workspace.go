package v1

import (
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxMembers bounds how many members one workspace lists.
const maxMembers = 1000

// validateWorkspace says what is wrong with a Workspace as its author wrote it: the first
// hundred problems, and how many there are beside them.
func validateWorkspace(w *Workspace) field.ErrorList { return bounded(workspaceProblems(w)) }

func workspaceProblems(w *Workspace) field.ErrorList {
	spec := field.NewPath("spec")
	s := &w.Spec
	errs := validateMeta(&w.ObjectMeta, false)
	errs = append(errs, validateSize(&w.ObjectMeta, s)...)
	errs = append(errs, validateText(s.DisplayName, maxIdentifier, spec.Child("displayName"))...)
	errs = append(errs, validateRange(s.Weight, 1, 1000, spec.Child("weight"))...)
	errs = append(errs, validateRange(s.MaxRunning, 0, math.MaxInt32, spec.Child("maxRunning"))...)
	errs = append(errs, validateRange(s.MaxQueued, 0, math.MaxInt32, spec.Child("maxQueued"))...)
	errs = append(errs, validateEach(s.SuspendTypes, len(JobTypes()), spec.Child("suspendTypes"), func(t JobType, p *field.Path) field.ErrorList {
		if slices.Contains(JobTypes(), t) {
			return nil
		}
		return field.ErrorList{field.NotSupported(p, t, JobTypes())}
	})...)
	errs = append(errs, validateEach(s.Members, maxMembers, spec.Child("members"), validateMember)...)
	return append(errs, refuseUnsupported(unsupportedWorkspaceFields(), s, spec)...)
}

func validateMember(m WorkspaceMember, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if m.Email == "" && m.ID == "" {
		errs = append(errs, field.Required(p, "set email or id"))
	}
	errs = append(errs, validateText(m.Email, maxIdentifier, p.Child("email"))...)
	errs = append(errs, validateText(m.ID, maxIdentifier, p.Child("id"))...)
	roles := []WorkspaceRole{RoleViewer, RoleEditor, RoleAdmin}
	switch {
	case m.Role == "":
		errs = append(errs, field.Required(p.Child("role"), "say what the member may do"))
	case !slices.Contains(roles, m.Role):
		errs = append(errs, field.NotSupported(p.Child("role"), m.Role, roles))
	}
	return errs
}
