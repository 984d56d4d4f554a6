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
// that asks for a retry must never run without one. An entry goes when the code
// that acts on its field comes.
func unsupportedJobFields() []unsupported[JobSpec] {
	return []unsupported[JobSpec]{
		{"dependsOn", func(s *JobSpec) bool { return len(s.DependsOn) > 0 }},
		{"startAfter", func(s *JobSpec) bool { return s.StartAfter != nil }},
		{"suspend", func(s *JobSpec) bool { return s.Suspend }},
		{"backoffLimit", func(s *JobSpec) bool { return s.BackoffLimit != nil && *s.BackoffLimit > 0 }},
		{"backoff", func(s *JobSpec) bool { return s.Backoff != nil }},
		{"failurePolicy", func(s *JobSpec) bool { return s.FailurePolicy != nil && len(s.FailurePolicy.Rules) > 0 }},
		{"startDeadlineSeconds", func(s *JobSpec) bool { return s.StartDeadlineSeconds != nil }},
		{"idleTimeoutSeconds", func(s *JobSpec) bool { return s.IdleTimeoutSeconds != nil }},
		{"attemptTimeoutSeconds", func(s *JobSpec) bool { return s.AttemptTimeoutSeconds != nil }},
		{"concurrency", func(s *JobSpec) bool { return s.Concurrency != nil }},
		{"rateLimit", func(s *JobSpec) bool { return s.RateLimit != nil }},
		{"onInterruption", func(s *JobSpec) bool { return s.OnInterruption != "" }},
		{"updatePolicy", func(s *JobSpec) bool { return s.UpdatePolicy != "" && s.UpdatePolicy != UpdateReject }},
		{"reruns", func(s *JobSpec) bool { return s.Reruns > 0 }},
		{"forceFinish", func(s *JobSpec) bool { return s.ForceFinish != nil }},
		{"ttlSecondsAfterFinished", func(s *JobSpec) bool { return s.TTLSecondsAfterFinished != nil }},
	}
}

// unsupportedWorkspaceFields is the same for a Workspace.
func unsupportedWorkspaceFields() []unsupported[WorkspaceSpec] {
	return []unsupported[WorkspaceSpec]{
		{"weight", func(s *WorkspaceSpec) bool { return s.Weight != nil }},
		{"maxRunning", func(s *WorkspaceSpec) bool { return s.MaxRunning != nil }},
		{"maxQueued", func(s *WorkspaceSpec) bool { return s.MaxQueued != nil }},
		{"suspend", func(s *WorkspaceSpec) bool { return s.Suspend }},
		{"suspendTypes", func(s *WorkspaceSpec) bool { return len(s.SuspendTypes) > 0 }},
		{"members", func(s *WorkspaceSpec) bool { return len(s.Members) > 0 }},
	}
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
