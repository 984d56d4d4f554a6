package v1

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	// maxProblems is how many problems of one object are reported; the rest is counted.
	// Whoever mends a hundred asks again.
	maxProblems = 100
	// maxShown is how many bytes of a value or of a field's path a problem repeats: an
	// answer is so some tens of kilobytes at most, whatever was sent.
	maxShown = 200
	// maxDetail is how many bytes say what is wrong; those that are written here are shorter.
	maxDetail = 1000
)

// bounded keeps the first maxProblems of errs, with their values cut.
func bounded(errs field.ErrorList) field.ErrorList {
	if len(errs) == 0 {
		return errs
	}
	rest := len(errs) - maxProblems
	if rest > 0 {
		errs = errs[:maxProblems:maxProblems]
	}
	for i, err := range errs {
		short := *err
		short.Field, short.Detail = cut(err.Field, maxShown), cut(err.Detail, maxDetail)
		switch value := err.BadValue.(type) {
		case string:
			short.BadValue = cut(value, maxShown)
		case field.OmitValueType, nil, bool, int, int32, int64:
		default:
			if shown := fmt.Sprint(value); len(shown) > maxShown {
				short.BadValue = cut(shown, maxShown)
			}
		}
		errs[i] = &short
	}
	if rest > 0 {
		errs = append(errs, &field.Error{
			Type: field.ErrorTypeTooMany, Field: "problems", BadValue: field.OmitValueType{},
			Detail: fmt.Sprintf("and at least %d more", rest),
		})
	}
	return errs
}

// cut is the beginning of a text, which is valid UTF-8 when that is.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// validateLabels checks labels one after another, and stops when more problems would not be
// reported.
func validateLabels(labels map[string]string, p *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		errs = append(errs, metavalidation.ValidateLabels(map[string]string{name: labels[name]}, p)...)
		if len(errs) > maxProblems {
			break
		}
	}
	return errs
}

// withoutLabels is metadata whose labels are checked apart.
func withoutLabels(m *metav1.ObjectMeta) *metav1.ObjectMeta {
	rest := *m
	rest.Labels = nil
	return &rest
}
