package program

import (
	"io"
	"sync/atomic"
	"time"

	"jobwright.dev/controller/action/process"
)

// drainTime bounds the wait for what was written before an answer; it is in the pipe.
const drainTime = 20 * time.Millisecond

// stderr is a program's stderr, and knows whether what was read of it is being handed over.
type stderr struct {
	io.ReadCloser
	busy atomic.Bool
}

// Read implements io.Reader.
func (s *stderr) Read(p []byte) (int, error) {
	s.busy.Store(false)
	n, err := s.ReadCloser.Read(p)
	s.busy.Store(n > 0)
	return n, err
}

// Words hands over each line of the program's stderr until it ends, and closes it.
func (p *Program) Words(take func(line string)) {
	defer p.Stderr.Close()
	_ = process.Lines(p.stderr, take) // it ends with the process
}

// Drain waits until what the program wrote to stderr before its answer has been handed over.
func (p *Program) Drain() {
	for until := time.Now().Add(drainTime); unread(p.stderr.ReadCloser) > 0 || p.stderr.busy.Load(); {
		pause := time.NewTimer(time.Millisecond)
		<-pause.C
		if time.Now().After(until) {
			return
		}
	}
}
