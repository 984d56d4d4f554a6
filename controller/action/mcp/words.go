package mcp

import (
	"context"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/process"
)

const (
	// lateTime is how long after its call a server may still write of it, so that what it
	// writes then is for no other workspace.
	lateTime = time.Second
	// quietTime is how long a session must have been silent that has written of a call after
	// its end, before another gets it; maxQuiet bounds the wait for it.
	quietTime = 200 * time.Millisecond
	maxQuiet  = 2 * time.Second
	// maxAside bounds how many lines of a session outside of calls are logged.
	maxAside = 1000
)

// hear gives a line of the server to the call under way. What comes between two calls, and
// what may be of another workspace's call, goes to Jobwright's own log. The caller holds mu.
func (s *session) hear(stream action.Stream, line string) {
	now := time.Now()
	if s.sink != nil && !now.Before(s.foreign) {
		s.sink.Line(stream, line)
		return
	}
	if s.sink == nil && s.served {
		s.late = now
	}
	if s.asides++; s.asides <= maxAside && line != "" {
		s.log.Info("an MCP server says outside of a call", "server", s.name, "workspace", s.workspace, "stream", string(stream), "line", display.Short(line, maxLastWord))
	}
}

// serves begins the use of the session by a workspace.
func (s *session) serves(workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.served && workspace != s.workspace {
		s.foreign, s.tail = s.since.Add(lateTime), process.Tail{N: stderrLines}
	}
	s.served, s.workspace = true, workspace
}

// quiet waits until a session that talks late has been silent for a while; ctx bounds it.
func (s *session) quiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, maxQuiet)
	defer cancel()
	for {
		s.mu.Lock()
		left := quietTime - time.Since(s.late)
		s.mu.Unlock()
		if left <= 0 {
			return
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}
