package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog" //nolint:depguard // the logger is made here, once
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/datadir"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/apicall"
	"jobwright.dev/controller/action/compose"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/mcp"
	mcpconfig "jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/outbound"
	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/action/secrets"
	"jobwright.dev/controller/job"
	"jobwright.dev/controller/job/spool"
	"jobwright.dev/store"
	eventfiles "jobwright.dev/store/events/file"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
	"jobwright.dev/web"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	listen        string
	dataDir       string
	mcpConfig     string
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
	logFormat     string
}

// Command returns the command serve.
func Command(c *cli.Invocation) *cobra.Command {
	var o serveOptions
	var config string
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: API, page and controller",
		Long: `Serve runs the API, the page at /jobs and the controller, with its objects in
--data-dir: jobs.json, the journal that holds what is newer, the jobs' logs and events.

There is no authentication yet, so the server listens on loopback addresses only, and
answers only requests that were meant for it there.

Each flag may also be set by an environment variable (--data-dir: JOBWRIGHT_DATA_DIR) or
in a YAML file given with --config (data-dir: …); a flag beats the environment, the
environment the file.

--secrets and --outbound name YAML files:

  db-password: {file: /run/secrets/db, workspaces: [acme]}      # or env: NAME, value: TEXT
  pay-token:   {env: PAY_TOKEN, hosts: [pay.example.com]}       # sent there only

  pay.example.com:  {certFile: client.pem, keyFile: client.key} # by the most exact host:
  "*.corp.example": {caFile: corp.pem, allowPrivate: true}      # host:port, host, *.domain, *
  "*": {proxy: "http://proxy:3128", proxyAuth: {file: login}}   # or {env: NAME}; user:password

SIGHUP reads --mcp-config again. Builds under way end with the server that they call;
those that come later get what the file says then. A file that cannot be read changes
nothing; a server in it that cannot be used is marked as broken, and the others go on.
Without --mcp-config there is nothing to read, and the signal does nothing.`,
		Example: `  jobwright serve
  jobwright serve --data-dir /var/lib/jobwright --mcp-config mcp.json --compose-root /srv/apps
  jobwright serve --compose-root /srv/apps --secrets /etc/jobwright/secrets.yaml --max-revisions 20
  jobwright serve --listen 127.0.0.1:0 --max-concurrent-jobs 8 --log-format json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.BindEnv(cmd.Flags()); err != nil {
				return err
			}
			if err := cli.BindFile(cmd.Flags(), config); err != nil {
				return err
			}
			return serve(cmd.Context(), o, c.Streams, c.Kinds)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "loopback address to listen on; port 0 takes a free one")
	flags.StringVar(&o.dataDir, "data-dir", "./data", "folder of the objects, logs and events; made when it is missing")
	flags.StringVar(&o.mcpConfig, "mcp-config", "", "mcpServers file: the MCP servers that builds may use")
	flags.IntVar(&o.mcpSessions, "mcp-sessions", mcp.DefaultMaxSessions, "how many sessions, and so calls at once, a workspace has with one MCP server behind HTTP (sessions in mcp.json goes before); a program runs once for each workspace, a shared one as often as this")
	flags.IntVar(&o.mcpProcesses, "mcp-max-processes", mcp.DefaultMaxProcesses, "how many programs of MCP servers run at once, of all workspaces; idle ones are ended for those that are needed")
	flags.StringSliceVar(&o.composeRoots, "compose-root", nil, "folder below which deploys may use compose files, or WORKSPACE=FOLDER for one workspace alone; may be given several times")
	flags.StringVar(&o.secrets, "secrets", "", "file of the secrets that deploys may name in env and api_call jobs in headers and body: NAME: {value, env or file; workspaces: [...], hosts: [...]}")
	flags.StringVar(&o.outbound, "outbound", "", "file of how api_call jobs and health probes call which host: HOST: {proxy, proxyAuth, caFile, certFile, keyFile, allowPrivate}")
	flags.IntVar(&o.maxRevisions, "max-revisions", revisions.DefaultMax, "how many good states of each compose project are kept to roll back to")
	flags.IntVar(&o.maxConcurrent, "max-concurrent-jobs", max(2, runtime.NumCPU()), "how many jobs run at once")
	flags.DurationVar(&o.shutdownGrace, "shutdown-grace", job.DefaultShutdownGrace, "how long running jobs may go on after SIGTERM before they are interrupted")
	flags.DurationVar(&o.cancelGrace, "cancel-grace", job.DefaultCancelGrace, "how long an action may take to stop before it is killed")
	flags.DurationVar(&o.ageing, "priority-ageing", job.DefaultAgeing, "waiting time that is worth one point of priority")
	flags.DurationVar(&o.lease, "lease", job.DefaultLease, "how long an attempt belongs to its worker without a sign of life")
	flags.Int64Var(&o.maxLogBytes, "max-log-bytes", logfiles.DefaultMaxBytes, "how much of one job's output is kept, in bytes")
	flags.Int64Var(&o.maxEventBytes, "max-event-bytes", eventfiles.DefaultMaxBytes, "how much of all jobs' events is kept, in bytes")
	flags.Int64Var(&o.minFree, "min-free-bytes", file.DefaultMinFree, "free disk space below which new jobs are refused, in bytes; negative: not checked")
	flags.Int64Var(&o.maxResponse, "max-response-bytes", apicall.DefaultMaxResponse, "how much of a response an api_call reads, in bytes")
	flags.BoolVar(&o.allowPrivate, "allow-private-addresses", false, "api_call jobs and the health probes of deploys may call private and loopback addresses")
	flags.StringVar(&o.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&config, "config", "", "YAML file with values for these flags")
	return command
}

func newLogger(format string, out io.Writer) (logr.Logger, error) {
	switch format {
	case "text":
		return logr.FromSlogHandler(slog.NewTextHandler(out, nil)), nil
	case "json":
		return logr.FromSlogHandler(slog.NewJSONHandler(out, nil)), nil
	}
	return logr.Logger{}, cli.Usagef("--log-format %q: supported values: text, json", format)
}

// listenAddress is where to listen: loopback addresses only.
func listenAddress(address string) (*net.TCPAddr, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, cli.Usagef("--listen %q: %v", address, err)
	}
	if !tcp.IP.IsLoopback() {
		return nil, cli.Usagef("--listen %q: without authentication only loopback addresses are allowed, e.g. 127.0.0.1:%d", address, tcp.Port)
	}
	return tcp, nil
}

// spareProcessor gives the scheduler of Go one processor more than there are, unless
// GOMAXPROCS says how many: the one goroutine that waits in fdatasync, as it mostly does
// under load, keeps its processor from the others until the runtime notices. On two
// cores that is worth a third of the throughput (BenchmarkDrain with -cpu 2 and 3).
func spareProcessor() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// serve runs the server until ctx ends, then shuts it down in order.
func serve(ctx context.Context, o serveOptions, streams cli.Streams, kinds v1.KindSet) (err error) {
	spareProcessor()
	log, err := newLogger(o.logFormat, streams.Err)
	if err != nil {
		return err
	}
	if o.maxConcurrent < 1 {
		return cli.Usagef("--max-concurrent-jobs %d: must be at least 1", o.maxConcurrent)
	}
	if o.mcpSessions < 1 {
		return cli.Usagef("--mcp-sessions %d: must be at least 1", o.mcpSessions)
	}
	if o.mcpProcesses < 1 {
		return cli.Usagef("--mcp-max-processes %d: must be at least 1", o.mcpProcesses)
	}
	if o.maxResponse < 1 {
		return cli.Usagef("--max-response-bytes %d: must be at least 1", o.maxResponse)
	}
	if o.lease < time.Second {
		return cli.Usagef("--lease %s: must be at least 1s", o.lease)
	}
	if o.ageing <= 0 || o.ageing > 24*time.Hour {
		return cli.Usagef("--priority-ageing %s: must be more than 0 and at most 24h", o.ageing)
	}
	address, err := listenAddress(o.listen)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	objects, err := file.Open(o.dataDir, file.Options{Log: log, Registerer: registry, MinFree: o.minFree, Kinds: kinds, Admit: kinds.Validate, Idle: debug.FreeOSMemory})
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // what reading the files has taken
	defer func() { err = errors.Join(err, objects.Close()) }()
	archive, err := logfiles.Open(filepath.Join(o.dataDir, "logs"), o.maxLogBytes)
	if err != nil {
		return err
	}
	defer archive.Close()
	happened, err := eventfiles.Open(eventfiles.Options{Dir: filepath.Join(o.dataDir, "events"), MaxBytes: o.maxEventBytes, Log: log, Registerer: registry})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, happened.Close()) }()
	worker, err := datadir.WorkerIdentity(o.dataDir)
	if err != nil {
		return err
	}
	token, err := datadir.OperatorToken(o.dataDir)
	if err != nil {
		return err
	}
	if err := process.AdoptOrphans(ctx); err != nil {
		return err
	}
	// The store's lock is held: whatever carries this worker's identity is left over
	// from a server that died.
	orphans, err := process.Reap(ctx, worker, "")
	if err != nil {
		return err
	}
	if orphans > 0 {
		log.Info("ended processes that a dead server left behind", "processes", orphans)
	}
	if err := ensureDefaultWorkspace(ctx, objects); err != nil {
		return err
	}
	kept, err := openRevisions(o)
	if err != nil {
		return err
	}
	runners, builds, err := newRunners(o, objects, kept, worker, log, registry)
	if err != nil {
		return err
	}
	defer builds.Close()
	defer reloadOnHangup(ctx, o.mcpConfig, builds, log)()
	if n, err := builds.Sweep(ctx); err != nil {
		log.Error(err, "containers of a dead server may be left; looked for again before a job of theirs goes on")
	} else if n > 0 {
		log.Info("removed containers of MCP servers that a dead server left behind", "containers", n)
	}
	outcomes, unread, err := spool.Open(filepath.Join(o.dataDir, "outcomes"))
	if err != nil {
		return err
	}
	for _, err := range unread {
		log.Error(err, "what an attempt came to before the last stop is not told to the store; its job counts as interrupted")
	}
	jobs, err := job.New(job.Options{
		Store: objects, Runners: runners, Spool: outcomes, Logs: archive, Worker: worker,
		MaxConcurrent: o.maxConcurrent, CancelGrace: o.cancelGrace, ShutdownGrace: o.shutdownGrace, Lease: o.lease, Ageing: o.ageing,
		Events: happened, Registerer: registry, Log: log, Rested: debug.FreeOSMemory,
	})
	if err != nil {
		return err
	}
	manager, err := controller.NewManager(objects, log, registry)
	if err != nil {
		return err
	}
	if err := jobs.AddTo(manager); err != nil {
		return err
	}
	api, err := server.New(server.Options{
		Store: objects, Logs: archive, DataDir: o.dataDir, Kinds: kinds, Web: web.Handler(), Registerer: registry, Log: log, Version: cli.Version(),
		Metrics:       promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		Ready:         func(context.Context) error { return cmp.Or(objects.Health(), jobs.Health()) },
		Notices:       func() []string { return slices.Concat(objects.Notices(), builds.Notices()) },
		OperatorToken: token,
		Backup: func(ctx context.Context, w io.Writer) error {
			_, err := objects.Backup(ctx, w)
			return err
		},
		Blockers: jobs.Blockers, Explain: jobs.Explain, Events: happened, Plan: planWith(runners), Revisions: kept, MCP: builds,
	})
	if err != nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return err
	}
	log.Info("serving", "address", "http://"+listener.Addr().String(), "data", o.dataDir, "worker", worker, "maxConcurrentJobs", o.maxConcurrent, "version", cli.Version())
	return serveUntil(ctx, listener, api, manager, log)
}

// serveUntil serves and drives jobs until ctx ends. The API goes on while running
// jobs get their grace, so that people see them end.
func serveUntil(ctx context.Context, listener net.Listener, api http.Handler, manager *controller.Manager, log logr.Logger) error {
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endStreams()
	httpServer := server.HTTPServer(server.CheckLoopback(api))
	httpServer.BaseContext = func(net.Listener) context.Context { return streams }
	httpServer.ErrorLog = slog.NewLogLogger(logr.ToSlogHandler(log), slog.LevelWarn)

	drive, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		err := httpServer.Serve(listener)
		stop() // a server that no one can reach drives no jobs
		served <- err
	}()
	err := manager.Run(drive)
	endStreams()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if shutdownErr := httpServer.Shutdown(closing); shutdownErr != nil {
		httpServer.Close()
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	log.Info("stopped")
	return err
}

// newRunners returns a Runner for each type of job, and the one whose sessions are to be
// closed.
func newRunners(o serveOptions, objects store.Store, kept *revisions.Store, worker string, log logr.Logger, registry prometheus.Registerer) (map[v1.JobType]action.Runner, *mcp.Runner, error) {
	config := &mcp.Config{}
	if o.mcpConfig != "" {
		var err error
		if config, err = mcpconfig.Load(o.mcpConfig); err != nil {
			return nil, nil, fmt.Errorf("--mcp-config: %w; jobwright mcp check FILE says more", err)
		}
	}
	builds, err := mcp.New(mcp.Options{Config: config, MaxSessions: o.mcpSessions, MaxProcesses: o.mcpProcesses, StateDir: filepath.Join(o.dataDir, "mcp-tasks"), Worker: worker, Version: cli.Version(), Log: log, Registerer: registry})
	if err != nil {
		return nil, nil, err
	}
	known := new(secrets.Set)
	if o.secrets != "" {
		if known, err = secrets.Load(o.secrets); err != nil {
			return nil, nil, err
		}
	}
	network, err := newNetwork(o)
	if err != nil {
		return nil, nil, err
	}
	deploys, err := newDeploys(o, objects, kept, worker, known, network)
	if err != nil {
		return nil, nil, err
	}
	return map[v1.JobType]action.Runner{
		v1.JobTypeBuild:  builds,
		v1.JobTypeDeploy: deploys,
		v1.JobTypeAPICall: apicall.New(apicall.Options{
			Network: network, MaxResponse: o.maxResponse, UserAgent: "jobwright/" + cli.Version(), Secrets: known,
			StateDir: filepath.Join(o.dataDir, "api-calls"), Log: log,
		}),
	}, builds, nil
}

// newNetwork is how api_call jobs and the health probes of deploys leave the server.
func newNetwork(o serveOptions) (*outbound.Network, error) {
	var hosts *outbound.Hosts
	if o.outbound != "" {
		var err error
		if hosts, err = outbound.Load(o.outbound); err != nil {
			return nil, err
		}
	}
	return outbound.New(outbound.Options{AllowPrivate: o.allowPrivate, Hosts: hosts}), nil
}

// planWith asks the Runner of a job's type what the job would do.
func planWith(runners map[v1.JobType]action.Runner) func(context.Context, *v1.Job) (*v1.Plan, error) {
	return func(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
		if planner, ok := runners[job.Spec.Type].(action.Planner); ok {
			return planner.Plan(ctx, job)
		}
		return nil, fmt.Errorf("jobs of type %s cannot tell what they would do", job.Spec.Type)
	}
}

// openRevisions opens what is kept of deploys.
func openRevisions(o serveOptions) (*revisions.Store, error) {
	if o.maxRevisions < revisions.MinMax {
		return nil, cli.Usagef("--max-revisions %d: must be at least %d, or there is nothing to roll back to", o.maxRevisions, revisions.MinMax)
	}
	return revisions.Open(filepath.Join(o.dataDir, "revisions"), o.maxRevisions)
}

// newDeploys returns the Runner of deploys, with the secrets that it may pass on.
func newDeploys(o serveOptions, objects store.Store, kept *revisions.Store, worker string, known *secrets.Set, network *outbound.Network) (*compose.Runner, error) {
	since := func(workspace string) (time.Time, error) {
		record, err := objects.Get(context.Background(), store.Key{Kind: v1.KindWorkspace, Name: workspace})
		if errors.Is(err, store.ErrNotFound) {
			return time.Time{}, revisions.ErrNoWorkspace
		}
		if err != nil {
			return time.Time{}, err
		}
		ws, err := record.Workspace()
		if err != nil {
			return time.Time{}, err
		}
		return ws.CreationTimestamp.Time, nil
	}
	return compose.New(compose.Options{Roots: o.composeRoots, Worker: worker, Secrets: known, Revisions: kept, Since: since, Network: network})
}

func ensureDefaultWorkspace(ctx context.Context, objects store.Store) error {
	_, err := objects.Create(ctx, &v1.Workspace{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
		ObjectMeta: metav1.ObjectMeta{Name: v1.DefaultWorkspace},
	})
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrReadOnly) {
		return nil // there already, or to be made when there is room again
	}
	return err
}
