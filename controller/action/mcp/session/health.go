package session

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/wire"
)

// Alive reports whether the server and the connection to it are still there.
func (s *Session) Alive() bool {
	select {
	case <-s.lost:
		return false
	default:
	}
	if s.proc == nil {
		return true
	}
	select {
	case <-s.proc.Done():
		return false
	default:
		return s.proc.Stdin().Reads()
	}
}

// Wait waits until the session has ended.
func (s *Session) Wait() {
	var died <-chan struct{}
	if s.proc != nil {
		died = s.proc.Done()
	}
	select {
	case <-s.lost:
	case <-died:
	}
}

// Usable reports whether a warm session can serve another call. A server behind HTTP
// may have been restarted meanwhile, and then knows nothing of the session; a program
// may hang, or have closed its stdin.
func (s *Session) Usable(ctx context.Context) bool {
	if !s.Alive() {
		return false
	}
	ping := s.proc == nil || time.Since(s.since) >= s.opts.PingAfter
	s.mu.Lock()
	stale, talks := s.stale, time.Since(s.late) < quietTime
	s.mu.Unlock()
	if !ping && !stale && !talks {
		return true // the common case
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.PingTime)
	defer cancel()
	if ping && s.ping(ctx) != nil {
		return false
	}
	s.quiet(ctx)
	s.mu.Lock()
	stale = s.stale
	s.mu.Unlock()
	return !stale || s.ListTools(ctx) == nil
}

// ping asks for a sign of life. Protocols since 2026-07-28 have no such request, and a
// server that says so lives.
func (s *Session) ping(ctx context.Context) error {
	_, err := within(ctx, s, func() (struct{}, error) { return struct{}{}, s.client.Ping(ctx, nil) })
	if rpc, ok := errors.AsType[*jsonrpc.Error](err); ok && rpc.Code == jsonrpc.CodeMethodNotFound {
		return nil
	}
	return err
}

// errDied is the error of a call whose server is gone while a child of the server holds its
// stdout open, so that the connection does not end.
var errDied = errors.New("the server ended")

// within carries out a request, but waits no longer than ctx lasts and the server lives.
// The SDK itself does not return from the write of a request to a server that does not
// read, and waits for the end of a stdout that the server's children hold open. Closing
// the session ends the rest of the request.
func within[T any](ctx context.Context, s *Session, request func() (T, error)) (T, error) {
	if s.proc == nil {
		value, err := request() // HTTP keeps to the context
		if err != nil {
			err = redacted{s.opts.Server, err}
		}
		return value, err
	}
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := request()
		done <- answer{value, err}
	}()
	var none T
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-s.proc.Done():
	}
	timer := time.NewTimer(lastWordsTime) // its answer may be on the way
	defer timer.Stop()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-timer.C:
		return none, errDied
	}
}

// redacted is an error of a server without the secrets of its URL.
type redacted struct {
	server config.Server
	err    error
}

func (r redacted) Error() string { return r.server.Redact(r.err.Error()) }
func (r redacted) Unwrap() error { return r.err }

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
