package v1

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// unsupported is a field that this version does not act on yet. asks reports
// whether an object uses it: a value that means the same as unset does not.
type unsupported[S any] struct {
	field string
	asks  func(*S) bool
}

// unsupportedJobFields are refused at admission instead of being ignored: a job
// that asks to be removed after a day must not stay for ever. An entry goes when the code
// that acts on its field comes.
func unsupportedJobFields() []unsupported[JobSpec] {
	return []unsupported[JobSpec]{
		{"ttlSecondsAfterFinished", func(s *JobSpec) bool { return s.TTLSecondsAfterFinished != nil }},
	}
}

// unsupportedWorkspaceFields is the same for a Workspace.
func unsupportedWorkspaceFields() []unsupported[WorkspaceSpec] {
	return []unsupported[WorkspaceSpec]{
		{"members", func(s *WorkspaceSpec) bool { return len(s.Members) > 0 }},
	}
}

// UnsupportedFields are the names of the fields of a spec that this version refuses.
func UnsupportedFields(spec any) []string {
	var names []string
	switch spec.(type) {
	case *JobSpec:
		for _, f := range unsupportedJobFields() {
			names = append(names, f.field)
		}
	case *WorkspaceSpec:
		for _, f := range unsupportedWorkspaceFields() {
			names = append(names, f.field)
		}
	}
	return names
}

func refuseUnsupported[S any](fields []unsupported[S], spec *S, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, f := range fields {
		if f.asks(spec) {
			errs = append(errs, field.Forbidden(path.Child(f.field), "not supported yet"))
		}
	}
	return errs
}
