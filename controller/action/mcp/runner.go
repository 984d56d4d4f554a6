package mcp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/catalog"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/container"
	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/outcome"
	"jobwright.dev/controller/action/mcp/questions"
	"jobwright.dev/controller/action/mcp/sessions"
	"jobwright.dev/controller/action/mcp/wire"
)

// Defaults of Options. Four sessions keep two cores busy with tools that compute; five
// minutes of idling cover the pauses of someone who works. A server on Node takes some
// 60 MiB, so that 32 fit into 2 GiB. What is fetched first takes the longest to start:
// packages of npm some minutes over a slow line, images more; a server behind a URL has
// started already.
const (
	DefaultMaxSessions  = 4
	DefaultMaxProcesses = 32
	DefaultIdleTime     = 5 * time.Minute
	DefaultStartTime    = 10 * time.Minute
	DefaultConnectTime  = 2 * time.Minute
	firstTry            = time.Minute
)

const (
	// pingTime is how long a warm session may take to show that it still is one.
	pingTime = 5 * time.Second
	// pingAfter is how long a session over stdio is idle before it is asked whether it
	// still is one; the end of its process is seen at once in any case.
	pingAfter = time.Second
)

type (
	// Config is the operator's MCP servers, as package config reads them.
	Config = config.Config
	// Server is one of them.
	Server = config.Server
)

// Options configure a Runner.
type Options struct {
	// Config has the servers; nil: there are none.
	Config *Config
	// Worker is the identity that the servers' processes carry. Required.
	Worker string
	// MaxSessions is how many sessions, and so calls at once, a workspace has with a server
	// behind HTTP, or all workspaces together with a shared server.
	MaxSessions int
	// MaxProcesses is how many programs of stdio servers run at once, of all servers and
	// workspaces together. Idle ones are ended for those that are needed.
	MaxProcesses int
	// IdleTime is how long a session is kept that nobody uses.
	IdleTime time.Duration
	// StartTime is how long a server may take to start and introduce itself whose definition
	// says nothing else. Unset: DefaultStartTime for a program, DefaultConnectTime for a url.
	StartTime time.Duration
	// StateDir is a folder for what must outlive the worker: the tasks that it has begun
	// on servers behind HTTP. Empty: they are not found again after a crash.
	StateDir string
	// Tokens are the OAuth tokens of the servers; nil: they are kept in memory only. Close
	// closes them.
	Tokens     *oauth.Tokens
	Version    string
	Registerer prometheus.Registerer
	Log        logr.Logger

	// firstTry is how long a program may say nothing that has read the first request, before it
	// is started once more; unset: the constant.
	firstTry time.Duration
	// pingTime and pingAfter; unset: the constants.
	pingTime, pingAfter time.Duration
	// yieldTime; unset: the constant.
	yieldTime time.Duration
	// pipe stands in for the start of a program: the tests' own ends of its stdin and
	// stdout, in the time of a bubble.
	pipe func() (io.ReadCloser, io.WriteCloser)
	// run identifies this Runner among those that the worker has had.
	run string
}

// Runner calls tools of MCP servers. It implements action.Runner.
type Runner struct {
	opts      Options
	metrics   *metrics
	processes *sessions.Budget
	names     *sessions.Budget

	mu     sync.Mutex
	config *Config
	pools  map[string]*pool
	closed bool
}

// New returns a Runner; servers are started when they are first used.
func New(opts Options) (*Runner, error) {
	if opts.Worker == "" {
		return nil, errors.New("mcp: no worker identity")
	}
	if opts.Config == nil {
		opts.Config = &Config{}
	}
	if opts.MaxSessions <= 0 {
		opts.MaxSessions = DefaultMaxSessions
	}
	if opts.MaxProcesses <= 0 {
		opts.MaxProcesses = DefaultMaxProcesses
	}
	if opts.IdleTime <= 0 {
		opts.IdleTime = DefaultIdleTime
	}
	if opts.Tokens == nil {
		opts.Tokens = oauth.NewTokens(nil, opts.Log)
	}
	if opts.firstTry <= 0 {
		opts.firstTry = firstTry
	}
	if opts.pingTime <= 0 {
		opts.pingTime, opts.pingAfter = pingTime, pingAfter
	}
	opts.run = rand.Text()
	if opts.yieldTime <= 0 {
		opts.yieldTime = yieldTime
	}
	r := &Runner{opts: opts, config: opts.Config, pools: map[string]*pool{}}
	r.processes = &sessions.Budget{Name: "processes of MCP servers (--mcp-max-processes)", Total: opts.MaxProcesses}
	r.names = &sessions.Budget{Name: "named sessions of this workspace (a quarter of --mcp-max-processes)", Each: max(1, opts.MaxProcesses/4)}
	r.metrics = newMetrics(r)
	if err := r.memory().Purge(time.Now(), taskTime); err != nil {
		return nil, fmt.Errorf("mcp: drop the tasks of long ago: %w", err)
	}
	for name, server := range opts.Config.Servers {
		r.pools[name] = newPool(r, name, server)
	}
	r.complain(opts.Config)
	if opts.Registerer != nil {
		if err := opts.Registerer.Register(r.metrics); err != nil {
			return nil, fmt.Errorf("mcp: register metrics: %w", err)
		}
	}
	return r, nil
}

// Close ends the sessions that are idle; it is called when nothing calls any more.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	pools := slices.Collect(maps.Values(r.pools))
	r.mu.Unlock()
	closeAll(pools, errClosed)
	r.opts.Tokens.Close()
}

// recoverTime bounds how long a server is asked whether its tool may be called twice.
const recoverTime = 15 * time.Second

// Recover implements action.Runner. The servers of a dead worker ended when it was
// reaped at the start; nobody can tell what the tool came to. Whether it may be called
// again is for the tool's annotations to say.
func (r *Runner) Recover(ctx context.Context, a action.Attempt) (action.Outcome, error) {
	lost := action.Outcome{Verdict: action.Lost}
	build := a.Job.Spec.Build
	if build == nil {
		return lost, nil
	}
	ctx, cancel := context.WithTimeout(ctx, recoverTime)
	defer cancel()
	if p := r.meant(build.Server); p != nil {
		if _, err := r.sweep(ctx, p); err != nil {
			return lost, err
		}
	}
	if found := r.recoverTask(ctx, a); found != nil {
		return *found, nil
	}
	if a.Job.Spec.OnInterruption != "" {
		return lost, nil // decided by the job
	}
	if found := r.notBegun(a); found != nil {
		return *found, nil
	}
	name, err := r.find(build.Server)
	if err != nil {
		lost.Message = err.Error()
		return lost, nil
	}
	pool, s, err := r.take(ctx, name, user{workspace: a.Job.Namespace})
	if err != nil {
		lost.Message = fmt.Sprintf("It is not known whether tool %s was called, and MCP server %q could not be asked whether it may be called twice: %v", build.Action, name, err)
		return lost, nil
	}
	lost.Repeatable = s.catalog.Repeatable(build.Action)
	lost.Message = annotated(build.Action, lost.Repeatable)
	pool.put(s)
	return lost, nil
}

func annotated(tool string, repeatable bool) string {
	if repeatable {
		return fmt.Sprintf("Tool %s is marked idempotent or read-only.", tool)
	}
	return fmt.Sprintf("Tool %s is marked neither idempotent nor read-only.", tool)
}

// Run implements action.Runner.
func (r *Runner) Run(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	build := a.Job.Spec.Build
	if build == nil {
		return action.Fail(v1.ReasonInvalidArguments, "spec.build: Required value")
	}
	name, err := r.find(build.Server)
	if err != nil {
		return outcome.NotFound(err)
	}
	start := time.Now()
	ended := r.run(ctx, a, name, build, out, false)
	r.settled(a)
	label := map[action.Verdict]string{action.Succeeded: "succeeded", action.Failed: "failed", action.Stopped: "stopped", action.Lost: "lost"}[ended.Verdict]
	r.metrics.seconds.WithLabelValues(name, label).Observe(time.Since(start).Seconds())
	return ended
}

// callElsewhere calls a tool in a new session, because the program of this one has ended
// before it had read the call.
func (r *Runner) callElsewhere(ctx context.Context, a action.Attempt, pool *pool, s *session, out action.Sink) action.Outcome {
	r.metrics.failed(pool.name, failedIdle)
	out.Line(action.System, fmt.Sprintf("MCP server %s ended (%s) before it had read the call; the tool is called in a new session", pool.name, s.proc.Ended()))
	pool.drop(s, 0)
	return r.run(ctx, a, pool.name, a.Job.Spec.Build, out, true)
}

// run carries out an attempt. again tells that the tool was not called though the call was
// sent: the server refused it because it knew the session no more, or ended without
// having read it. It is called once more, in a new session.
func (r *Runner) run(ctx context.Context, a action.Attempt, name string, build *v1.BuildAction, out action.Sink, again bool) action.Outcome {
	out.Progress(0, "mcp:connect")
	left := r.left(a.Job)
	pool, s, err := r.takeTurn(ctx, name, user{workspace: a.Job.Namespace, session: build.Session, sink: out, left: left, fresh: again, starts: func() { r.starts(a, left) }})
	if err != nil {
		if ctx.Err() != nil {
			return outcome.NotCalled(build.Action)
		}
		return outcome.Unavailable(err, fmt.Sprintf("MCP server %q is not available: %v", name, err))
	}
	if !s.catalog.Has(build.Action) {
		// A server may offer more tools than when the session began.
		if err := s.listTools(ctx); err != nil {
			pool.drop(s, 0)
			if ctx.Err() != nil {
				return outcome.NotCalled(build.Action)
			}
			return outcome.Unavailable(err, fmt.Sprintf("MCP server %q does not list its tools: %v", name, err))
		}
	}
	arguments, notes, problems := s.catalog.Arguments(build)
	if len(problems) > 0 {
		pool.put(s)
		return action.Fail(v1.ReasonInvalidArguments, catalog.Unfit(build.Action, name, problems))
	}
	if ctx.Err() != nil {
		pool.put(s)
		return outcome.NotCalled(build.Action)
	}
	if failed := r.calls(a); failed != nil {
		pool.put(s)
		return *failed
	}
	for _, note := range notes {
		out.Line(action.System, note)
	}
	out.Line(action.System, fmt.Sprintf("calling tool %s of MCP server %s", build.Action, name))
	out.Progress(0, "mcp:run")
	s.answering(questions.New(build.Answers))
	return limited(ctx, pool.server.Timeout, build.Action, name, func(ctx context.Context) action.Outcome {
		if left != nil || s.asTask(build.Action) {
			return r.callTask(ctx, a, pool, s, arguments, left, out, again)
		}
		return r.callTool(ctx, a, pool, s, arguments, out, again)
	})
}

// limited carries out a call, within what the operator's file allows the server for one.
func limited(ctx context.Context, limit time.Duration, tool, server string, call func(context.Context) action.Outcome) action.Outcome {
	if limit == 0 {
		return call(ctx)
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ended := call(within)
	if ended.Verdict == action.Stopped && ctx.Err() == nil {
		return action.Fail(v1.ReasonAttemptTimeout, fmt.Sprintf("Tool %s of MCP server %q was stopped: it had not answered after %s, which is the server's timeout in the --mcp-config file.", tool, server, limit))
	}
	return ended
}

// callTool calls a tool, and waits for its answer.
func (r *Runner) callTool(ctx context.Context, a action.Attempt, pool *pool, s *session, arguments map[string]any, out action.Sink, again bool) action.Outcome {
	build, name := a.Job.Spec.Build, pool.name
	s.begin(out, a.ID)
	// Since 2026-07-28 the log level goes with each request.
	params := &sdk.CallToolParams{Meta: sdk.Meta{"io.modelcontextprotocol/logLevel": "info"}, Name: build.Action, Arguments: arguments}
	params.SetProgressToken(a.ID)
	result, err := s.converse(ctx, params)
	if ctx.Err() != nil && err != nil {
		out.Line(action.System, fmt.Sprintf("asked to stop; the server gets %s before it is killed", a.Grace))
		repeat := s.catalog.Repeatable(build.Action)
		s.awaitCancel(min(a.Grace, leaveTime))
		pool.drop(s, a.Grace)
		return action.Outcome{Verdict: action.Stopped, Message: s.stopped(build.Action, name), Repeatable: repeat}
	}
	if err != nil && !again && s.neverRead(err) {
		return r.callElsewhere(ctx, a, pool, s, out)
	}
	if f, ok := errors.AsType[*wire.Failure](err); ok && f.Session && !again {
		out.Line(action.System, fmt.Sprintf("MCP server %s does not know the session any more (%s); the tool is called in a new one", name, f.Text))
		pool.drop(s, 0)
		return r.run(ctx, a, name, build, out, true)
	}
	asked := s.asking()
	if err != nil {
		return asked.Remark(r.callFailed(pool, s, build.Action, name, err))
	}
	output := s.catalog.Output(build.Action)
	pool.put(s)
	return asked.Remark(outcome.Answered(result, build.Action, output, out))
}

// stopped says what is known of a tool that was asked to stop.
func (s *session) stopped(tool, server string) string {
	switch {
	case s.proc == nil:
	case s.left != nil:
		return fmt.Sprintf("Tool %s of MCP server %q was told to stop and its program was killed, but something of it may be running still: %v", tool, server, s.left)
	case s.proc.Contained():
		return fmt.Sprintf("Tool %s of MCP server %q was stopped and its container is removed; what it had done until then was left as it is.", tool, server)
	case container.Foreign(s.server.Command):
		return fmt.Sprintf("Tool %s of MCP server %q was told to stop, and %s, its program here, has ended; whether what that had started elsewhere has ended too is not known.", tool, server, filepath.Base(s.server.Command))
	default:
		return fmt.Sprintf("Tool %s of MCP server %q was stopped; what it had done until then was left as it is.", tool, server)
	}
	if s.confirmed {
		return fmt.Sprintf("Tool %s of MCP server %q was told to stop, and the server has confirmed the end of the session; whether the tool itself had ended by then, the server does not tell.", tool, server)
	}
	return fmt.Sprintf("Tool %s of MCP server %q was asked to stop; the server has not confirmed the end of the session, so the tool may still be at work there.", tool, server)
}
