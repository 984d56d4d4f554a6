package mcp

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// meter counts what is written to a program's stdin, and knows where in it the last call
// of a tool ends.
type meter struct {
	io.WriteCloser
	ended <-chan struct{} // closed with the program's end

	mu      sync.Mutex
	written int
	called  int // the end of the last call; 0: there was none
	closed  bool
	left    int // what was not read of it when it was closed
}

// Write implements io.Writer. The connection writes each message at once.
func (m *meter) Write(p []byte) (int, error) {
	const head = 128 // the method stands before the parameters
	m.mu.Lock()
	defer m.mu.Unlock()
	if bytes.Contains(p[:min(len(p), head)], []byte(`"method":"tools/call"`)) {
		m.called = m.written + len(p)
	}
	n, err := m.WriteCloser.Write(p)
	m.written += n
	return n, err
}

// Close implements io.Closer. The connection is closed as soon as the program's stdout is;
// what a program that ends has left unread can be seen only until then.
func (m *meter) Close() error {
	timer := time.NewTimer(lastWordsTime)
	defer timer.Stop()
	select {
	case <-m.ended:
		m.mu.Lock()
		if !m.closed {
			m.closed, m.left = true, unread(m.WriteCloser)
		}
		m.mu.Unlock()
	case <-timer.C: // it may still read what is there
	}
	return m.WriteCloser.Close()
}

// unreadCall reports whether the last call was not read to its end; it is asked after the
// program's end.
func (m *meter) unreadCall() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.left = unread(m.WriteCloser)
	}
	return m.called > 0 && m.written-m.left < m.called
}

// neverRead reports whether the session's program, whose call has failed with err, has
// ended without having read the call to its end: then the tool was not called. It is
// asked before the session is closed.
func (s *session) neverRead(err error) bool {
	if s.proc == nil || s.stdin == nil || !s.broken(err) {
		return false
	}
	timer := time.NewTimer(lastWordsTime)
	defer timer.Stop()
	select {
	case <-s.proc.Done():
	case <-timer.C:
		return false // what it has not read yet, it may read still
	}
	return s.stdin.unreadCall()
}
