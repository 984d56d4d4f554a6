package session

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/wire"
)

// Cause says in words why a call has no result.
func (s *Session) Cause(err error) string {
	if f, ok := errors.AsType[*wire.Failure](err); ok {
		return f.Error()
	}
	switch {
	case s.proc == nil:
		return err.Error()
	case !s.broken(err):
		return "its answer cannot be read: " + err.Error()
	}
	words := s.LastWords()
	select {
	case <-s.proc.Done():
		return "the connection ended" + words
	default:
		return "it closed its stdout or stdin, and went on running" + words
	}
}

// broken reports whether the connection broke, rather than the answer.
func (s *Session) broken(err error) bool {
	switch {
	case errors.Is(err, errDied), errors.Is(err, sdk.ErrConnectionClosed), errors.Is(err, os.ErrClosed), errors.Is(err, syscall.EPIPE):
		return true
	case !errors.Is(err, io.EOF):
		return false
	}
	// The decoder says so too of an answer that lacks its result.
	timer := time.NewTimer(lastWordsTime)
	defer timer.Stop()
	select {
	case <-s.lost:
		return true
	case <-s.proc.Done():
		return true
	case <-timer.C:
		return false
	}
}

// NeverRead reports whether the session's program, whose call has failed with err, has
// ended without having read the call to its end: then the tool was not called. The
// caller asks before it closes the session.
func (s *Session) NeverRead(err error) bool {
	return s.proc != nil && s.broken(err) && s.proc.UnreadCall()
}
