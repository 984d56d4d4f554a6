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
func (s PayloadSet) validateRetries(spec *JobSpec, path *field.Path) field.ErrorList {
	errs := validateRange(spec.BackoffLimit, 0, maxBackoffLimit, path.Child("backoffLimit"))
	if b := spec.Backoff; b != nil {
		p := path.Child("backoff")
		errs = append(errs, validateRange(b.InitialSeconds, 0, math.MaxInt32, p.Child("initialSeconds"))...)
		errs = append(errs, validateRange(b.Factor, 1, maxBackoffFactor, p.Child("factor"))...)
		errs = append(errs, validateRange(b.MaxSeconds, 0, math.MaxInt32, p.Child("maxSeconds"))...)
		if b.InitialSeconds != nil && b.MaxSeconds != nil && *b.MaxSeconds < *b.InitialSeconds {
			errs = append(errs, field.Invalid(p.Child("maxSeconds"), *b.MaxSeconds, "must not be less than initialSeconds"))
		}
	}
	if f := spec.FailurePolicy; f != nil {
		p := path.Child("failurePolicy", "rules")
		if len(f.Rules) > maxFailureRules {
			errs = append(errs, field.TooMany(p, len(f.Rules), maxFailureRules))
		}
		for i := range f.Rules {
			errs = append(errs, s.validateFailureRule(&f.Rules[i], spec.Type, p.Index(i))...)
		}
	}
	return errs
}

// validateFailureRule refuses a rule that could never match: one without criteria, or with a
// criterion on a fact that jobs of this type do not report.
func (s PayloadSet) validateFailureRule(r *FailureRule, jobType JobType, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	actions := FailurePolicyActions()
	switch {
	case r.Action == "":
		errs = append(errs, field.Required(p.Child("action"), "say what a match decides"))
	case !slices.Contains(actions, r.Action):
		errs = append(errs, field.NotSupported(p.Child("action"), r.Action, actions))
	}
	none := r.MessagePattern == ""
	var names []string
	for _, c := range CriteriaOf(r) {
		names = append(names, c.Field)
		if len(c.Wants(r)) == 0 {
			continue
		}
		none = false
		switch of := s.reporting(c.Fact); {
		case len(of) == 0:
			errs = append(errs, field.Forbidden(p.Child(c.Field), "unknown field"))
		case jobType != "" && !slices.Contains(of, jobType):
			errs = append(errs, field.Forbidden(p.Child(c.Field), fmt.Sprintf("only a job of type %s reports it, this one is of type %s", oneOf(of), jobType)))
		}
	}
	if none {
		errs = append(errs, field.Required(p, fmt.Sprintf("set at least one of %s and messagePattern", strings.Join(names, ", "))))
	}
	errs = append(errs, validateText(r.MessagePattern, maxPattern, p.Child("messagePattern"))...)
	if _, err := regexp.Compile(r.MessagePattern); err != nil {
		errs = append(errs, field.Invalid(p.Child("messagePattern"), r.MessagePattern, err.Error()))
	}
	errs = append(errs, validateRange(r.RetryAfterSeconds, 0, maxRetryAfter, p.Child("retryAfterSeconds"))...)
	if r.RetryAfterSeconds != nil && r.Action != FailurePolicyRetryAfter {
		errs = append(errs, field.Forbidden(p.Child("retryAfterSeconds"), "only with action RetryAfter"))
	}
	for _, c := range CriteriaOf(r) {
		if c.validate != nil {
			errs = append(errs, c.validate(r, p.Child(c.Field))...)
		}
	}
	return errs
}

// oneOf lists types for a message.
func oneOf(types []JobType) string {
	var words []string
	for _, t := range types {
		words = append(words, string(t))
	}
	return strings.Join(words, " or ")
}
