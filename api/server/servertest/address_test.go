package servertest_test

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"

	"jobwright.dev/api/server/servertest"
)

// TestAnAddressIsTheTestsOwn: a server listens there after another, nobody answers between, and
// of all other ports that there are none is this one.
func TestAnAddressIsTheTestsOwn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("an address is reserved on Linux")
	}
	address := servertest.Address(t)
	for range 3 {
		if conn, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("nobody listens: %v, %v", conn, err)
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = accepted.Close(), conn.Close(), listener.Close() // the server's end comes first: its port waits
	}
	if other := servertest.Address(t); other == address {
		t.Errorf("%s is given twice", address)
	}
	if listener, err := net.Listen("tcp", address); err != nil {
		t.Error(err)
	} else {
		listener.Close()
	}
}
