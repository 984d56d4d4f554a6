package session

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/endpoint"
	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/program"
	"jobwright.dev/controller/action/mcp/questions"
	"jobwright.dev/controller/action/mcp/wire"
	"jobwright.dev/controller/action/process"
)

const (
	// stderrLines is how much of a server's last words a message repeats.
	stderrLines = 10
	// maxLastWord bounds each of a server's last words, in bytes: a log line as JSON.
	maxLastWord = 400
)

// Session is one connection to one server; it serves one call at a time.
type Session struct {
	// Named is the session's name in the jobs that use it; empty: none. The user sets it.
	Named string

	opts   Options
	client *sdk.ClientSession
	proc   *program.Program // nil over HTTP
	peer   *wire.Peer       // the server at the other end
	left   error            // why something of the program may be running still after Close
	ended  chan struct{}    // closed when the server's stderr has ended
	lost   chan struct{}    // closed when the connection has ended; nil: it was never there
	since  time.Time        // when it became idle

	tokens  *oauth.Source // nil: there are none
	secrets hidden
	hides   atomic.Pointer[hiding] // from the job under way
	roots   *sdk.ListRootsResult
	adopted *endpoint.Adoption // the session was another worker's; nil: it was not
	catalog *catalog.Catalog   // the server's tools

	changed  chan struct{} // gets a value when the server says that a task has changed
	canceled chan struct{} // over HTTP: gets a value when the server has taken the cancellation of a call
	// confirmed tells that a server behind HTTP has answered the end of the session.
	confirmed bool

	mu        sync.Mutex
	starting  bool                 // the server has not introduced itself yet
	chatter   int                  // bytes of output meanwhile
	spoke     time.Time            // when the server last wrote a line that is no message
	stale     bool                 // the server has said that its tools have changed
	tasks     bool                 // the server can carry out tools as tasks
	questions *questions.Questions // of the call under way
	sink      action.Sink          // of the call under way
	token     string               // its progress token
	before    string               // the token of the call before
	served    bool                 // some workspace has used it
	workspace string               // the last one
	foreign   time.Time            // until when the server may write of another workspace's call
	late      time.Time            // when the server last wrote between two calls
	asides    int                  // lines outside of calls
	tail      process.Tail
	epoch     int64 // of its stderr, since the call under way began
}

// Options configure a session.
type Options struct {
	// Name is the server's in the operator's file, Server its definition there.
	Name   string
	Server config.Server
	// Owner is the worker that starts the server's program.
	Owner program.Owner
	// Version is the version of Jobwright in the client's introduction.
	Version string
	// Tokens gets the server's OAuth tokens; nil: it wants none.
	Tokens func() (*oauth.Source, error)
	// Extend has the client send methods that the SDK does not know; nil: there are none.
	Extend func(*sdk.Client) error
	// Manner is how the server wants to be spoken to, as far as its sessions have found out.
	// Required.
	Manner *Manner
	// Listed gets what was wrong with the server's list of tools each time it was read; nil:
	// nobody wants to know.
	Listed func(notes []string)
	// Sink is the attempt that waits for the session; nil: nobody.
	Sink action.Sink
	// Adopt is a session that was left on the server; the zero value: the server begins one.
	Adopt Left
	Log   logr.Logger

	// StartTime is how long a server may take to start and introduce itself whose definition
	// says nothing else. Unset: DefaultStartTime for a program, DefaultConnectTime for a url.
	StartTime time.Duration
	// FirstTry is how long a program may say nothing that has read the first request, before
	// it is started once more; unset: one minute.
	FirstTry time.Duration
	// PingAfter is how long a session over stdio is idle before it is asked whether it still
	// is one, PingTime how long it may take to show that. Unset: a second and five.
	PingAfter, PingTime time.Duration
	// Pipe stands in for the start of a program: the ends of its stdin and stdout.
	Pipe Pipe
}

// Left is a session over HTTP that a worker has left on its server.
type Left struct{ ID, Protocol string }

// Begin directs the output of the server to an attempt.
func (s *Session) Begin(sink action.Sink, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != token && s.token != "" {
		s.before = s.token
	}
	if sink != nil && s.sink == nil && s.proc != nil {
		s.epoch = s.proc.Mark()
	}
	s.sink, s.token = sink, token
}

// End ends what Begin has begun.
func (s *Session) End() {
	s.Begin(nil, "")
	s.Answering(nil)
	s.Tells("")
}

// Rest ends a call after which the session is used again. The server's output on stderr
// until then still goes to the call.
func (s *Session) Rest() {
	if s.proc != nil {
		s.proc.Drain()
	}
	s.End()
	s.since = time.Now()
}

// Catalog is the server's tools.
func (s *Session) Catalog() *catalog.Catalog { return s.catalog }

// Introduction is the server's answer to initialize or server/discover; nil: there was none.
func (s *Session) Introduction() *sdk.InitializeResult {
	if s.client == nil {
		return nil
	}
	return s.client.InitializeResult()
}

// ID is the session's over HTTP.
func (s *Session) ID() string { return s.client.ID() }

// Local reports whether the server is a program of this worker.
func (s *Session) Local() bool { return s.proc != nil }

// Pid is the number of the server's process; 0: it is none of this worker.
func (s *Session) Pid() int {
	if s.proc == nil {
		return 0
	}
	return s.proc.Pid()
}

// OffersTasks reports whether the server can carry out tools as tasks.
func (s *Session) OffersTasks() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tasks
}

// TaskChanged gets a value when the server says that a task has changed.
func (s *Session) TaskChanged() <-chan struct{} { return s.changed }

// KeepThere leaves an adopted session on its server when this one is closed.
func (s *Session) KeepThere() { s.adopted.Keep() }
