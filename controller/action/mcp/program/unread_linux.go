package program

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unread is how many bytes of what was written to a pipe, known by either end, nobody has read yet; 0 where that
// cannot be known.
func unread(pipe any) int {
	file, ok := pipe.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return 0 // closed by ourselves
	}
	n := 0
	err = raw.Control(func(fd uintptr) {
		if left, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ); err == nil { //nolint:gosec // a file descriptor is an int
			n = left
		}
	})
	if err != nil {
		return 0
	}
	return n
}
