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
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller"
	"jobwright.dev/controller/job"
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
		Ready:         func(context.Context) error { return cmp.Or(f.store.Health(), jobs.Health()) },
		Notices:       func() []string { return slices.Concat(f.store.Notices(), a.mcp.Notices()) },
		OperatorToken: f.token,
		Backup: func(ctx context.Context, w io.Writer) error {
			_, err := f.store.Backup(ctx, w)
			return err
		},
		Blockers: jobs.Blockers, Explain: jobs.Explain, Plan: a.Plan, Revisions: f.revisions, MCP: a.mcp,
	})
}
