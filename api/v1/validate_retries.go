package v1

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

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
		of   []JobType
	}{
		{"exitCodes", len(r.ExitCodes) > 0, []JobType{JobTypeDeploy}},
		{"httpStatus", len(r.HTTPStatus) > 0, []JobType{JobTypeAPICall, JobTypeBuild}},
		{"isError", r.IsError != nil, []JobType{JobTypeBuild}},
		{"rpcCodes", len(r.RPCCodes) > 0, []JobType{JobTypeBuild}},
	}
	none := r.MessagePattern == ""
	for _, c := range criteria {
		none = none && !c.set
		if c.set && jobType != "" && !slices.Contains(c.of, jobType) {
			errs = append(errs, field.Forbidden(p.Child(c.name), fmt.Sprintf("only a job of type %s reports it, this one is of type %s", oneOf(c.of), jobType)))
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

// oneOf is a list of types in words.
func oneOf(types []JobType) string {
	var words []string
	for _, t := range types {
		words = append(words, string(t))
	}
	return strings.Join(words, " or ")
}
