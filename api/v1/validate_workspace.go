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
func (s PayloadSet) validateWorkspace(w *Workspace) field.ErrorList {
	return bounded(s.workspaceProblems(w))
}

func (s PayloadSet) workspaceProblems(w *Workspace) field.ErrorList {
	path, spec, types := field.NewPath("spec"), &w.Spec, s.Types()
	errs := validateMeta(&w.ObjectMeta, false)
	errs = append(errs, validateSize(&w.ObjectMeta, spec)...)
	errs = append(errs, validateText(spec.DisplayName, maxIdentifier, path.Child("displayName"))...)
	errs = append(errs, validateRange(spec.Weight, 1, 1000, path.Child("weight"))...)
	errs = append(errs, validateRange(spec.MaxRunning, 0, math.MaxInt32, path.Child("maxRunning"))...)
	errs = append(errs, validateRange(spec.MaxQueued, 0, math.MaxInt32, path.Child("maxQueued"))...)
	errs = append(errs, validateEach(spec.SuspendTypes, len(types), path.Child("suspendTypes"), func(t JobType, p *field.Path) field.ErrorList {
		if slices.Contains(types, t) {
			return nil
		}
		return field.ErrorList{field.NotSupported(p, t, types)}
	})...)
	errs = append(errs, validateEach(spec.Members, maxMembers, path.Child("members"), validateMember)...)
	return append(errs, refuseUnsupported(unsupportedWorkspaceFields(), spec, path)...)
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
