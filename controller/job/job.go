package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/dispatch"
	"jobwright.dev/controller/job/garbage"
	"jobwright.dev/controller/job/schedule"
	"jobwright.dev/controller/job/spool"
	"jobwright.dev/controller/job/status"
	"jobwright.dev/controller/job/work"
	"jobwright.dev/store/events"
	"jobwright.dev/store/logs"
)

// reconcilers is how many jobs are reconciled at once. A reconcile mostly waits for
// the disk, and all that wait share one fdatasync: 64 is where the group commit
// stops gaining on two cores.
const reconcilers = 64

// Options configure a Controller. Store, Actions, Logs and Worker are required.
type Options struct {
	Store controller.Store
	// Actions are what jobs of each type are carried out by.
	Actions action.Set
	Logs    logs.Store
	// Spool keeps outcomes that the store cannot take until the next start; nil: they are
	// kept in memory only.
	Spool *spool.Spool
	// Worker is this worker's identity; it must be the same after a restart.
	Worker string
	// MaxConcurrent is how many attempts run at once; at least 1.
	MaxConcurrent int
	// Lease is how long the worker owns an attempt without renewing it. It is
	// renewed when a third has passed, in a soft write.
	Lease time.Duration
	// Ageing is the waiting time that is worth one point of priority.
	Ageing time.Duration
	// Events takes an event for each transition; nil: nobody does. One that is an
	// events.Keeper too loses the events of deleted jobs.
	Events events.Recorder
	// CancelGrace is how long an action may take to stop before it is killed.
	CancelGrace time.Duration
	// ShutdownGrace is how long running attempts may go on after Run's context has
	// ended before they are interrupted.
	ShutdownGrace time.Duration
	// ProgressInterval is the least time between two progress writes of one job.
	ProgressInterval time.Duration
	// Rested is called when nothing was to be done for a second after a burst of 10,000
	// reconciles or more: the moment to give memory back. nil: nothing is called.
	Rested func()
	// Registerer takes the metrics; nil: they are counted and not exported.
	Registerer prometheus.Registerer
	Log        logr.Logger
}

// Defaults of Options.
const (
	DefaultCancelGrace      = 10 * time.Second
	DefaultShutdownGrace    = 30 * time.Second
	defaultProgressInterval = 250 * time.Millisecond
	// DefaultLease survives two renewals that fail and a pause of the garbage
	// collector or the machine of some seconds; a dead worker's job is taken over
	// within it.
	DefaultLease  = 30 * time.Second
	DefaultAgeing = schedule.DefaultAgeing
)

// Controller drives jobs to their end: a dispatcher and a worker over one store.
type Controller struct {
	opts     Options
	dispatch *dispatch.Dispatcher
	work     *work.Worker
	garbage  *garbage.Collector
}

// New returns a controller that does nothing until its manager runs.
func New(opts Options) (*Controller, error) {
	switch {
	case opts.Store == nil, opts.Logs == nil, len(opts.Actions) == 0:
		return nil, errors.New("job controller: Store, Logs and Actions are required")
	case opts.Worker == "":
		return nil, errors.New("job controller: Worker is required")
	case opts.MaxConcurrent < 1:
		return nil, fmt.Errorf("job controller: MaxConcurrent is %d, must be at least 1", opts.MaxConcurrent)
	}
	if err := opts.Actions.Check(); err != nil {
		return nil, fmt.Errorf("job controller: %w", err)
	}
	if opts.CancelGrace <= 0 {
		opts.CancelGrace = DefaultCancelGrace
	}
	if opts.Lease <= 0 {
		opts.Lease = DefaultLease
	}
	if opts.Ageing <= 0 {
		opts.Ageing = DefaultAgeing
	}
	if opts.ProgressInterval <= 0 {
		opts.ProgressInterval = defaultProgressInterval
	}
	counted := status.NewMetrics()
	writer := &status.Writer{Store: opts.Store, Events: opts.Events, Metrics: counted}
	c := &Controller{opts: opts}
	c.work = work.New(work.Options{
		Store: opts.Store, Status: writer, Actions: opts.Actions, Logs: opts.Logs, Spool: opts.Spool, Name: opts.Worker, Lease: opts.Lease,
		CancelGrace: opts.CancelGrace, ShutdownGrace: opts.ShutdownGrace, ProgressInterval: opts.ProgressInterval, Log: opts.Log,
	})
	c.garbage = garbage.New(opts.Store, opts.Log, keepers(opts)...)
	c.dispatch = dispatch.New(dispatch.Options{
		Store: opts.Store, Status: writer, Worker: c.work, Garbage: c.garbage, Name: opts.Worker, Key: opts.Actions.Key, Slots: opts.MaxConcurrent,
		Lease: opts.Lease, Ageing: opts.Ageing, Rested: opts.Rested, Log: opts.Log,
	})
	c.work.For(c.dispatch)
	if opts.Registerer != nil {
		for _, collector := range []prometheus.Collector{counted, c.dispatch.Metrics(), c.work.Metrics()} {
			if err := opts.Registerer.Register(collector); err != nil {
				return nil, fmt.Errorf("job controller: register metrics: %w", err)
			}
		}
	}
	return c, nil
}

// keepers are who keeps something of jobs beside their objects.
func keepers(opts Options) []action.Keeper {
	all := []action.Keeper{garbage.Logs(opts.Logs)}
	if kept, ok := opts.Events.(events.Keeper); ok {
		all = append(all, garbage.Events(kept))
	}
	for _, t := range opts.Actions {
		if t.Keeper != nil {
			all = append(all, t.Keeper)
		}
	}
	return all
}

// AddTo adds the controller to a manager. It is called once. At the end the dispatcher
// drains first, so that nothing begins while the worker waits for what runs.
func (c *Controller) AddTo(m *controller.Manager) error {
	if err := m.Add(c.garbage.Controller()); err != nil {
		return err
	}
	if err := m.Add(c.work.Controller(reconcilers)); err != nil {
		return err
	}
	return m.Add(c.dispatch.Controller(reconcilers, c.recall))
}

// recall takes in what the process before has left.
func (c *Controller) recall(ctx context.Context) error {
	if err := c.work.RecallOutcomes(ctx); err != nil {
		return err
	}
	return c.dispatch.RecallRates(ctx)
}

// Run runs the controller alone, under a manager of its own.
func (c *Controller) Run(ctx context.Context) error {
	m, err := controller.NewManager(c.opts.Store, c.opts.Log, nil)
	if err != nil {
		return err
	}
	if err := c.AddTo(m); err != nil {
		return err
	}
	return m.Run(ctx)
}

// Blockers says why a queued job does not run; none when it is not queued, or starts
// right now.
func (c *Controller) Blockers(ctx context.Context, job *v1.Job) ([]v1.Blocker, error) {
	return c.dispatch.Blockers(ctx, job)
}

// Explain says why a job is where it is.
func (c *Controller) Explain(ctx context.Context, job *v1.Job) (*v1.JobExplanation, error) {
	return c.dispatch.Explain(ctx, job)
}

// Health says why the controller starts no job; nil: it does.
func (c *Controller) Health() error { return c.dispatch.Health() }
