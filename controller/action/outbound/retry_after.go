package outbound

import (
	"net/http"
	"strings"
	"time"
)

// longest is the longest wait that a Retry-After can ask for.
const longest = 100 * 365 * 24 * time.Hour

// RetryAfter is how long a Retry-After header asks to wait: seconds or a date (RFC 9110,
// section 10.2.3). A number that is too large is a long time and not none.
func RetryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header != "" && strings.Trim(header, "0123456789") == "" {
		var seconds int64
		for _, digit := range header {
			if seconds = seconds*10 + int64(digit-'0'); seconds > int64(longest/time.Second) {
				return longest
			}
		}
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
