package v1

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateText bounds a one-line text in characters, as OpenAPI's maxLength
// counts them, and refuses what could forge a line in a log or end a C string.
func validateText(s string, limit int, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if utf8.RuneCountInString(s) > limit {
		errs = append(errs, field.TooLongCharacters(path, s, limit))
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		errs = append(errs, field.Invalid(path, s, "must not contain control characters"))
	}
	return errs
}

// validateRange checks a number that may be unset.
func validateRange[N int32 | int64](n *N, low, high N, path *field.Path) field.ErrorList {
	if n == nil || *n >= low && *n <= high {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *n, rangeMessage(int64(low), int64(high)))}
}

func rangeMessage(low, high int64) string {
	if high == math.MaxInt32 {
		return fmt.Sprintf("must be at least %d", low)
	}
	return fmt.Sprintf("must be between %d and %d", low, high)
}

// validateEach checks a list's length and each of its elements, which must not
// repeat.
func validateEach[T comparable](list []T, limit int, path *field.Path, check func(T, *field.Path) field.ErrorList) field.ErrorList {
	var errs field.ErrorList
	if len(list) > limit {
		errs = append(errs, field.TooMany(path, len(list), limit))
	}
	seen := make(map[T]bool, len(list))
	for i, v := range list {
		if seen[v] {
			errs = append(errs, field.Duplicate(path.Index(i), v))
		}
		seen[v] = true
		errs = append(errs, check(v, path.Index(i))...)
	}
	return errs
}
