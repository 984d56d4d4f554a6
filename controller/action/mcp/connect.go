package mcp

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/endpoint"
	"jobwright.dev/controller/action/mcp/memory"
	"jobwright.dev/controller/action/mcp/program"
	"jobwright.dev/controller/action/mcp/wire"
	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/action/secrets"
)

// connect starts a server, or connects to it, and introduces itself. What the server says
// meanwhile goes to the attempt that waits for it.
func (r *Runner) connect(ctx context.Context, p *pool, sink action.Sink, old *memory.Task) (*session, error) {
	limit, slow := r.startTime(p.server)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, slow)
	defer cancel()
	s, err := r.negotiated(ctx, p, sink, old)
	if err != nil {
		if errors.Is(context.Cause(ctx), slow) {
			err = slow
		}
		err = because(p.server, s, err)
		if s != nil {
			err = fmt.Errorf("%w%s", err, s.lastWords())
			s.Close(0)
			s.end()
		}
		return nil, err
	}
	s.starts(false)
	s.lost = make(chan struct{})
	go func() {
		defer close(s.lost)
		_ = s.client.Wait() // how it ended is for the call to say that it broke
	}()
	return s, nil
}

// because is why a server did not come up: a file that is missing, when its program could
// not be started or has ended by itself, or else what failed.
func because(server Server, s *session, err error) error {
	ended := s == nil
	if s != nil {
		select {
		case <-s.ended:
			ended = true
		default:
		}
		ended = ended && !s.peer.Answered()
	}
	if _, known := errors.AsType[*wire.Failure](err); ended && !known {
		if missing := server.Missing(); missing != nil {
			return missing
		}
	}
	return fmt.Errorf("%s: %w", server.Address(), err)
}

// introduced is a session whose server has said who it is. Since 2026-07-28 a client asks
// server/discover first. Servers of before may take that badly: some end when the first
// request is not initialize, some never answer it. So a program that ends before it has
// answered anything, or has read the request and then says nothing for Options.firstTry, is
// started once more and spoken to as in the protocol before, and from then on at once.
func (r *Runner) introduced(ctx context.Context, p *pool, sink action.Sink, old *memory.Task) (*session, error) {
	if p.legacy.Load() || p.server.Type == config.TypeSSE {
		return r.open(ctx, p, sink, old, legacyProtocol)
	}
	s, err := r.open(ctx, p, sink, old, "")
	if err == nil || s == nil || p.server.Type != "stdio" || s.peer.Answered() || ctx.Err() != nil {
		return s, err
	}
	if !errors.Is(err, errQuiet) && s.peer.Failure() != nil {
		return s, err // it is known what is wrong
	}
	words := "" // of a program that ended by itself
	if !errors.Is(err, errQuiet) {
		words = s.lastWords()
	}
	s.Close(0)
	again, err := r.open(ctx, p, sink, old, legacyProtocol)
	if err != nil && again != nil && !again.peer.Answered() {
		again.Close(0) // it is no matter of the protocol
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
func (r *Runner) open(ctx context.Context, p *pool, sink action.Sink, old *memory.Task, protocol string) (*session, error) {
	s := &session{name: p.name, log: r.opts.Log, tail: process.Tail{N: stderrLines}, ended: make(chan struct{}), canceled: make(chan struct{}, 1), changed: make(chan struct{}, 1), sink: sink, pingTime: r.opts.pingTime, pingAfter: r.opts.pingAfter, server: p.server, known: secrets.NewRedactor(p.server.Secrets()...), starting: true, spoke: time.Now(), catalog: catalog.New(p.name, p.server)}
	if old != nil && old.Session != "" {
		s.adopted, s.tasks = endpoint.Adopt(old.Session, old.Protocol), true
	}
	if p.tokens != nil {
		var err error
		if s.tokens, err = p.tokens(); err != nil {
			return nil, err
		}
	}
	s.peer = s.newPeer()
	transport, err := s.transport(p.server, &r.opts)
	if err != nil {
		return nil, err
	}
	client := s.newClient(r.opts.Version, p.server)
	if err := ownMethods(client); err != nil {
		return s, err
	}
	asked := ctx
	if protocol == "" && p.server.Type == "stdio" {
		var stop context.CancelFunc
		limit, _ := r.startTime(p.server)
		asked, stop = s.untilQuiet(ctx, min(r.opts.firstTry, limit/2))
		defer stop()
	}
	s.client, err = within(asked, s, func() (*sdk.ClientSession, error) { return introduce(asked, client, transport, protocol) })
	if err != nil && errors.Is(context.Cause(asked), errQuiet) {
		return s, errQuiet
	}
	if err != nil {
		return s, s.because(err)
	}
	return s, s.listTools(ctx)
}

// redacted is an error of a server without what its URL may hold of secrets.
type redacted struct {
	server Server
	err    error
}

func (r redacted) Error() string { return r.server.Redact(r.err.Error()) }
func (r redacted) Unwrap() error { return r.err }

// redact is a text of the server's with *** in place of the operator's secrets.
func (s *session) redact(text string) string {
	return s.tokens.Redact(s.server.Redact(s.known.String(text)))
}

// newPeer is the server at the other end of the session.
func (s *session) newPeer() *wire.Peer {
	return wire.NewPeer(wire.Options{
		See:    s.notification,
		Note:   s.note,
		Words:  func(line []byte) { eachPiece(line, s.stdout) },
		Alive:  s.alives,
		Redact: s.redact,
		Delivered: func() {
			select {
			case s.canceled <- struct{}{}:
			default:
			}
		},
	})
}

// because is why a request failed: what the server answered instead, where that is known.
func (s *session) because(err error) error {
	if f := s.peer.Failure(); f != nil {
		return f
	}
	return withoutURL(err)
}

// transport starts the server's program, or names its address.
func (s *session) transport(server Server, opts *Options) (sdk.Transport, error) {
	if opts.pipe != nil {
		close(s.ended)
		stdout, stdin := opts.pipe()
		return s.peer.Stdio(stdout, stdin), nil
	}
	if server.Type != "stdio" {
		close(s.ended)
		return endpoint.New(server, endpoint.Options{Peer: s.peer, Tokens: s.tokens, Adopted: s.adopted})
	}
	proc, err := program.Start(server, program.Owner{Worker: opts.Worker, Run: opts.run})
	if err != nil {
		return nil, err
	}
	s.proc = proc
	s.begun()
	go func() {
		defer close(s.ended)
		proc.Words(s.stderr)
	}()
	return s.peer.Stdio(proc.Stdout, proc.Stdin()), nil
}

// levelTime is how long a server may take to set its log level: nothing depends on it.
const levelTime = 5 * time.Second

// introduce connects a client to a server, and has the server log what is of interest.
func introduce(ctx context.Context, client *sdk.Client, transport sdk.Transport, protocol string) (*sdk.ClientSession, error) {
	c, err := client.Connect(ctx, transport, &sdk.ClientSessionOptions{ProtocolVersion: protocol})
	if err != nil {
		return nil, err
	}
	if result := c.InitializeResult(); result != nil && result.Capabilities != nil && result.Capabilities.Logging != nil {
		// A server that refuses a level logs at its own, and so does one that says nothing.
		ctx, cancel := context.WithTimeout(ctx, levelTime)
		defer cancel()
		_ = c.SetLoggingLevel(ctx, &sdk.SetLoggingLevelParams{Level: "info"})
	}
	return c, nil
}
