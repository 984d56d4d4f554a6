package servertest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Reserve is Address for those that have no test. The caller releases the address.
//
// A socket that is bound and does not listen keeps the port. Linux gives the port to nobody who
// asks for any port, be it to listen or to connect, and lets a socket with SO_REUSEADDR listen
// there, which Go, Node and docker set.
func Reserve() (address string, release func(), err error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("reserve an address: %w", err)
	}
	release = func() { _ = unix.Close(socket) } // nothing was written to it
	err = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var bound unix.Sockaddr
	if err == nil {
		bound, err = unix.Getsockname(socket)
	}
	at, ok := bound.(*unix.SockaddrInet4)
	if err != nil || !ok {
		release()
		return "", nil, fmt.Errorf("reserve an address: %w", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.Port), release, nil
}
