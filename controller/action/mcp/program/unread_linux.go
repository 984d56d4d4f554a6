package program

import (
	"errors"
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// unread is the number of bytes in a pipe, which is known by either end; 0 where the number
// is unknown.
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

// fetch reads what there is, up to the end of an epoch: what was written is counted, and
// read, at one moment.
func (s *stderr) fetch(p []byte) (n int, err error) {
	file, ok := s.ReadCloser.(syscall.Conn)
	if !ok {
		return s.fetchPlain(p)
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		to := s.room(p)
		for {
			n, failed = unix.Read(int(fd), to) //nolint:gosec // a file descriptor is an int
			if !errors.Is(failed, unix.EINTR) {
				break
			}
		}
		if errors.Is(failed, unix.EAGAIN) {
			return false // until there is something
		}
		n = max(n, 0)
		s.took(to[:n])
		return true
	})
	switch {
	case err != nil:
		return 0, err
	case failed != nil:
		return 0, failed
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
