package program

import (
	"bytes"
	"io"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endTime is how long the end of a program is waited for whose pipes have ended.
const endTime = time.Second

// Stdin counts what is written to a program's stdin, and knows where in it the last call
// of a tool ends.
type Stdin struct {
	io.WriteCloser
	ended <-chan struct{} // closed with the program's end

	mu      sync.Mutex
	written int
	called  int // the end of the last call; 0: there was none
	closed  bool
	left    int // bytes unread when it was closed
}

// Write implements io.Writer. The connection writes each message at once.
func (s *Stdin) Write(p []byte) (int, error) {
	const head = 128 // the method stands before the parameters
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Contains(p[:min(len(p), head)], []byte(`"method":"tools/call"`)) {
		s.called = s.written + len(p)
	}
	n, err := s.WriteCloser.Write(p)
	s.written += n
	return n, err
}

// Close implements io.Closer. The connection is closed as soon as the program's stdout is;
// the unread rest of a program that ends can be seen only until then.
func (s *Stdin) Close() error {
	timer := time.NewTimer(endTime)
	defer timer.Stop()
	select {
	case <-s.ended:
		s.mu.Lock()
		if !s.closed {
			s.closed, s.left = true, unread(s.WriteCloser)
		}
		s.mu.Unlock()
	case <-timer.C: // the program may still read the rest
	}
	return s.WriteCloser.Close()
}

// Unread is how many bytes the program has not read yet.
func (s *Stdin) Unread() int { return unread(s.WriteCloser) }

// UnreadCall reports whether the program has ended without having read the last call to its
// end: then the tool was not called. The caller asks before it closes the session; UnreadCall waits
// for a program that is about to end.
func (p *Program) UnreadCall() bool {
	timer := time.NewTimer(endTime)
	defer timer.Stop()
	select {
	case <-p.Done():
		return p.stdin.unreadCall()
	case <-timer.C:
		return false // the program may still read the rest
	}
}

func (s *Stdin) unreadCall() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.left = unread(s.WriteCloser)
	}
	return s.called > 0 && s.written-s.left < s.called
}

// Reads reports whether someone holds the reading end of the program's stdin.
func (s *Stdin) Reads() bool {
	file, ok := s.WriteCloser.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return false // closed by ourselves
	}
	open := true
	err = raw.Control(func(fd uintptr) {
		ask := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}} //nolint:gosec // a file descriptor is an int
		if n, err := unix.Poll(ask, 0); err == nil && n > 0 {
			open = ask[0].Revents&(unix.POLLERR|unix.POLLHUP) == 0
		}
	})
	return err == nil && open
}
