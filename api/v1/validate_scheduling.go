package v1

import (
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateScheduling checks what decides when the job may run.
func validateScheduling(j *Job, path *field.Path) field.ErrorList {
	s := &j.Spec
	errs := validateRange(&s.Priority, -maxPriority, maxPriority, path.Child("priority"))
	errs = append(errs, validateDependencies(j, path.Child("dependsOn"))...)
	if c := s.Concurrency; c != nil {
		p := path.Child("concurrency")
		if c.Key == "" {
			errs = append(errs, field.Required(p.Child("key"), "name the group whose jobs share the limit"))
		}
		errs = append(errs, validateText(c.Key, maxIdentifier, p.Child("key"))...)
		errs = append(errs, validateRange(c.Limit, 1, math.MaxInt32, p.Child("limit"))...)
		if c.Policy != "" && !slices.Contains(ConcurrencyPolicies(), c.Policy) {
			errs = append(errs, field.NotSupported(p.Child("policy"), c.Policy, ConcurrencyPolicies()))
		}
	}
	if r := s.RateLimit; r != nil {
		p := path.Child("rateLimit")
		if r.Key == "" {
			errs = append(errs, field.Required(p.Child("key"), "name the group whose jobs share the limit"))
		}
		errs = append(errs, validateText(r.Key, maxIdentifier, p.Child("key"))...)
		errs = append(errs, validateRange(r.Limit, 1, maxRateLimit, p.Child("limit"))...)
		errs = append(errs, validateRange(&r.PerSeconds, 1, maxRateSeconds, p.Child("perSeconds"))...)
	}
	return errs
}

func validateDependencies(j *Job, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(j.Spec.DependsOn) > maxDependencies {
		errs = append(errs, field.TooMany(path, len(j.Spec.DependsOn), maxDependencies))
	}
	conditions := []DependencyCondition{DependencySucceeded, DependencyFailed, DependencyFinished}
	seen := map[string]bool{}
	for i, d := range j.Spec.DependsOn {
		p := path.Index(i)
		switch {
		case d.Name == "":
			errs = append(errs, field.Required(p.Child("name"), "name the job to wait for"))
		case d.Name == j.Name:
			errs = append(errs, field.Invalid(p.Child("name"), d.Name, "a job cannot depend on itself"))
		case seen[d.Name]:
			errs = append(errs, field.Duplicate(p.Child("name"), d.Name))
		}
		seen[d.Name] = true
		if d.Name != "" {
			for _, msg := range validation.IsDNS1123Subdomain(d.Name) {
				errs = append(errs, field.Invalid(p.Child("name"), d.Name, msg))
			}
		}
		if d.Condition != "" && !slices.Contains(conditions, d.Condition) {
			errs = append(errs, field.NotSupported(p.Child("condition"), d.Condition, conditions))
		}
	}
	return errs
}

// validateDurations checks the limits in seconds.
func validateDurations(s *JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	errs = append(errs, validateRange(s.StartDeadlineSeconds, 1, maxSeconds, path.Child("startDeadlineSeconds"))...)
	errs = append(errs, validateRange(s.IdleTimeoutSeconds, 0, maxSeconds, path.Child("idleTimeoutSeconds"))...)
	errs = append(errs, validateRange(s.AttemptTimeoutSeconds, 1, maxSeconds, path.Child("attemptTimeoutSeconds"))...)
	errs = append(errs, validateRange(s.ActiveDeadlineSeconds, 1, maxSeconds, path.Child("activeDeadlineSeconds"))...)
	if t := s.TTLSecondsAfterFinished; t != nil {
		p := path.Child("ttlSecondsAfterFinished")
		errs = append(errs, validateRange(t.Succeeded, 0, maxSeconds, p.Child("succeeded"))...)
		errs = append(errs, validateRange(t.Failed, 0, maxSeconds, p.Child("failed"))...)
		errs = append(errs, validateRange(t.Canceled, 0, maxSeconds, p.Child("canceled"))...)
	}
	return errs
}
