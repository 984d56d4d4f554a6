package serve

import (
	"runtime"
	"time"

	"github.com/spf13/pflag"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller/action/apicall"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/job"
	eventfiles "jobwright.dev/store/events/file"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// options are the flags of serve.
type options struct {
	listen        string
	dataDir       string
	mcpConfig     string
	mcpTokenKey   string
	mcpSessions   int
	mcpProcesses  int
	composeRoots  []string
	secrets       string
	outbound      string
	maxRevisions  int
	maxConcurrent int
	shutdownGrace time.Duration
	cancelGrace   time.Duration
	ageing        time.Duration
	lease         time.Duration
	maxLogBytes   int64
	maxEventBytes int64
	minFree       int64
	allowPrivate  bool
	maxResponse   int64
	acceptEdited  bool
	logFormat     string
}

// bind makes the flags.
func (o *options) bind(flags *pflag.FlagSet) {
	o.bindServer(flags)
	o.bindController(flags)
	o.bindActions(flags)
}

// bindServer makes the flags of the API, its stores and its logger.
func (o *options) bindServer(flags *pflag.FlagSet) {
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "loopback address to listen on; port 0 takes a free one")
	flags.StringVar(&o.dataDir, "data-dir", "./data", "folder of the objects, logs and events; made when it is missing")
	flags.Int64Var(&o.maxLogBytes, "max-log-bytes", logfiles.DefaultMaxBytes, "how much of one job's output is kept, in bytes")
	flags.Int64Var(&o.maxEventBytes, "max-event-bytes", eventfiles.DefaultMaxBytes, "how much of all jobs' events is kept, in bytes")
	flags.BoolVar(&o.acceptEdited, "accept-edited", false, "take over a jobs.json that was edited by hand while the server was stopped; without it a file whose checksums do not fit is refused. Give it once: it cannot tell an edit from damage")
	flags.Int64Var(&o.minFree, "min-free-bytes", file.DefaultMinFree, "free disk space below which new jobs are refused, in bytes; negative: not checked")
}

// bindController makes the flags of the controller.
func (o *options) bindController(flags *pflag.FlagSet) {
	flags.IntVar(&o.maxConcurrent, "max-concurrent-jobs", max(2, runtime.NumCPU()), "how many jobs run at once")
	flags.DurationVar(&o.shutdownGrace, "shutdown-grace", job.DefaultShutdownGrace, "how long running jobs may go on after SIGTERM before they are interrupted")
	flags.DurationVar(&o.cancelGrace, "cancel-grace", job.DefaultCancelGrace, "how long an action may take to stop before it is killed")
	flags.DurationVar(&o.ageing, "priority-ageing", job.DefaultAgeing, "waiting time that is worth one point of priority")
	flags.DurationVar(&o.lease, "lease", job.DefaultLease, "how long an attempt belongs to its worker without a sign of life")
}

// bindActions makes the flags of the Runners.
func (o *options) bindActions(flags *pflag.FlagSet) {
	flags.StringVar(&o.mcpConfig, "mcp-config", "", "mcpServers file: the MCP servers that builds may use")
	flags.StringVar(&o.mcpTokenKey, "mcp-token-key-file", "", "file of the key that encrypts the OAuth tokens of MCP servers in --data-dir; without it they are kept in memory only, and refresh tokens that are replaced with each use are lost at a restart")
	flags.IntVar(&o.mcpSessions, "mcp-sessions", mcp.DefaultMaxSessions, "how many sessions, and so calls at once, a workspace has with one MCP server behind HTTP (sessions in mcp.json goes before); a program runs once for each workspace, a shared one as often as this")
	flags.IntVar(&o.mcpProcesses, "mcp-max-processes", mcp.DefaultMaxProcesses, "how many programs of MCP servers run at once, of all workspaces; idle ones are ended for those that are needed")
	flags.StringSliceVar(&o.composeRoots, "compose-root", nil, "folder below which deploys may use compose files, or WORKSPACE=FOLDER for one workspace alone; may be given several times")
	flags.IntVar(&o.maxRevisions, "max-revisions", revisions.DefaultMax, "how many good states of each compose project are kept to roll back to")
	flags.StringVar(&o.secrets, "secrets", "", "file of the secrets that deploys may name in env and api_call jobs in headers and body: NAME: {value, env or file; workspaces: [...], hosts: [...]}")
	flags.StringVar(&o.outbound, "outbound", "", "file of how api_call jobs and health probes call which host: HOST: {proxy, proxyAuth, caFile, certFile, keyFile, allowPrivate}")
	flags.Int64Var(&o.maxResponse, "max-response-bytes", apicall.DefaultMaxResponse, "how much of a response an api_call reads, in bytes")
	flags.BoolVar(&o.allowPrivate, "allow-private-addresses", false, "api_call jobs and the health probes of deploys may call private and loopback addresses")
}

// check refuses values of flags that no server can run with.
func (o *options) check() error {
	for _, flag := range []struct {
		name  string
		value int64
	}{
		{"max-concurrent-jobs", int64(o.maxConcurrent)},
		{"mcp-sessions", int64(o.mcpSessions)},
		{"mcp-max-processes", int64(o.mcpProcesses)},
		{"max-response-bytes", o.maxResponse},
	} {
		if flag.value < 1 {
			return cli.Usagef("--%s %d: must be at least 1", flag.name, flag.value)
		}
	}
	if o.maxRevisions < revisions.MinMax {
		return cli.Usagef("--max-revisions %d: must be at least %d, or there is nothing to roll back to", o.maxRevisions, revisions.MinMax)
	}
	if o.lease < time.Second {
		return cli.Usagef("--lease %s: must be at least 1s", o.lease)
	}
	if o.ageing <= 0 || o.ageing > 24*time.Hour {
		return cli.Usagef("--priority-ageing %s: must be more than 0 and at most 24h", o.ageing)
	}
	return nil
}
