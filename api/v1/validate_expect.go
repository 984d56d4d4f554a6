package v1

import (
	"maps"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Limits of what is expected of a response and taken from it.
const (
	maxExpectations = 50
	maxPath         = 1024
	maxRedirects    = 10
)

func validateExpect(e *APICallExpect, p *field.Path) field.ErrorList {
	if e == nil {
		return nil
	}
	var errs field.ErrorList
	headers := p.Child("headers")
	if len(e.Headers) > maxExpectations {
		errs = append(errs, field.TooMany(headers, len(e.Headers), maxExpectations))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		if !isToken(name) {
			errs = append(errs, field.Invalid(headers.Key(name), name, "is not a valid header name"))
		}
		errs = append(errs, validateExpression(e.Headers[name], headers.Key(name))...)
	}
	return append(errs, validateEach(e.Body, maxExpectations, p.Child("body"), validateBodyExpectation)...)
}

func validateBodyExpectation(e BodyExpectation, p *field.Path) field.ErrorList {
	errs := validatePath(e.Path, p.Child("path"))
	if e.Equals != nil && e.Matches != "" {
		errs = append(errs, field.Forbidden(p.Child("matches"), "not together with equals"))
	}
	return append(errs, validateExpression(e.Matches, p.Child("matches"))...)
}

// validatePath checks what can be checked of a JSONPath without the library that reads
// it; the action's own check says the rest.
func validatePath(path string, p *field.Path) field.ErrorList {
	if path == "" {
		return field.ErrorList{field.Required(p, "say where in the body, e.g. {.status}")}
	}
	return validateText(path, maxPath, p)
}

func validateExpression(expression string, p *field.Path) field.ErrorList {
	errs := validateText(expression, maxPath, p)
	if _, err := regexp.Compile(expression); err != nil {
		errs = append(errs, field.Invalid(p, expression, err.Error()))
	}
	return errs
}

func validateExtract(paths map[string]string, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(paths) > maxExpectations {
		errs = append(errs, field.TooMany(p, len(paths), maxExpectations))
	}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		errs = append(errs, validateOperand(name, p.Key(name))...)
		errs = append(errs, validatePath(paths[name], p.Key(name))...)
	}
	return errs
}
