package mcp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/memory"
	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/sessions"
)

// Why a pool is closed.
var (
	errClosed   = errors.New("the server is shutting down")
	errReplaced = errors.New("the server's definition has changed")
)

// Why a session was given up, as the metrics tell it.
const (
	failedStart = "start" // the server did not start, or did not introduce itself
	failedIdle  = "idle"  // it ended while it was idle, or gave no sign of life
	failedCall  = "call"  // it ended, or broke the protocol, in a call
)

// pool is one server with its sessions, those of all workspaces.
type pool struct {
	runner   *Runner
	name     string
	server   Server
	own      *sessions.Budget // the operator's limit for this server; nil: there is none
	sessions *sessions.Pool[*session]
	tokens   func() (*oauth.Source, error) // nil: there are none to be got for the server
	legacy   atomic.Bool                   // the server wants to be spoken to as before 2026-07-28
	version  atomic.Pointer[string]        // the version that it wants; nil: it has not said
	swept    atomic.Bool                   // nothing of it is left in containers of a dead server

	mu    sync.Mutex
	about introduction
}

// user is who wants a session, and what for.
type user struct {
	// session is the name that the job gives its session; empty: none.
	session string
	// workspace is the job's; empty: Jobwright itself asks, for nobody in particular.
	workspace string
	// sink gets what the server says while it starts; nil: nobody.
	sink action.Sink
	// starts is called before a server is started for the user; nil: nobody wants to know.
	starts func()
	// fresh: a new session in any case.
	fresh bool
	// left is a task that was left: the session is the one that the task was begun in, if
	// the server has it still, and never a warm one.
	left *memory.Task
}

func newPool(r *Runner, name string, server Server) *pool {
	r.metrics.expect(name)
	p := &pool{runner: r, name: name, server: server}
	if server.OAuth != nil {
		r.metrics.expectTokens(name)
		p.tokens = sync.OnceValues(func() (*oauth.Source, error) { return r.tokensFor(name, server) })
	}
	if server.Sessions > 0 {
		p.own = &sessions.Budget{Name: fmt.Sprintf("sessions with MCP server %s (sessions in the --mcp-config file)", name), Each: server.Sessions}
	}
	p.sessions = sessions.New[*session](sessions.Options{
		Calls: p.calls(), Idle: r.opts.IdleTime, Budgets: p.budgets, Broke: func() { r.metrics.failed(name, failedIdle) },
	})
	return p
}

// calls is how many calls at once a workspace has, or all of them with a shared server.
// Programs keep state in their memory and in files, which two of them would not agree on:
// a workspace has one, unless the operator says otherwise.
func (p *pool) calls() int {
	switch {
	case p.server.Sessions > 0:
		return p.server.Sessions
	case p.server.Type == "stdio" && !p.server.Shared:
		return 1
	}
	return p.runner.opts.MaxSessions
}

// budgets are what a session counts towards. A name asks for a session beside those
// that have none, unless the operator has set how many there are.
func (p *pool) budgets(at sessions.Line) []*sessions.Budget {
	var all []*sessions.Budget
	if at.Name != "" {
		all = append(all, p.runner.names)
	}
	if p.own != nil {
		all = append(all, p.own)
	}
	if p.server.Type == "stdio" {
		all = append(all, p.runner.processes)
	}
	return all
}

// line is whom a session for a user serves. A name belongs to its workspace, also with a
// shared server.
func (p *pool) line(u user) sessions.Line {
	if p.server.Shared && u.session == "" {
		return sessions.Line{}
	}
	return sessions.Line{Workspace: u.workspace, Name: u.session}
}

// take waits for a session as long as queue lasts: a warm one, or a new one.
func (p *pool) take(queue, ctx context.Context, u user) (*session, error) {
	s, earlier, err := p.sessions.Take(ctx, sessions.Call[*session]{
		Line: p.line(u), Queue: queue, Fresh: u.fresh || u.left != nil,
		Start: func(ctx context.Context) (*session, error) { return p.start(ctx, u) },
		Waits: func(what string) {
			if u.sink != nil {
				u.sink.Line(action.System, "waiting "+what)
			}
		},
	})
	if err == nil {
		s.serves(u.workspace)
	}
	if err == nil && u.session != "" && u.sink != nil {
		s.named = u.session
		if earlier == 0 {
			u.sink.Line(action.System, fmt.Sprintf("session %q of MCP server %s begins", u.session, p.name))
		} else {
			u.sink.Line(action.System, fmt.Sprintf("session %q of MCP server %s goes on: this is call %d of it", u.session, p.name, earlier+1))
		}
	}
	return s, err
}

// start starts a new session. Where a task was left, it goes on with the task's session,
// or begins another where the server has it no more: some keep tasks for all sessions.
func (p *pool) start(ctx context.Context, u user) (*session, error) {
	if u.starts != nil {
		u.starts()
	}
	if u.left != nil {
		if s, err := p.runner.connect(ctx, p, u.sink, u.left); err == nil {
			return s, nil
		}
	}
	s, err := p.runner.connect(ctx, p, u.sink, nil)
	if err == nil || ctx.Err() == nil {
		p.learn(s, err)
	}
	p.runner.metrics.started(p.name)
	if err != nil && ctx.Err() == nil {
		p.runner.metrics.failed(p.name, failedStart)
	}
	return s, err
}

// put gives a session back to be used again.
func (p *pool) put(s *session) {
	if s.proc != nil {
		s.proc.Drain()
	}
	s.end()
	s.since = time.Now()
	p.sessions.Put(s)
}

// drop closes a session that is not to be used again; its last words still go to its user.
func (p *pool) drop(s *session, grace time.Duration) {
	if s.proc != nil {
		s.proc.Note() // what the call has started, before the program can end by itself
	}
	p.sessions.Drop(s, grace)
	if s.named != "" {
		s.note(fmt.Sprintf("session %q of MCP server %s has ended with this call; the next job that names it gets a new one", s.named, p.name))
	}
	s.end()
}
