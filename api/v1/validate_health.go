package v1

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Limits of a deploy's health, as its fields document them.
const (
	maxStableSeconds = 3600
	maxRestarts      = 100
	maxStageSeconds  = 86_400
)

// Converges reports whether the verb starts containers, so that it can be proven that
// they work.
func (v DeployVerb) Converges() bool {
	return v == DeployUp || v == DeployStart || v == DeployRestart
}

// validateConvergence checks when a deploy counts as up, and how long that may take.
func validateConvergence(d *DeployAction, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	const only = "only with the verbs up, start and restart, which start containers"
	if d.Health != nil {
		if d.Verb != "" && !d.Verb.Converges() {
			errs = append(errs, field.Forbidden(p.Child("health"), only))
		}
		errs = append(errs, validateHealth(d.Health, p.Child("health"))...)
	}
	if l := d.Limits; l != nil {
		p := p.Child("limits")
		if d.Verb != "" && !d.Verb.Converges() {
			errs = append(errs, field.Forbidden(p, only))
		}
		errs = append(errs, validateRange(l.PullSeconds, 1, maxStageSeconds, p.Child("pullSeconds"))...)
		errs = append(errs, validateRange(l.BuildSeconds, 1, maxStageSeconds, p.Child("buildSeconds"))...)
		errs = append(errs, validateRange(l.StartSeconds, 1, maxStageSeconds, p.Child("startSeconds"))...)
		errs = append(errs, validateRange(l.HealthSeconds, 1, maxStageSeconds, p.Child("healthSeconds"))...)
	}
	return errs
}

func validateHealth(h *DeployHealth, p *field.Path) field.ErrorList {
	errs := validateRange(h.StableSeconds, 0, maxStableSeconds, p.Child("stableSeconds"))
	errs = append(errs, validateRange(h.MaxRestarts, 0, maxRestarts, p.Child("maxRestarts"))...)
	if h.Probe != nil {
		errs = append(errs, validateProbe(h.Probe, p.Child("probe"))...)
	}
	p = p.Child("services")
	if len(h.Services) > maxServices {
		errs = append(errs, field.TooMany(p, len(h.Services), maxServices))
	}
	for _, name := range slices.Sorted(maps.Keys(h.Services)) {
		s, p := h.Services[name], p.Key(name)
		errs = append(errs, validateOperand(name, p)...)
		errs = append(errs, validateRange(s.StableSeconds, 0, maxStableSeconds, p.Child("stableSeconds"))...)
		errs = append(errs, validateRange(s.MaxRestarts, 0, maxRestarts, p.Child("maxRestarts"))...)
		if s.Expect != "" && !slices.Contains(ServiceExpectations(), s.Expect) {
			errs = append(errs, field.NotSupported(p.Child("expect"), s.Expect, ServiceExpectations()))
		}
	}
	return errs
}

func validateProbe(h *HTTPProbe, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if h.URL == "" {
		errs = append(errs, field.Required(p.Child("url"), "say what to ask"))
	} else {
		errs = append(errs, validateAbsoluteURL(h.URL, "", p.Child("url"))...)
	}
	return append(errs, validateEach(h.ExpectStatus, maxExpectStatus, p.Child("expectStatus"), validateStatusCode)...)
}
