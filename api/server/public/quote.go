package public

import "strings"

// Quote shows a value that a client has sent, cut after 100 bytes.
func Quote(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return `"` + strings.ToValidUTF8(s, "?") + `"`
}
