//go:build !linux

package interruptions

import "testing"

// own needs a network namespace.
func own(t *testing.T) *engine {
	t.Helper()
	t.Skip("needs Linux")
	return nil
}
