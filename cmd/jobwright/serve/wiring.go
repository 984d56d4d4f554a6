package serve

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"runtime/debug"
	"slices"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"jobwright.dev/api/server"
	"jobwright.dev/api/server/auth"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/job"
	"jobwright.dev/store/file"
	"jobwright.dev/web"
)

// newController returns the controller of jobs and the manager that runs it.
func (s setup) newController(f *folder, a *actions) (*job.Controller, *controller.Manager, error) {
	jobs, err := job.New(job.Options{
		Store: f.store, Actions: a.Set, Spool: f.outcomes, Logs: f.logs, Worker: f.worker,
		MaxConcurrent: s.maxConcurrent, CancelGrace: s.cancelGrace, ShutdownGrace: s.shutdownGrace, Lease: s.lease, Ageing: s.ageing,
		Events: f.events, Registerer: s.metrics, Log: s.log, Rested: debug.FreeOSMemory,
	})
	if err != nil {
		return nil, nil, err
	}
	manager, err := controller.NewManager(f.store, s.log, s.metrics)
	if err != nil {
		return nil, nil, err
	}
	return jobs, manager, jobs.AddTo(manager)
}

// newAPI returns the server of the API and the page.
func (s setup) newAPI(f *folder, a *actions, jobs *job.Controller) (http.Handler, error) {
	return server.New(server.Options{
		Store: f.store, Logs: f.logs, Events: f.events, Kinds: s.kinds, DataDir: s.dataDir,
		Web: web.Handler(), Registerer: s.metrics, Log: s.log, Version: cli.Version(),
		Metrics:       promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}),
		Authenticator: auth.Loopback{Credentials: auth.OperatorToken(f.token)},
		Worker:        worker{Explainer: jobs, Planner: a, RevisionHistory: f.revisions, ProjectKeeper: projects{a.compose}, MCPServers: a.mcp},
		Operator:      operator{f.store, jobs, a.mcp},
	})
}

// worker answers the server for the worker in this process.
type worker struct {
	server.Explainer
	server.Planner
	server.RevisionHistory
	server.ProjectKeeper
	server.MCPServers
}

// operator answers the server for this process.
type operator struct {
	store *file.Store
	jobs  *job.Controller
	mcp   *mcp.Runner
}

// Ready implements server.Operator.
func (o operator) Ready(context.Context) error { return cmp.Or(o.store.Ready(), o.jobs.Health()) }

// Notices implements server.Operator.
func (o operator) Notices() []string { return slices.Concat(o.store.Notices(), o.mcp.Notices()) }

// Backup implements server.Operator.
func (o operator) Backup(ctx context.Context, w io.Writer) error {
	_, err := o.store.Backup(ctx, w)
	return err
}
