package mcp

import (
	"context"
	"crypto/rand"
	"fmt"

	"jobwright.dev/controller/action/mcp/container"
	"jobwright.dev/controller/action/process"
)

// command is how a server's program is started for a session. What it runs in a container
// is labelled; the session knows the engine then.
func (s *session) command(server Server, opts *Options) process.Spec {
	spec := process.Spec{
		Path: server.Command, Args: server.Args, Dir: server.Cwd, Env: server.Environment(), Worker: opts.Worker,
		// An identity of the session's own: what the server starts is found by it and ends
		// with the session, even in another process group.
		Attempt: "mcp-" + rand.Text(), Dies: true,
	}
	if engine, at, ok := engineOf(server); ok {
		s.box = &box{engine, opts.Worker, spec.Attempt}
		spec.Args = container.Labelled(server.Args, at, opts.Worker, opts.run, spec.Attempt)
	}
	return spec
}

// engineOf is the engine of a server whose command runs a container.
func engineOf(server Server) (container.Engine, int, bool) {
	if server.Type != "stdio" {
		return container.Engine{}, 0, false
	}
	engine, at, ok := container.Of(server.Command, server.Args)
	engine.Env, engine.Dir = server.Environment(), server.Cwd
	return engine, at, ok
}

// box is the container of a session.
type box struct {
	container.Engine
	worker, session string
}

// empty removes the container, if it is there still.
func (b *box) empty() error {
	if b == nil {
		return nil
	}
	return b.Remove(context.Background(), b.worker, b.session)
}

// Sweep removes the containers that a dead server has left, and returns how many there
// were. What cannot be made sure of now is made sure of before an attempt is recovered.
func (r *Runner) Sweep(ctx context.Context) (int, error) {
	removed := 0
	for _, p := range r.current() {
		n, err := r.sweep(ctx, p)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// sweep removes the containers that a dead server has left of an MCP server, once.
func (r *Runner) sweep(ctx context.Context, p *pool) (int, error) {
	engine, _, ok := engineOf(p.server)
	if !ok || p.swept.Load() {
		return 0, nil
	}
	n, err := engine.Sweep(ctx, r.opts.Worker, r.opts.run)
	if err != nil {
		return n, fmt.Errorf("MCP server %s: %w", p.name, err)
	}
	p.swept.Store(true)
	return n, nil
}
