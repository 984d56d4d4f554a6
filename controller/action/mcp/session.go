package mcp

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/endpoint"
	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/program"
	"jobwright.dev/controller/action/mcp/questions"
	"jobwright.dev/controller/action/mcp/wire"
	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/action/secrets"
)

const (
	// lastWordsTime is how long a message waits for a broken server to end.
	lastWordsTime = time.Second
	// askTime is how much of the grace a server gets to end by itself before SIGTERM.
	askTime = time.Second
	// maxLastWord bounds each of a server's last words, in bytes: a log line as JSON.
	maxLastWord = 400
	// stderrLines is how much of a server's last words a message repeats.
	stderrLines = 10
)

// session is one connection to one server; it serves one call at a time.
type session struct {
	name   string
	log    logr.Logger
	named  string // what the jobs call it that use it; empty: nothing
	client *sdk.ClientSession
	proc   *program.Program // nil over HTTP
	peer   *wire.Peer       // what the server writes
	left   error            // why something of it may be running still, once it is closed
	ended  chan struct{}    // closed when the server's stderr has ended
	lost   chan struct{}    // closed when the connection has ended; nil: it was never there
	since  time.Time        // when it became idle
	// Of Options.
	pingTime, pingAfter time.Duration

	mu       sync.Mutex
	starting bool      // the server has not introduced itself yet
	chatter  int       // how many bytes it has said meanwhile
	spoke    time.Time // when the server last wrote a line that is no message
	stale    bool      // the server has said that its tools have changed
	tasks    bool      // it can carry out tools as tasks
	// Over HTTP: canceled gets a value when the server has taken the cancellation of a
	// call, confirmed tells that it has answered the end of the session.
	canceled  chan struct{}
	confirmed bool

	changed chan struct{}      // gets a value when the server says that a task has
	adopted *endpoint.Adoption // the session was another worker's; nil: it was not

	server    Server            // as the operator's file has it
	tokens    *oauth.Source     // nil: there are none
	known     *secrets.Redactor // of the operator's secrets
	roots     *sdk.ListRootsResult
	questions *questions.Questions // of the call under way
	sink      action.Sink          // of the call under way
	token     string               // its progress token
	before    string               // the token of the call before

	served    bool      // some workspace has used it
	workspace string    // the last one
	foreign   time.Time // until when the server may write of another workspace's call
	late      time.Time // when the server last wrote between two calls
	asides    int       // lines outside of calls

	tail    process.Tail
	catalog *catalog.Catalog // what the server offers
}

// begin directs what the server says to an attempt.
func (s *session) begin(sink action.Sink, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != token && s.token != "" {
		s.before = s.token
	}
	s.sink, s.token = sink, token
}

func (s *session) end() {
	s.begin(nil, "")
	s.answering(nil)
}

func (s *session) stderr(line string) { s.said(action.Stderr, line) }

func (s *session) stdout(line string) { s.said(action.Stdout, line) }

// said takes a server's own words.
func (s *session) said(stream action.Stream, line string) {
	line = s.redact(line)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail.Add(display.Short(line, maxLastWord))
	if s.babbles(len(line)) {
		return
	}
	s.told(line)
	s.hear(stream, line)
}

// lastWords is what the server last wrote to stderr, and how it ended, for a message.
func (s *session) lastWords() string {
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
		case <-timer.C: // something it started holds its stderr open
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

// leaveTime is what a server behind HTTP gets at least to answer that a session has
// ended: a few round trips across the world.
const leaveTime = 3 * time.Second

// leave ends a session over HTTP and waits for the server's answer, but not for longer
// than patience: a server that hangs forgets the session when its connections end.
func (s *session) leave(patience time.Duration) {
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
func (s *session) Close(grace time.Duration) {
	if s.proc == nil {
		s.leave(max(grace, leaveTime))
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
		s.log.Error(s.left, "end an MCP server", "server", s.name)
	}
	// What the server said last is read to its end, but not for ever: a process that gave
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

// awaitCancel waits until the server has taken the cancellation of a call, for patience
// at most. The client sends it in the background, and ending the session first would
// keep it from ever arriving; a tool behind HTTP would go on for nobody.
func (s *session) awaitCancel(patience time.Duration) {
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
