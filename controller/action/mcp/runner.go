package mcp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/outcome"
	"jobwright.dev/controller/action/mcp/program"
	"jobwright.dev/controller/action/mcp/servers"
	"jobwright.dev/controller/action/mcp/tasks"

	v1 "jobwright.dev/api/v1"
)

// Defaults of Options.
const (
	DefaultMaxSessions  = servers.DefaultMaxSessions
	DefaultMaxProcesses = servers.DefaultMaxProcesses
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
	// says nothing else. Unset: ten minutes for a program, two for a url.
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

	// Of the tests: times of the sessions, and a stand-in for the start of a program.
	firstTry, pingTime, pingAfter, yieldTime time.Duration
	pipe                                     func() (io.ReadCloser, io.WriteCloser)
}

// Runner calls tools of MCP servers. It implements action.Runner; the servers are its Set's.
type Runner struct {
	*servers.Set
	opts Options
}

// New returns a Runner; servers are started when they are first used.
func New(opts Options) (*Runner, error) {
	if opts.Worker == "" {
		return nil, errors.New("mcp: no worker identity")
	}
	r := &Runner{opts: opts}
	if err := r.memory().Purge(time.Now(), tasks.Keep); err != nil {
		return nil, fmt.Errorf("mcp: drop the tasks of long ago: %w", err)
	}
	var err error
	r.Set, err = servers.New(servers.Options{
		Config: opts.Config, Owner: program.Owner{Worker: opts.Worker, Run: rand.Text()}, Extend: tasks.Extend, Tokens: opts.Tokens,
		MaxSessions: opts.MaxSessions, MaxProcesses: opts.MaxProcesses, IdleTime: opts.IdleTime,
		StartTime: opts.StartTime, FirstTry: opts.firstTry, PingAfter: opts.pingAfter, PingTime: opts.pingTime, YieldTime: opts.yieldTime,
		Version: opts.Version, Registerer: opts.Registerer, Log: opts.Log, Pipe: opts.pipe,
	})
	return r, err
}

// Run implements action.Runner.
func (r *Runner) Run(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	build := a.Job.Spec.Build
	if build == nil {
		return action.Fail(v1.ReasonInvalidArguments, "spec.build: Required value")
	}
	name, err := r.Find(build.Server)
	if err != nil {
		return outcome.NotFound(err)
	}
	start := time.Now()
	ended := r.attempt(a, name, out).run(ctx)
	r.settled(a)
	label := map[action.Verdict]string{action.Succeeded: "succeeded", action.Failed: "failed", action.Stopped: "stopped", action.Lost: "lost"}[ended.Verdict]
	r.Called(name, label, time.Since(start))
	return ended
}
