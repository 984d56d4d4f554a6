package servers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/pool"
	"jobwright.dev/controller/action/mcp/session"
)

// Why a pool is closed.
var (
	errClosed   = errors.New("the server is shutting down")
	errReplaced = errors.New("the server's definition has changed")
)

// Why a session was given up, as the metrics tell it.
const (
	failedStart = "start" // the server did not start, or did not introduce itself
	failedIdle  = "idle"  // the session ended while idle, or gave no sign of life
	failedCall  = "call"  // the session ended, or broke the protocol, in a call
)

// Server is one server with the sessions of all workspaces.
type Server struct {
	set    *Set
	name   string
	def    config.Server
	own    *pool.Budget // the operator's limit for this server; nil: there is none
	pool   *pool.Pool[*session.Session]
	tokens func() (*oauth.Source, error) // nil: there are none to be got for the server
	manner session.Manner
	swept  atomic.Bool // no container of a dead worker is left

	mu    sync.Mutex
	about introduction
}

// User is the caller that wants a session, and the purpose.
type User struct {
	// Session is the name that the job gives its session; empty: none.
	Session string
	// Workspace is the job's; empty: Jobwright itself asks, for nobody in particular.
	Workspace string
	// Sink gets the output of the server while it starts; nil: nobody.
	Sink action.Sink
	// Starts is called before a server is started for the user; nil: nobody wants to know.
	Starts func()
	// Fresh: a new session in any case.
	Fresh bool
	// Left is a session that a worker has left on the server: the user gets it if the server
	// has it still, and else a new one, never a warm one. Nil: none was left.
	Left *session.Left
}

func newServer(set *Set, name string, def config.Server) *Server {
	set.metrics.expect(name)
	srv := &Server{set: set, name: name, def: def}
	if def.OAuth != nil {
		set.metrics.expectTokens(name)
		srv.tokens = sync.OnceValues(func() (*oauth.Source, error) { return set.tokensFor(name, def) })
	}
	if def.Sessions > 0 {
		srv.own = &pool.Budget{Name: fmt.Sprintf("sessions with MCP server %s (sessions in the --mcp-config file)", name), Each: def.Sessions}
	}
	srv.pool = pool.New[*session.Session](pool.Options{
		Calls: srv.calls(), Idle: set.opts.IdleTime, Budgets: srv.budgets, Broke: func() { set.metrics.failed(name, failedIdle) },
	})
	return srv
}

// Name is the server's name in the operator's file.
func (srv *Server) Name() string { return srv.name }

// Definition is the server's definition in the operator's file.
func (srv *Server) Definition() config.Server { return srv.def }

// calls is how many calls at once a workspace has, or all of them with a shared server.
// A program keeps state in memory and in files, and two programs would not agree on the
// state: a workspace has one, unless the operator says otherwise.
func (srv *Server) calls() int {
	switch {
	case srv.def.Sessions > 0:
		return srv.def.Sessions
	case srv.def.Type == "stdio" && !srv.def.Shared:
		return 1
	}
	return srv.set.opts.MaxSessions
}

// budgets are the budgets that a session counts towards. A named session is beside those
// without a name, unless the operator has set how many there are.
func (srv *Server) budgets(at pool.Line) []*pool.Budget {
	var all []*pool.Budget
	if at.Name != "" {
		all = append(all, srv.set.names)
	}
	if srv.own != nil {
		all = append(all, srv.own)
	}
	if srv.def.Type == "stdio" {
		all = append(all, srv.set.processes)
	}
	return all
}

// line is the line that a session of a user serves. A name belongs to its workspace, also with a
// shared server.
func (srv *Server) line(u User) pool.Line {
	if srv.def.Shared && u.Session == "" {
		return pool.Line{}
	}
	return pool.Line{Workspace: u.Workspace, Name: u.Session}
}

// take waits for a session as long as queue lasts: a warm one, or a new one.
func (srv *Server) take(queue, ctx context.Context, u User) (*session.Session, error) {
	s, earlier, err := srv.pool.Take(ctx, pool.Call[*session.Session]{
		Line: srv.line(u), Queue: queue, Fresh: u.Fresh || u.Left != nil,
		Start: func(ctx context.Context) (*session.Session, error) { return srv.start(ctx, u) },
		Waits: func(what string) {
			if u.Sink != nil {
				u.Sink.Line(action.System, "waiting "+what)
			}
		},
	})
	if err == nil {
		s.Serves(u.Workspace)
	}
	if err == nil && u.Session != "" && u.Sink != nil {
		s.Named = u.Session
		if earlier == 0 {
			u.Sink.Line(action.System, fmt.Sprintf("session %q of MCP server %s begins", u.Session, srv.name))
		} else {
			u.Sink.Line(action.System, fmt.Sprintf("session %q of MCP server %s goes on: this is call %d of it", u.Session, srv.name, earlier+1))
		}
	}
	return s, err
}

// start starts a new session. Where a session was left on the server, start adopts it, or
// begins another if the server does not have it any more: some servers keep tasks for all
// sessions.
func (srv *Server) start(ctx context.Context, u User) (*session.Session, error) {
	if u.Starts != nil {
		u.Starts()
	}
	if u.Left != nil {
		if s, err := srv.connect(ctx, u.Sink, *u.Left); err == nil {
			return s, nil
		}
	}
	s, err := srv.connect(ctx, u.Sink, session.Left{})
	if err == nil || ctx.Err() == nil {
		srv.learn(s, err)
	}
	srv.set.metrics.started(srv.name)
	if err != nil && ctx.Err() == nil {
		srv.set.metrics.failed(srv.name, failedStart)
	}
	return s, err
}

func (srv *Server) connect(ctx context.Context, sink action.Sink, adopt session.Left) (*session.Session, error) {
	opts := &srv.set.opts
	return session.Connect(ctx, session.Options{
		Name: srv.name, Server: srv.def, Owner: opts.Owner, Version: opts.Version, Tokens: srv.tokens, Extend: opts.Extend, Manner: &srv.manner,
		Listed: srv.listed, Sink: sink, Adopt: adopt, Log: opts.Log, Pipe: opts.Pipe,
		StartTime: opts.StartTime, FirstTry: opts.FirstTry, PingAfter: opts.PingAfter, PingTime: opts.PingTime,
	})
}

// Put gives a session back to be used again.
func (srv *Server) Put(s *session.Session) {
	s.Rest()
	srv.pool.Put(s)
}

// Drop closes a session that is not to be used again; its last words still go to its user.
func (srv *Server) Drop(s *session.Session, grace time.Duration) {
	s.NoteKin()
	srv.pool.Drop(s, grace)
	if s.Named != "" {
		s.Note(fmt.Sprintf("session %q of MCP server %s has ended with this call; the next job that names it gets a new one", s.Named, srv.name))
	}
	s.End()
}

// CallBroke counts a session that ended, or broke the protocol, in a call.
func (srv *Server) CallBroke() { srv.set.metrics.failed(srv.name, failedCall) }

// EndedIdle counts a session whose program ended before it had read a call.
func (srv *Server) EndedIdle() { srv.set.metrics.failed(srv.name, failedIdle) }
