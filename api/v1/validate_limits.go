package v1

import (
	"fmt"
	"math"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Limits on scheduling and retries, as their fields document them.
const (
	maxPriority      = 1000
	maxDependencies  = 100
	maxBackoffLimit  = 1000
	maxBackoffFactor = 10
	maxFailureRules  = 20
	maxRuleValues    = 100
	maxPattern       = 1024
	maxMessage       = 1024
	maxRetryAfter    = 86_400
	maxRateLimit     = 10_000
	maxRateSeconds   = 86_400
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

// validateRuns checks what becomes of a job that was interrupted or has finished.
func validateRuns(s *JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if interruption := []InterruptionPolicy{InterruptionRerun, InterruptionFail}; s.OnInterruption != "" && !slices.Contains(interruption, s.OnInterruption) {
		errs = append(errs, field.NotSupported(path.Child("onInterruption"), s.OnInterruption, interruption))
	}
	if update := []UpdatePolicy{UpdateReject, UpdateRerun, UpdateIgnore}; s.UpdatePolicy != "" && !slices.Contains(update, s.UpdatePolicy) {
		errs = append(errs, field.NotSupported(path.Child("updatePolicy"), s.UpdatePolicy, update))
	}
	errs = append(errs, validateRange(&s.Reruns, 0, math.MaxInt32, path.Child("reruns"))...)
	if f := s.ForceFinish; f != nil {
		p := path.Child("forceFinish")
		if !f.Phase.Terminal() {
			errs = append(errs, field.NotSupported(p.Child("phase"), f.Phase, []JobPhase{JobSucceeded, JobFailed, JobCanceled}))
		}
		if f.Message == "" {
			errs = append(errs, field.Required(p.Child("message"), "say why, for those who read the job later"))
		}
		errs = append(errs, validateText(f.Message, maxMessage, p.Child("message"))...)
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

// validateRetries checks what happens after a failure.
func validateRetries(s *JobSpec, path *field.Path) field.ErrorList {
	errs := validateRange(s.BackoffLimit, 0, maxBackoffLimit, path.Child("backoffLimit"))
	if b := s.Backoff; b != nil {
		p := path.Child("backoff")
		errs = append(errs, validateRange(b.InitialSeconds, 0, math.MaxInt32, p.Child("initialSeconds"))...)
		errs = append(errs, validateRange(b.Factor, 1, maxBackoffFactor, p.Child("factor"))...)
		errs = append(errs, validateRange(b.MaxSeconds, 0, math.MaxInt32, p.Child("maxSeconds"))...)
		if b.InitialSeconds != nil && b.MaxSeconds != nil && *b.MaxSeconds < *b.InitialSeconds {
			errs = append(errs, field.Invalid(p.Child("maxSeconds"), *b.MaxSeconds, "must not be less than initialSeconds"))
		}
	}
	if f := s.FailurePolicy; f != nil {
		p := path.Child("failurePolicy", "rules")
		if len(f.Rules) > maxFailureRules {
			errs = append(errs, field.TooMany(p, len(f.Rules), maxFailureRules))
		}
		for i := range f.Rules {
			errs = append(errs, validateFailureRule(&f.Rules[i], s.Type, p.Index(i))...)
		}
	}
	return errs
}

// validateFailureRule refuses a rule that could never match: without criteria,
// or with one that jobs of this type do not report.
func validateFailureRule(r *FailureRule, jobType JobType, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	actions := FailurePolicyActions()
	switch {
	case r.Action == "":
		errs = append(errs, field.Required(p.Child("action"), "say what a match decides"))
	case !slices.Contains(actions, r.Action):
		errs = append(errs, field.NotSupported(p.Child("action"), r.Action, actions))
	}
	criteria := []struct {
		name string
		set  bool
		of   JobType
	}{
		{"exitCodes", len(r.ExitCodes) > 0, JobTypeDeploy},
		{"httpStatus", len(r.HTTPStatus) > 0, JobTypeAPICall},
		{"isError", r.IsError != nil, JobTypeBuild},
		{"rpcCodes", len(r.RPCCodes) > 0, JobTypeBuild},
	}
	none := r.MessagePattern == ""
	for _, c := range criteria {
		none = none && !c.set
		if c.set && jobType != "" && jobType != c.of {
			errs = append(errs, field.Forbidden(p.Child(c.name), fmt.Sprintf("only a job of type %s reports it, this one is of type %s", c.of, jobType)))
		}
	}
	if none {
		errs = append(errs, field.Required(p, "set at least one of exitCodes, httpStatus, isError, rpcCodes and messagePattern"))
	}
	errs = append(errs, validateText(r.MessagePattern, maxPattern, p.Child("messagePattern"))...)
	if _, err := regexp.Compile(r.MessagePattern); err != nil {
		errs = append(errs, field.Invalid(p.Child("messagePattern"), r.MessagePattern, err.Error()))
	}
	errs = append(errs, validateRange(r.RetryAfterSeconds, 0, maxRetryAfter, p.Child("retryAfterSeconds"))...)
	if r.RetryAfterSeconds != nil && r.Action != FailurePolicyRetryAfter {
		errs = append(errs, field.Forbidden(p.Child("retryAfterSeconds"), "only with action RetryAfter"))
	}
	errs = append(errs, validateEach(r.RPCCodes, maxRuleValues, p.Child("rpcCodes"), func(int64, *field.Path) field.ErrorList { return nil })...)
	errs = append(errs, validateEach(r.ExitCodes, maxRuleValues, p.Child("exitCodes"), func(code int32, p *field.Path) field.ErrorList {
		return validateRange(&code, 1, 255, p)
	})...)
	return append(errs, validateEach(r.HTTPStatus, maxRuleValues, p.Child("httpStatus"), func(code int32, p *field.Path) field.ErrorList {
		return validateRange(&code, 100, 599, p)
	})...)
}

func rangeMessage(low, high int64) string {
	if high == math.MaxInt32 {
		return fmt.Sprintf("must be at least %d", low)
	}
	return fmt.Sprintf("must be between %d and %d", low, high)
}
