package outbound_test

import (
	"testing"
	"time"

	"jobwright.dev/controller/action/outbound"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, " 120 ": 2 * time.Minute, "-5": 0, "+5": 0, "1.5": 0, "soon": 0, "5, 10": 0,
		"Mon, 23 Nov 2026 10:01:00 GMT": time.Minute, "Mon, 23 Nov 2026 09:00:00 GMT": 0,
		"99999999999": 100 * 365 * 24 * time.Hour, "99999999999999999999999999999": 100 * 365 * 24 * time.Hour,
	} {
		if got := outbound.RetryAfter(header, now); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
