package session

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"jobwright.dev/controller/action/mcp/container"
)

const (
	// LeaveTime is the least time for a server behind HTTP to answer that a session, or a
	// task, has ended: a few round trips across the world.
	LeaveTime = 3 * time.Second
	// lastWordsTime is how long a message waits for a broken server to end.
	lastWordsTime = time.Second
	// askTime is how much of the grace a server gets to end by itself before SIGTERM.
	askTime = time.Second
)

// leave ends a session over HTTP and waits for the server's answer, but not for longer
// than patience: a server that hangs forgets the session when its connections end.
func (s *Session) leave(patience time.Duration) {
	if s.client == nil {
		return
	}
	closed := make(chan error, 1)
	go func() { closed <- s.client.Close() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-closed:
		s.confirmed = err == nil
	case <-timer.C: // the client gives up by itself a little later
	}
}

// Close ends the session; a program gets grace to end by itself, and is gone when
// Close returns.
func (s *Session) Close(grace time.Duration) {
	if s.proc == nil {
		s.leave(max(grace, LeaveTime))
		return
	}
	s.proc.Process.Stdin.Close() // how a client of the stdio transport says goodbye
	ask := min(grace, askTime)
	timer := time.NewTimer(ask)
	defer timer.Stop()
	select {
	case <-s.proc.Done():
	case <-timer.C:
	}
	// An error is a process that the kernel does not let go, or an engine that does not answer.
	s.left = s.proc.Stop(context.Background(), grace-ask)
	if s.left != nil {
		s.opts.Log.Error(s.left, "end an MCP server", "server", s.opts.Name)
	}
	// The server's last output is read to its end, but not for ever: a process that gave
	// up its identity may hold the pipes open.
	timer.Reset(lastWordsTime)
	select {
	case <-s.ended:
	case <-timer.C:
	}
	s.proc.Stdout.Close()
	s.proc.Stderr.Close()
	s.leave(lastWordsTime) // the connection is gone; this frees its goroutines
}

// AwaitCancel waits until the server has taken the cancellation of a call, for patience
// at most. The client sends it in the background, and ending the session first would
// keep it from ever arriving; a tool behind HTTP would go on for nobody.
func (s *Session) AwaitCancel(patience time.Duration) {
	if s.proc != nil {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.canceled:
	case <-timer.C:
	}
}

// Stopped is the message for a tool that was asked to stop: how far its end is proven.
func (s *Session) Stopped(tool, server string) string {
	switch {
	case s.proc == nil:
	case s.left != nil:
		return fmt.Sprintf("Tool %s of MCP server %q was told to stop and its program was killed, but something of it may be running still: %v", tool, server, s.left)
	case s.proc.Contained():
		return fmt.Sprintf("Tool %s of MCP server %q was stopped and its container is removed; what it had done until then was left as it is.", tool, server)
	case container.Foreign(s.opts.Server.Command):
		return fmt.Sprintf("Tool %s of MCP server %q was told to stop, and %s, its program here, has ended; whether what that had started elsewhere has ended too is not known.", tool, server, filepath.Base(s.opts.Server.Command))
	default:
		return fmt.Sprintf("Tool %s of MCP server %q was stopped; what it had done until then was left as it is.", tool, server)
	}
	if s.confirmed {
		return fmt.Sprintf("Tool %s of MCP server %q was told to stop, and the server has confirmed the end of the session; whether the tool itself had ended by then, the server does not tell.", tool, server)
	}
	return fmt.Sprintf("Tool %s of MCP server %q was asked to stop; the server has not confirmed the end of the session, so the tool may still be at work there.", tool, server)
}

// NoteKin notes the children of the server's program, before the program can end by itself.
func (s *Session) NoteKin() {
	if s.proc != nil {
		s.proc.Note()
	}
}

// Ended is how the server's program ended.
func (s *Session) Ended() string { return s.proc.Ended() }
