package serve

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller/action"
)

// setup holds the options and the shared parts (logger, metrics, kinds) of every component.
type setup struct {
	options
	kinds   v1.KindSet
	more    []action.Maker // beside those that the server always has
	log     logr.Logger
	metrics *prometheus.Registry
}

// run runs the server until ctx ends: it opens the data folder, recovers what the last
// server left, wires actions, controller and API, serves, and shuts down in order.
func run(ctx context.Context, o options, streams cli.Streams, kinds v1.KindSet, more []action.Maker) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	address, err := listenAddress(o.listen)
	if err != nil {
		return err
	}
	log := newLogger(o.logFormat, streams.Err)
	spareProcessor()
	s := setup{options: o, kinds: kinds, more: more, log: log, metrics: newMetrics()}

	folder, err := s.openFolder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.close()) }()
	if err := s.recoverFolder(ctx, folder); err != nil {
		return err
	}
	defer s.warnOfFullDisk(ctx, folder.store)()

	actions, err := s.newActions(folder)
	if err != nil {
		return err
	}
	defer actions.Close()
	defer reloadOnHangup(ctx, o.mcpConfig, actions.mcp, log)()
	s.sweepContainers(ctx, actions.mcp)
	jobs, manager, err := s.newController(folder, actions)
	if err != nil {
		return err
	}
	api, err := s.newAPI(folder, actions, jobs)
	if err != nil {
		return err
	}

	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return err
	}
	log.Info("serving", "address", "http://"+listener.Addr().String(), "data", o.dataDir, "worker", folder.worker, "maxConcurrentJobs", o.maxConcurrent, "version", cli.Version())
	return serveUntil(ctx, listener, api, manager, log)
}

func newMetrics() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	return registry
}

// buildInfo is a metric whose labels tell which build serves.
func buildInfo() prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "jobwright_build_info", Help: "1; the labels tell which build serves.",
		ConstLabels: prometheus.Labels{"version": cli.Version(), "revision": cli.Revision(), "goversion": runtime.Version()},
	})
	info.Set(1)
	return info
}

// spareProcessor raises GOMAXPROCS by one, unless the environment sets it. Under load one
// goroutine is nearly always blocked in fdatasync, and the runtime notices only after a
// while that its processor is free. On two cores the spare one adds a third of the
// throughput (BenchmarkDrain with -cpu 2 and 3).
func spareProcessor() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
