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
	flags.StringVar(&o.dataDir, "data-dir", "./data", "folder of the objects, logs and events; created if it does not exist")
	flags.Int64Var(&o.maxLogBytes, "max-log-bytes", logfiles.DefaultMaxBytes, "size limit of one job's log, in bytes")
	flags.Int64Var(&o.maxEventBytes, "max-event-bytes", eventfiles.DefaultMaxBytes, "size limit of all events together, in bytes")
	flags.BoolVar(&o.acceptEdited, "accept-edited", false, "accept a jobs.json that was edited by hand while the server was stopped; without this flag, a file with wrong checksums is refused. Use it once: an edit and damage look the same")
	flags.Int64Var(&o.minFree, "min-free-bytes", file.DefaultMinFree, "free disk space below which new jobs are refused, in bytes; negative: no check")
}

// bindController makes the flags of the controller.
func (o *options) bindController(flags *pflag.FlagSet) {
	flags.IntVar(&o.maxConcurrent, "max-concurrent-jobs", max(2, runtime.NumCPU()), "number of jobs that run at the same time")
	flags.DurationVar(&o.shutdownGrace, "shutdown-grace", job.DefaultShutdownGrace, "how long running jobs may continue after SIGTERM before they are interrupted")
	flags.DurationVar(&o.cancelGrace, "cancel-grace", job.DefaultCancelGrace, "how long an action may take to stop before it is killed")
	flags.DurationVar(&o.ageing, "priority-ageing", job.DefaultAgeing, "waiting time that counts as one point of priority")
	flags.DurationVar(&o.lease, "lease", job.DefaultLease, "how long an attempt belongs to its worker without a renewal")
}

// bindActions makes the flags of the Runners.
func (o *options) bindActions(flags *pflag.FlagSet) {
	flags.StringVar(&o.mcpConfig, "mcp-config", "", "mcpServers file: the MCP servers that builds may use")
	flags.StringVar(&o.mcpTokenKey, "mcp-token-key-file", "", "file with the key that encrypts the OAuth tokens of MCP servers in --data-dir; without it tokens are kept in memory only, and a restart loses rotated refresh tokens")
	flags.IntVar(&o.mcpSessions, "mcp-sessions", mcp.DefaultMaxSessions, "sessions, and so concurrent calls, per workspace and MCP server behind HTTP, and per shared program; sessions in mcp.json overrides it; a program that is not shared runs once per workspace")
	flags.IntVar(&o.mcpProcesses, "mcp-max-processes", mcp.DefaultMaxProcesses, "limit of running MCP server programs, all workspaces together; at the limit an idle program is ended for the next one")
	flags.StringSliceVar(&o.composeRoots, "compose-root", nil, "folder whose compose files deploys may use, or WORKSPACE=FOLDER for one workspace only; may be repeated")
	flags.IntVar(&o.maxRevisions, "max-revisions", revisions.DefaultMax, "revisions to keep of each compose project for rollbacks")
	flags.StringVar(&o.secrets, "secrets", "", "file with the secrets for the env of deploys and for headers and body of api_call jobs: NAME: {value, env or file; workspaces: [...], hosts: [...]}")
	flags.StringVar(&o.outbound, "outbound", "", "file with proxies and certificates for api_call jobs and health probes, by host: HOST: {proxy, proxyAuth, caFile, certFile, keyFile, allowPrivate}")
	flags.Int64Var(&o.maxResponse, "max-response-bytes", apicall.DefaultMaxResponse, "size limit of a response to an api_call, in bytes")
	flags.BoolVar(&o.allowPrivate, "allow-private-addresses", false, "allow api_call jobs and health probes to call private and loopback addresses")
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
