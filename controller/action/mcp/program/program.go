package program

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/container"
	"jobwright.dev/controller/action/process"
)

// Owner is the worker that starts programs.
type Owner struct {
	// Worker is the identity of the worker, Run that of its process among those that the
	// worker has had.
	Worker, Run string
}

// Program is a server's program that was started.
type Program struct {
	*process.Process
	stdin  *Stdin
	stderr *stderr
	box    *box // nil: no container is known
}

// Start starts the program of a server.
func Start(server config.Server, owner Owner) (*Program, error) {
	spec := process.Spec{
		Path: server.Command, Args: server.Args, Dir: server.Cwd, Env: server.Environment(), Worker: owner.Worker,
		Attempt: "mcp-" + rand.Text(), Dies: true,
	}
	p := new(Program)
	if engine, at, ok := Engine(server); ok {
		p.box = &box{engine, owner.Worker, spec.Attempt}
		spec.Args = container.Labelled(server.Args, at, owner.Worker, owner.Run, spec.Attempt)
	}
	var err error
	if p.Process, err = process.Start(spec); err != nil {
		return nil, err
	}
	p.stderr = &stderr{ReadCloser: p.Stderr}
	p.stdin = &Stdin{WriteCloser: p.Process.Stdin, ended: p.Done()}
	return p, nil
}

// Engine is the container engine of a server whose command runs a container, and where in
// the arguments run stands.
func Engine(server config.Server) (container.Engine, int, bool) {
	if server.Type != "stdio" {
		return container.Engine{}, 0, false
	}
	engine, at, ok := container.Of(server.Command, server.Args)
	engine.Env, engine.Dir = server.Environment(), server.Cwd
	return engine, at, ok
}

// Stdin is the program's stdin, which counts what is written to it.
func (p *Program) Stdin() *Stdin { return p.stdin }

// Contained reports whether the program runs in a container that is known.
func (p *Program) Contained() bool { return p.box != nil }

// Stop ends the program, with grace to do so by itself, and removes its container. An error
// is a process that the kernel does not let go, or an engine that does not answer.
func (p *Program) Stop(ctx context.Context, grace time.Duration) error {
	return errors.Join(p.Process.Stop(ctx, grace), p.box.remove(ctx))
}

// box is the container of a program.
type box struct {
	container.Engine
	worker, session string
}

// remove removes the container, if it is still there.
func (b *box) remove(ctx context.Context) error {
	if b == nil {
		return nil
	}
	return b.Remove(ctx, b.worker, b.session)
}
