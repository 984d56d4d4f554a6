//go:build !linux

package vfstest

import "testing"

// Mount needs Linux; elsewhere the test is skipped.
func Mount(t *testing.T, _ *Disk, _ string) (unmount func()) {
	t.Helper()
	t.Skip("needs Linux with /dev/fuse, and to be root")
	return func() {}
}
