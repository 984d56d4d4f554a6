package revisions

import (
	"fmt"
	"strings"
)

// variablePrefix is what variables of secrets begin with; a job cannot set any of that
// name.
const variablePrefix = "JOBWRIGHT_SECRET_"

// Variable is the variable that stands for a secret in a revision. Two secrets never
// share one: what is no letter or digit is written as _ and its two hexadecimal digits.
func Variable(secret string) string {
	var b strings.Builder
	b.WriteString(variablePrefix)
	for i := range len(secret) {
		c := secret[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "_%02x", c)
	}
	return b.String()
}
