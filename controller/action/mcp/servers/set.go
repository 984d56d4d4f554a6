package servers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/oauth"
	"jobwright.dev/controller/action/mcp/pool"
	"jobwright.dev/controller/action/mcp/program"
	"jobwright.dev/controller/action/mcp/session"
)

// Defaults of Options. Four sessions keep two cores busy with tools that compute; five
// minutes of idling cover the pauses of someone who works. A server on Node takes some
// 60 MiB, so that 32 fit into 2 GiB.
const (
	DefaultMaxSessions  = 4
	DefaultMaxProcesses = 32
	DefaultIdleTime     = 5 * time.Minute
)

// Options configure a Set.
type Options struct {
	// Config has the servers; nil: there are none.
	Config *config.Config
	// Owner is the worker that starts the servers' programs.
	Owner program.Owner
	// Extend has the client of a session send methods that the SDK does not know.
	Extend func(*sdk.Client) error
	// Tokens are the OAuth tokens of the servers; nil: they are kept in memory only. Close
	// closes them.
	Tokens *oauth.Tokens
	// MaxSessions is how many sessions, and so calls at once, a workspace has with a server
	// behind HTTP, or all workspaces together with a shared server.
	MaxSessions int
	// MaxProcesses is how many programs of stdio servers run at once, of all servers and
	// workspaces together. Idle ones are ended for those that are needed.
	MaxProcesses int
	// IdleTime is how long a session is kept that nobody uses.
	IdleTime time.Duration
	// StartTime, FirstTry, PingAfter and PingTime are of the sessions.
	StartTime, FirstTry, PingAfter, PingTime time.Duration
	// YieldTime is how long a job waits for its session with its slot; unset: one second.
	YieldTime  time.Duration
	Version    string
	Registerer prometheus.Registerer
	Log        logr.Logger
	// Pipe stands in for the start of programs.
	Pipe session.Pipe
}

func (o *Options) setDefaults() {
	if o.Config == nil {
		o.Config = &config.Config{}
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = DefaultMaxSessions
	}
	if o.MaxProcesses <= 0 {
		o.MaxProcesses = DefaultMaxProcesses
	}
	if o.IdleTime <= 0 {
		o.IdleTime = DefaultIdleTime
	}
	if o.Tokens == nil {
		o.Tokens = oauth.NewTokens(nil, o.Log)
	}
	if o.YieldTime <= 0 {
		o.YieldTime = yieldTime
	}
}

// Set is the servers of the operator's file. It is safe for concurrent use.
type Set struct {
	opts      Options
	metrics   *metrics
	processes *pool.Budget
	names     *pool.Budget

	mu      sync.Mutex
	config  *config.Config
	servers map[string]*Server
	closed  bool
}

// New returns a Set; servers are started when they are first used.
func New(opts Options) (*Set, error) {
	opts.setDefaults()
	set := &Set{opts: opts, config: opts.Config, servers: map[string]*Server{}}
	set.processes = &pool.Budget{Name: "processes of MCP servers (--mcp-max-processes)", Total: opts.MaxProcesses}
	set.names = &pool.Budget{Name: "named sessions of this workspace (a quarter of --mcp-max-processes)", Each: max(1, opts.MaxProcesses/4)}
	set.metrics = newMetrics(set)
	for name, server := range opts.Config.Servers {
		set.servers[name] = newServer(set, name, server)
	}
	set.complain(opts.Config)
	if opts.Registerer != nil {
		if err := opts.Registerer.Register(set.metrics); err != nil {
			return nil, fmt.Errorf("mcp: register metrics: %w", err)
		}
	}
	return set, nil
}

// Close ends the idle sessions; the caller makes no call any more.
func (set *Set) Close() {
	set.mu.Lock()
	set.closed = true
	servers := slices.Collect(maps.Values(set.servers))
	set.mu.Unlock()
	closeAll(servers, errClosed)
	set.opts.Tokens.Close()
}

// complain logs the servers that cannot be used, and the keys of others that are probably a
// mistake.
func (set *Set) complain(c *config.Config) {
	for _, name := range slices.Sorted(maps.Keys(c.Servers)) {
		server := c.Servers[name]
		if len(server.Problems) > 0 {
			set.opts.Log.Error(errors.New(server.Unusable()), "an MCP server cannot be used; jobs for it fail", "server", name)
		}
		for _, warning := range server.Warnings {
			set.opts.Log.Info("a key of the MCP servers is hardly meant as it stands", "server", name, "key", warning.String())
		}
	}
}

func closeAll(servers []*Server, why error) {
	var ending sync.WaitGroup
	for _, srv := range servers {
		ending.Go(func() { srv.pool.Close(why) })
	}
	ending.Wait()
}

// Find is the name of the server that a job means.
func (set *Set) Find(server string) (string, error) {
	set.mu.Lock()
	defer set.mu.Unlock()
	return set.config.Find(server)
}

// Get is the server of a name in its present definition; nil: there is none.
func (set *Set) Get(name string) *Server {
	set.mu.Lock()
	defer set.mu.Unlock()
	return set.servers[name]
}

// Meant is the server that a job means; nil: there is none.
func (set *Set) Meant(server string) *Server {
	set.mu.Lock()
	defer set.mu.Unlock()
	if server == "" && len(set.servers) == 1 {
		for _, srv := range set.servers {
			return srv
		}
	}
	return set.servers[server]
}

// current is the servers as they are, by name.
func (set *Set) current() map[string]*Server {
	set.mu.Lock()
	defer set.mu.Unlock()
	return maps.Clone(set.servers)
}

// Called counts a call of a tool and its outcome.
func (set *Set) Called(server, outcome string, took time.Duration) {
	set.metrics.seconds.WithLabelValues(server, outcome).Observe(took.Seconds())
}
