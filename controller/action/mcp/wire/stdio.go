package wire

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Stdio is the connection to a program. It is an sdk.Transport and the connection that
// this one makes.
type Stdio struct {
	peer   *Peer
	stdout io.ReadCloser
	stdin  io.WriteCloser

	messages chan jsonrpc.Message
	ended    chan struct{} // closed when nothing more can be read; err says why
	err      error
	closed   chan struct{}
	closing  sync.Once
	writing  sync.Mutex
}

// Stdio is the transport over a program's pipes.
func (p *Peer) Stdio(stdout io.ReadCloser, stdin io.WriteCloser) *Stdio {
	return &Stdio{
		peer: p, stdout: stdout, stdin: stdin,
		messages: make(chan jsonrpc.Message), ended: make(chan struct{}), closed: make(chan struct{}),
	}
}

// Connect implements sdk.Transport.
func (c *Stdio) Connect(context.Context) (sdk.Connection, error) {
	c.peer.inject = c.deliver
	go func() {
		defer close(c.ended)
		c.err = newFrames(c.stdout, c.frame, c.peer.opts.Words).run()
		switch {
		case errors.Is(c.err, ErrTooLong):
			c.peer.lost(&Failure{Text: tooLong, Answered: true})
		case errors.Is(c.err, errFramed):
			c.peer.lost(&Failure{Text: errFramed.Error()})
		}
	}()
	return c, nil
}

// frame hands over the content of a frame, and reports whether it was a message.
func (c *Stdio) frame(text []byte) bool {
	messages, is := c.peer.receive(text, nil)
	for _, m := range messages {
		c.deliver(m)
	}
	return is
}

func (c *Stdio) deliver(m jsonrpc.Message) {
	select {
	case c.messages <- m:
	case <-c.closed:
	}
}

// Read implements sdk.Connection.
func (c *Stdio) Read(ctx context.Context) (jsonrpc.Message, error) {
	select {
	case m := <-c.messages:
		return m, nil
	case <-c.ended:
		return nil, c.err
	case <-c.closed:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Write implements sdk.Connection.
func (c *Stdio) Write(ctx context.Context, m jsonrpc.Message) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m, _ = c.peer.sending(ctx, m)
	data, err := jsonrpc.EncodeMessage(m)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err = c.stdin.Write(append(data, '\n'))
	return err
}

// Close implements sdk.Connection.
func (c *Stdio) Close() (err error) {
	c.closing.Do(func() {
		close(c.closed)
		err = c.stdin.Close()
		if closeErr := c.stdout.Close(); err == nil {
			err = closeErr
		}
	})
	return err
}

// SessionID implements sdk.Connection.
func (c *Stdio) SessionID() string { return "" }

// lost fails every request that waits: nothing more can be read.
func (p *Peer) lost(f *Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = f
	for _, ex := range p.waiting {
		ex.fail(f)
	}
}
