//go:build !linux

package servertest

import (
	"fmt"
	"net"
)

// Reserve is Address for those that have no test. Elsewhere than on Linux it keeps nobody from
// taking the port.
func Reserve() (address string, release func(), err error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", nil, fmt.Errorf("reserve an address: %w", err)
	}
	return listener.Addr().String(), func() {}, listener.Close()
}
