package session

import (
	"context"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/process"
)

const (
	// lateTime is how long after a call the output of a server may still be of that call, and
	// is for no other workspace.
	lateTime = time.Second
	// quietTime is the silence after late output of a call before the next call gets the
	// session; maxQuiet bounds the wait for the silence.
	quietTime = 200 * time.Millisecond
	maxQuiet  = 2 * time.Second
	// maxAside bounds how many lines of a session outside of calls are logged.
	maxAside = 1000
)

// stderr takes a line that the server has written in an epoch of its stderr: one that began
// before the call under way is not for the call.
func (s *Session) stderr(line string, epoch int64) {
	s.mu.Lock()
	before := epoch < s.epoch
	s.mu.Unlock()
	if before {
		s.aside(action.Stderr, line)
		return
	}
	s.said(action.Stderr, line)
}

func (s *Session) stdout(line string) { s.said(action.Stdout, line) }

// aside takes what the server wrote before the call under way, as it was read only now.
func (s *Session) aside(stream action.Stream, line string) {
	line = s.Redact(line)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.overheard(stream, line)
}

// said takes a server's own words.
func (s *Session) said(stream action.Stream, line string) {
	line = s.Redact(line)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail.Add(display.Short(line, maxLastWord))
	if s.babbles(len(line)) {
		return
	}
	s.told(line)
	s.hear(stream, line)
}

// LastWords is the server's last output on stderr, and how its program ended, for a message.
func (s *Session) LastWords() string {
	if s.proc == nil {
		return ""
	}
	out := ""
	// A server that broke off is about to end; its exit code says why.
	timer := time.NewTimer(lastWordsTime)
	defer timer.Stop()
	select {
	case <-s.proc.Done():
		out = "; it ended with " + s.proc.Ended()
		select {
		case <-s.ended:
		case <-timer.C: // a child holds its stderr open
		}
	case <-timer.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if tail := s.tail.String(); tail != "" {
		out += "; its last words:\n" + tail
	}
	return out
}

// hear gives a line of the server to the call under way. A line between two calls, and a
// line that may be of another workspace's call, goes to Jobwright's own log. The caller holds
// mu.
func (s *Session) hear(stream action.Stream, line string) {
	if s.sink != nil && !time.Now().Before(s.foreign) {
		s.sink.Line(stream, line)
		return
	}
	if s.sink == nil {
		s.overheard(stream, line)
		return
	}
	s.log(stream, line)
}

// overheard takes a line from between two calls. The caller holds mu.
func (s *Session) overheard(stream action.Stream, line string) {
	if s.served {
		s.late = time.Now()
	}
	s.log(stream, line)
}

// log writes a line to Jobwright's own log. The caller holds mu.
func (s *Session) log(stream action.Stream, line string) {
	if s.asides++; s.asides <= maxAside && line != "" {
		s.opts.Log.Info("an MCP server says outside of a call", "server", s.opts.Name, "workspace", s.workspace, "stream", string(stream), "line", display.Short(line, maxLastWord))
	}
}

// Serves begins the use of the session by a workspace.
func (s *Session) Serves(workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.served && workspace != s.workspace {
		s.foreign, s.tail = s.since.Add(lateTime), process.Tail{N: stderrLines}
	}
	s.served, s.workspace = true, workspace
}

// quiet waits until a session that talks late has been silent for a while; ctx bounds it.
func (s *Session) quiet(ctx context.Context) {
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
