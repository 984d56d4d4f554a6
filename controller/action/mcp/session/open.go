package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/endpoint"
	"jobwright.dev/controller/action/mcp/program"
	"jobwright.dev/controller/action/mcp/wire"
	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/action/secrets"
)

// Pipe are the ends of a program's stdout and stdin that somebody else holds.
type Pipe func() (stdout io.ReadCloser, stdin io.WriteCloser)

// Connect starts a server, or connects to it, and introduces the client. The output of the
// server meanwhile goes to the attempt that waits for the session.
func Connect(ctx context.Context, opts Options) (*Session, error) {
	opts.setDefaults()
	limit, slow := opts.startTime()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, slow)
	defer cancel()
	s, err := negotiated(ctx, &opts)
	if err != nil {
		if errors.Is(context.Cause(ctx), slow) {
			err = slow
		}
		err = because(opts.Server, s, err)
		if s != nil {
			err = fmt.Errorf("%w%s", err, s.LastWords())
			s.Close(0)
			s.End()
		}
		return nil, err
	}
	s.starts(false)
	s.lost = make(chan struct{})
	go func() {
		defer close(s.lost)
		_ = s.client.Wait() // the call that breaks tells how the connection ended
	}()
	return s, nil
}

// because is why a server did not come up: a file that is missing, when its program could
// not be started or has ended by itself, or else err.
func because(server config.Server, s *Session, err error) error {
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

// open starts a server, or connects to it, and lists its tools. The caller closes the session
// that comes with an error.
func open(ctx context.Context, opts *Options, protocol string) (*Session, error) {
	s := &Session{
		opts: *opts, tail: process.Tail{N: stderrLines}, ended: make(chan struct{}), canceled: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		sink: opts.Sink, starting: true, spoke: time.Now(),
		catalog: catalog.New(opts.Name, opts.Server),
		secrets: hidden{said: secrets.NewGuarded(secrets.MinLength, opts.Server.Secrets()...), result: secrets.NewGuarded(minResult, opts.Server.Credentials()...)},
	}
	s.Tells("")
	if opts.Adopt.ID != "" {
		s.adopted, s.tasks = endpoint.Adopt(opts.Adopt.ID, opts.Adopt.Protocol), true
	}
	if opts.Tokens != nil {
		var err error
		if s.tokens, err = opts.Tokens(); err != nil {
			return nil, err
		}
	}
	s.peer = s.newPeer()
	transport, err := s.transport()
	if err != nil {
		return nil, err
	}
	client := s.newClient()
	if opts.Extend != nil {
		if err := opts.Extend(client); err != nil {
			return s, err
		}
	}
	asked := ctx
	if protocol == "" && opts.Server.Type == "stdio" {
		var stop context.CancelFunc
		limit, _ := opts.startTime()
		asked, stop = s.untilQuiet(ctx, min(opts.FirstTry, limit/2))
		defer stop()
	}
	s.client, err = within(asked, s, func() (*sdk.ClientSession, error) { return introduce(asked, client, transport, protocol) })
	if err != nil && errors.Is(context.Cause(asked), errQuiet) {
		return s, errQuiet
	}
	if err != nil {
		return s, s.because(err)
	}
	return s, s.ListTools(ctx)
}

// newPeer is the server at the other end of the session.
func (s *Session) newPeer() *wire.Peer {
	return wire.NewPeer(wire.Options{
		See:    s.notification,
		Note:   s.Note,
		Words:  func(line []byte) { eachPiece(line, s.stdout) },
		Alive:  s.alives,
		Redact: s.Redact,
		Delivered: func() {
			select {
			case s.canceled <- struct{}{}:
			default:
			}
		},
	})
}

// because is why a request failed: the server's own answer, where one is known.
func (s *Session) because(err error) error {
	if f := s.peer.Failure(); f != nil {
		return f
	}
	return withoutURL(err)
}

// transport starts the server's program, or names its address.
func (s *Session) transport() (sdk.Transport, error) {
	if s.opts.Pipe != nil {
		close(s.ended)
		stdout, stdin := s.opts.Pipe()
		return s.peer.Stdio(stdout, stdin), nil
	}
	if s.opts.Server.Type != "stdio" {
		close(s.ended)
		return endpoint.New(s.opts.Server, endpoint.Options{Peer: s.peer, Tokens: s.tokens, Adopted: s.adopted})
	}
	proc, err := program.Start(s.opts.Server, s.opts.Owner)
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

// introduce connects a client to a server, and sets the level of the server's log.
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
