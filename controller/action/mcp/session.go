package mcp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/process"
)

const (
	// closeTime is how long an idle server may take to end by itself once its stdin is
	// closed.
	closeTime = 3 * time.Second
	// lastWordsTime is how long a message waits for a broken server to end.
	lastWordsTime = time.Second
	// pingTime is how long a warm session may take to show that it still is one.
	pingTime = 5 * time.Second
	// pingAfter is how long a session over stdio is idle before it is asked whether it
	// still is one; the end of its process is seen at once in any case.
	pingAfter = time.Second
	// askTime is how much of the grace a server gets to end by itself before SIGTERM.
	askTime = time.Second
	// stderrLines is how much of a server's last words a message repeats.
	stderrLines = 10
)

// session is one connection to one server; it serves one call at a time.
type session struct {
	name   string
	client *sdk.ClientSession
	proc   *process.Process // nil over HTTP
	tap    *tap             // of its stdout; nil over HTTP
	ended  chan struct{}    // closed when the server's stderr has ended
	lost   chan struct{}    // closed when the connection has ended; nil: it was never there
	since  time.Time        // when it became idle

	mu    sync.Mutex
	stale bool // the server has said that its tools have changed
	tasks bool // it can carry out tools as tasks
	// Over HTTP: canceled gets a value when the server has taken the cancellation of a
	// call, confirmed tells that it has answered the end of the session.
	canceled  chan struct{}
	confirmed bool

	changed chan struct{} // gets a value when the server says that a task has
	durable map[string]string
	adopted *adoption // the session was another worker's; nil: it was not

	sink   action.Sink // of the call under way
	token  string      // its progress token
	tail   process.Tail
	tools  map[string]*sdk.Tool
	inputs map[string]*schema // by tool, made when first used
}

// connect starts a server, or connects to it, and introduces itself. What the server says
// meanwhile goes to the attempt that waits for it.
func (r *Runner) connect(ctx context.Context, p *pool, sink action.Sink, old *remembered) (*session, error) {
	slow := fmt.Errorf("the server did not introduce itself within %s", r.opts.StartTime)
	ctx, cancel := context.WithTimeoutCause(ctx, r.opts.StartTime, slow)
	defer cancel()
	s, err := r.introduced(ctx, p, sink, old)
	if err != nil {
		if errors.Is(context.Cause(ctx), slow) {
			err = slow
		}
		err = fmt.Errorf("%s: %w", p.server.address(), err)
		if s != nil {
			err = fmt.Errorf("%w%s", err, s.lastWords())
			s.close(0)
			s.end()
		}
		return nil, err
	}
	s.lost = make(chan struct{})
	go func() {
		defer close(s.lost)
		_ = s.client.Wait() // how it ended is for the call to say that it broke
	}()
	return s, nil
}

// introduced is a session whose server has said who it is. Since 2026-07-28 a client asks
// server/discover first. Servers of before may take that badly: some end when the first
// request is not initialize, some never answer it. So a program that ends, or says nothing
// for half of the time, before it has answered anything is started once more and spoken
// to as in the protocol before, and from then on at once.
func (r *Runner) introduced(ctx context.Context, p *pool, sink action.Sink, old *remembered) (*session, error) {
	if p.legacy.Load() {
		return r.open(ctx, p, sink, old, legacyProtocol)
	}
	first, cancel := ctx, func() {}
	if p.server.Type == "stdio" {
		first, cancel = context.WithTimeout(ctx, r.opts.firstTry)
	}
	defer cancel()
	s, err := r.open(first, p, sink, old, "")
	if err == nil || s == nil || s.tap == nil || s.tap.answered.Load() || ctx.Err() != nil {
		return s, err
	}
	hung := first.Err() != nil
	s.close(0)
	words := "" // of a program that ended by itself
	if !hung {
		words = s.lastWords()
	}
	again, err := r.open(ctx, p, sink, old, legacyProtocol)
	if err != nil && again != nil && !again.tap.answered.Load() {
		again.close(0) // it is no matter of the protocol
		again.end()
		return nil, fmt.Errorf("%w%s", err, words)
	}
	p.legacy.Store(err == nil)
	return again, err
}

// legacyProtocol is the last one that begins with initialize.
const legacyProtocol = "2025-11-25"

// open starts a server, or connects to it, and lists its tools. With an error, the session
// is to be closed, if there is one.
func (r *Runner) open(ctx context.Context, p *pool, sink action.Sink, old *remembered, protocol string) (*session, error) {
	s := &session{name: p.name, tail: process.Tail{N: stderrLines}, ended: make(chan struct{}), canceled: make(chan struct{}, 1), changed: make(chan struct{}, 1), sink: sink}
	if old != nil && old.Session != "" {
		s.adopted, s.tasks = &adoption{id: old.Session, protocol: old.Protocol}, true
	}
	transport, err := s.transport(p.server, &r.opts)
	if err != nil {
		return nil, err
	}
	client := sdk.NewClient(&sdk.Implementation{Name: "jobwright", Version: r.opts.Version}, nil)
	if err := ownMethods(client); err != nil {
		return s, err
	}
	s.client, err = within(ctx, s, func() (*sdk.ClientSession, error) { return introduce(ctx, client, transport, protocol) })
	if err != nil {
		return s, err
	}
	return s, s.listTools(ctx)
}

// transport starts the server's program, or names its address.
func (s *session) transport(server Server, opts *Options) (sdk.Transport, error) {
	if opts.pipe != nil {
		close(s.ended)
		stdout, stdin := opts.pipe()
		return s.stdio(stdout, stdin), nil
	}
	if server.Type != "stdio" {
		close(s.ended)
		return &sdk.StreamableClientTransport{
			Endpoint: server.URL, HTTPClient: &http.Client{Transport: s.wrapped(headers{server.Headers, s.notification, s.canceled})},
		}, nil
	}
	proc, err := process.Start(process.Spec{
		Path: server.Command, Args: server.Args, Dir: server.Cwd, Env: server.environment(), Worker: opts.Worker,
		// An identity of the session's own: what the server starts is found by it and ends
		// with the session, even in another process group.
		Attempt: "mcp-" + rand.Text(),
	})
	if err != nil {
		return nil, err
	}
	s.proc = proc
	go func() {
		defer close(s.ended)
		defer proc.Stderr.Close()
		_ = process.Lines(proc.Stderr, s.stderr) // ends with the process
	}()
	return s.stdio(proc.Stdout, proc.Stdin), nil
}

// stdio is the transport over a program's pipes. The tap bounds a message, with an error
// that says so.
func (s *session) stdio(stdout io.ReadCloser, stdin io.WriteCloser) sdk.Transport {
	s.tap = newStdoutTap(stdout, s.notification, s.stdout)
	return &sdk.IOTransport{Reader: s.tap, Writer: renamingWriter{stdin}, MaxLineLength: -1}
}

// wrapped is HTTP with what the SDK cannot say, and with the session that is adopted.
func (s *session) wrapped(next http.RoundTripper) http.RoundTripper {
	next = renamingTransport{next}
	if s.adopted == nil {
		return next
	}
	s.adopted.next = next
	return s.adopted
}

// keep has the end of the client leave the session on the server, if it was adopted.
func (s *session) keep() {
	if s.adopted != nil {
		s.adopted.keep.Store(true)
	}
}

// headers adds the operator's headers to each request, and a tap to each answer that
// is a stream of events.
type headers struct {
	values map[string]string
	see    func(method string, params json.RawMessage)
	// canceled gets a value when a cancellation was delivered; it never blocks.
	canceled chan<- struct{}
}

// RoundTrip implements http.RoundTripper.
func (h headers) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(h.values) > 0 {
		r = r.Clone(r.Context())
		for name, value := range h.values {
			r.Header.Set(name, value)
		}
	}
	cancels := cancels(r)
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && cancels {
		select {
		case h.canceled <- struct{}{}:
		default:
		}
	}
	if err != nil {
		return nil, err
	}
	// A type that cannot be read is none of these.
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind == "text/event-stream" || kind == "application/json" {
		response.Body = newTap(response.Body, h.see)
	}
	return response, nil
}

// cancels reports whether a request carries the cancellation of a call.
func cancels(r *http.Request) bool {
	const most = 4 << 10 // a cancellation is an id and a reason
	if r.GetBody == nil || r.ContentLength > most {
		return false
	}
	body, err := r.GetBody()
	if err != nil {
		return false
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, most))
	return err == nil && bytes.Contains(data, []byte(`"notifications/cancelled"`))
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

// introduce connects a client to a server, and has the server log what is of interest.
func introduce(ctx context.Context, client *sdk.Client, transport sdk.Transport, protocol string) (*sdk.ClientSession, error) {
	c, err := client.Connect(ctx, transport, &sdk.ClientSessionOptions{ProtocolVersion: protocol})
	if err != nil {
		return nil, err
	}
	if result := c.InitializeResult(); result != nil && result.Capabilities != nil && result.Capabilities.Logging != nil {
		// A server that refuses a level logs at its own.
		_ = c.SetLoggingLevel(ctx, &sdk.SetLoggingLevelParams{Level: "info"})
	}
	return c, nil
}

func (s *session) listTools(ctx context.Context) error {
	s.mu.Lock()
	s.stale = false
	s.mu.Unlock()
	tools, err := within(ctx, s, func() (map[string]*sdk.Tool, error) {
		tools := map[string]*sdk.Tool{}
		for tool, err := range s.client.Tools(ctx, nil) {
			if err != nil {
				return nil, err
			}
			tools[tool.Name] = tool
		}
		return tools, nil
	})
	s.tools, s.inputs = tools, map[string]*schema{}
	if err != nil {
		return err
	}
	return s.listDurable(ctx)
}

// begin directs what the server says to an attempt.
func (s *session) begin(sink action.Sink, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sink, s.token = sink, token
}

func (s *session) end() { s.begin(nil, "") }

func (s *session) stderr(line string) { s.said(action.Stderr, line) }

func (s *session) stdout(line string) { s.said(action.Stdout, line) }

// said takes a server's own words.
func (s *session) said(stream action.Stream, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail.Add(line)
	if s.sink != nil {
		s.sink.Line(stream, line)
	}
}

func (s *session) progressed(p *sdk.ProgressNotificationParams) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink == nil || fmt.Sprint(p.ProgressToken) != s.token {
		return
	}
	pct := -1
	if p.Total > 0 {
		pct = int(math.Min(math.Max(p.Progress/p.Total*100, 0), 100))
	}
	step := p.Message
	if step == "" {
		step = "mcp:run"
	}
	s.sink.Progress(pct, step)
	if p.Message != "" {
		s.sink.Line(action.Server, p.Message)
	}
}

func (s *session) logged(p *sdk.LoggingMessageParams) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink != nil {
		s.sink.Line(action.Server, string(p.Level)+": "+plain(p.Data))
	}
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

// close ends the session; a program gets grace to end by itself, and is gone when
// close returns.
func (s *session) close(grace time.Duration) {
	if s.proc == nil {
		s.leave(max(grace, leaveTime))
		return
	}
	s.proc.Stdin.Close() // how a client of the stdio transport says goodbye
	ask := min(grace, askTime)
	timer := time.NewTimer(ask)
	defer timer.Stop()
	select {
	case <-s.proc.Done():
	case <-timer.C:
	}
	_ = s.proc.Stop(context.Background(), grace-ask) // its error: a process that the kernel does not let go
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
