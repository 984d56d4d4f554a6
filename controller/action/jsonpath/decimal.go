package jsonpath

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
)

// decimal is a number as ±0.digits × 10^point, without zeros at either end of digits; zero
// has no digits. It is compared as text: a value like 1e999999999 must not be written out.
type decimal struct {
	negative bool
	digits   string
	point    int64
}

// parseDecimal reads a number of JSON; false: its exponent is beyond 32 bits, or it is none.
func parseDecimal(n json.Number) (decimal, bool) {
	text, d := string(n), decimal{}
	text, d.negative = strings.CutPrefix(text, "-")
	var exponent int64
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.ParseInt(text[i+1:], 10, 32)
		if err != nil {
			return d, false
		}
		text, exponent = text[:i], e
	}
	whole, fraction, _ := strings.Cut(text, ".")
	d.digits = whole + fraction
	if d.digits == "" || strings.Trim(d.digits, "0123456789") != "" {
		return d, false
	}
	d.point = int64(len(whole)) + exponent
	trimmed := strings.TrimLeft(d.digits, "0")
	d.point -= int64(len(d.digits) - len(trimmed))
	if d.digits = strings.TrimRight(trimmed, "0"); d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

// compare is -1, 0 or +1 as a is less than, equal to or greater than b.
func (a decimal) compare(b decimal) int {
	if a.sign() != b.sign() {
		return cmp.Compare(a.sign(), b.sign())
	}
	return a.sign() * cmp.Or(cmp.Compare(a.point, b.point), strings.Compare(a.digits, b.digits))
}

func (a decimal) sign() int {
	switch {
	case a.digits == "":
		return 0
	case a.negative:
		return -1
	}
	return 1
}

// Equal reports whether two values of Decode are the same JSON value.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && equalNumbers(a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range a {
			other, ok := b[key]
			if !ok || !Equal(value, other) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []any, map[string]any:
		return false // they cannot be compared by ==
	}
	return a == b
}

func equalNumbers(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, ok := parseDecimal(a)
	y, known := parseDecimal(b)
	return ok && known && x.compare(y) == 0
}
