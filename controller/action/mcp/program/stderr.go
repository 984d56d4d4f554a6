package program

import (
	"io"
	"sync"
	"time"

	"jobwright.dev/controller/action/process"
)

// drainTime bounds the wait for what was written before an answer. It is no more than a pipe
// holds, so the bound is for a reader that cannot hand it over, and not for a busy machine.
const drainTime = 2 * time.Second

// stderr is a program's stderr. It knows how much of what was read has been handed over, and
// which call each line was written in.
//
// An epoch begins where a call begins: behind the last byte that the program has written by
// then. Whoever reads gets no more at once than belongs to one epoch, and asks for more only
// when all lines of the last piece were handed over. So a line that was written before a call
// belongs to an epoch before it, however late it is read.
type stderr struct {
	io.ReadCloser
	mu    sync.Mutex
	read  int64 // bytes so far
	over  int64 // of these were handed over
	half  bool  // the last of them is within a line
	epoch int64 // of what was read last
	next  int64 // the newest
	mark  int64 // the byte that it begins with
	begun bool  // the line that is read next was begun in the epoch before
}

// Read implements io.Reader.
func (s *stderr) Read(p []byte) (int, error) {
	s.mu.Lock()
	s.over = s.read // who asks for more has handed over the lines before
	s.mu.Unlock()
	return s.fetch(p)
}

// handed reports whether the bytes before a place were handed over.
func (s *stderr) handed(before int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over >= before
}

// fetchPlain reads where it is not known how much was written: a piece may have the end of an
// epoch and the beginning of the next.
func (s *stderr) fetchPlain(p []byte) (int, error) {
	s.mu.Lock()
	p = s.room(p)
	s.mu.Unlock()
	n, err := s.ReadCloser.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took(p[:n])
	return n, err
}

// room is how much of p may be read at once; everything that was read has been handed over.
// The caller holds mu.
func (s *stderr) room(p []byte) []byte {
	if s.epoch == s.next {
		return p
	}
	if s.read >= s.mark {
		s.epoch, s.begun = s.next, s.half
		return p
	}
	return p[:min(int64(len(p)), s.mark-s.read)]
}

// took counts what was read. The caller holds mu.
func (s *stderr) took(p []byte) {
	if len(p) > 0 {
		s.read, s.half = s.read+int64(len(p)), p[len(p)-1] != '\n'
	}
}

// lineEpoch is the epoch that a line belongs to which is handed over.
func (s *stderr) lineEpoch() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		s.begun = false
		return s.epoch - 1
	}
	return s.epoch
}

// Words hands over each line of the program's stderr with its epoch, until it ends, and closes
// it.
func (p *Program) Words(take func(line string, epoch int64)) {
	defer p.Stderr.Close()
	_ = process.Lines(p.stderr, func(line string) { take(line, p.stderr.lineEpoch()) }) // it ends with the process
}

// Mark begins an epoch of stderr, and returns its number.
func (p *Program) Mark() int64 {
	s := p.stderr
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	s.mark = s.read + int64(unread(s.ReadCloser))
	return s.next
}

// Drain waits until what the program wrote to stderr before its answer has been handed over.
func (p *Program) Drain() {
	s := p.stderr
	s.mu.Lock()
	written := s.read + int64(unread(s.ReadCloser))
	s.mu.Unlock()
	for until := time.Now().Add(drainTime); !s.handed(written); {
		pause := time.NewTimer(time.Millisecond)
		<-pause.C
		if time.Now().After(until) {
			return
		}
	}
}
