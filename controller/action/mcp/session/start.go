package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/display"
)

// maxStep bounds how much of a line that a server writes while it starts stands in the
// step of the job that waits for it.
const maxStep = 120

// maxChatter bounds the output during a start, in bytes, that is logged and counts as a sign
// of life: the progress of a large download has some tens of KiB.
const maxChatter = 256 << 10

// The defaults of Options' times. A program that is fetched first takes the longest to start:
// packages of npm some minutes over a slow line, images more. A server behind a URL has
// started already.
const (
	DefaultStartTime   = 10 * time.Minute
	DefaultConnectTime = 2 * time.Minute
	firstTry           = time.Minute
	pingTime           = 5 * time.Second
	// pingAfter is short: the end of an idle program is seen at once in any case.
	pingAfter = time.Second
)

func (o *Options) setDefaults() {
	if o.FirstTry <= 0 {
		o.FirstTry = firstTry
	}
	if o.PingTime <= 0 {
		o.PingTime, o.PingAfter = pingTime, pingAfter
	}
}

// startTime is how long the server may take to start and to introduce itself, and the
// error that says so.
func (o *Options) startTime() (time.Duration, error) {
	limit := o.StartTime
	switch {
	case o.Server.StartTimeoutSeconds > 0:
		limit = time.Duration(o.Server.StartTimeoutSeconds) * time.Second
	case limit <= 0 && o.Server.Type == "stdio":
		limit = DefaultStartTime
	case limit <= 0:
		limit = DefaultConnectTime
	}
	return limit, fmt.Errorf("the server did not introduce itself within %s (startTimeoutSeconds in the --mcp-config file allows more)", limit)
}

// errQuiet ends the first try to start a program that has read the question and gives no
// sign of working at an answer.
var errQuiet = errors.New("the server has read the first request and says nothing")

// untilQuiet is a context that ends when the session's program has read the first request
// and has then been silent for the time quiet. A program that has not read the request is
// still starting, however silent: it fetches itself, or its image. A program that has
// answered the first request speaks the protocol, and has startTime for the next answer.
func (s *Session) untilQuiet(ctx context.Context, quiet time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		timer := time.NewTimer(quiet)
		defer timer.Stop()
		read := true // the request, as far as was seen
		for {
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
			if s.peer.Answered() {
				return
			}
			idle, before := time.Since(s.heard()), read
			read = s.proc == nil || s.proc.Stdin().Unread() == 0
			if !read || !before { // it has not read the request, or may have done so just now
				idle = 0
			}
			if idle >= quiet {
				cancel(errQuiet)
				return
			}
			timer.Reset(quiet - idle)
		}
	}()
	return ctx, func() { cancel(nil) }
}

// heard is when the server last said something.
func (s *Session) heard() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spoke
}

// starts begins or ends the start of a server. Meanwhile the step of the job that
// waits shows the server's last line.
func (s *Session) starts(starting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starting, s.spoke = starting, time.Now()
}

// babbles counts the output during a start, and reports whether there is more than
// maxChatter: the rest is no sign of life. The caller holds mu.
func (s *Session) babbles(size int) bool {
	if !s.starting || s.chatter > maxChatter {
		return s.starting
	}
	if s.chatter += size + 1; s.chatter <= maxChatter {
		return false
	}
	if s.sink != nil {
		s.sink.Line(action.System, fmt.Sprintf("MCP server %s has said %d KiB and has not introduced itself; what it says until then is dropped, and is no sign of life", s.opts.Name, maxChatter>>10))
	}
	return true
}

// told notes that the server has said a line. The caller holds mu.
func (s *Session) told(line string) {
	s.spoke = time.Now()
	if line = strings.TrimSpace(line); s.starting && s.sink != nil && line != "" {
		s.sink.Progress(-1, "mcp:start "+display.Short(line, maxStep))
	}
}

// begun tells the job that waits that the server's program runs.
func (s *Session) begun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink != nil {
		s.sink.Progress(0, "mcp:start")
		s.sink.Line(action.System, "starting MCP server "+s.opts.Name)
	}
}
