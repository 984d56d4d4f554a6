package v1

import (
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

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
