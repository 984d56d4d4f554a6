package servertest

import "testing"

// Address is a loopback address that belongs to the test until the test ends. A server that the
// test starts may listen there, again and again. Nobody else gets its port, and while no server
// listens, whoever connects is refused.
func Address(t testing.TB) string {
	t.Helper()
	address, release, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return address
}
