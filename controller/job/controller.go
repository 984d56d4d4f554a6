package job

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/schedule"
	"jobwright.dev/controller/job/spool"
	"jobwright.dev/store"
	"jobwright.dev/store/events"
	"jobwright.dev/store/logs"
	"jobwright.dev/store/table"
)

// Reconcilers is how many jobs are reconciled at once. A reconcile mostly waits for
// the disk, and all that wait share one fdatasync: 64 is where the group commit
// stops gaining on two cores.
const Reconcilers = 64

// Options configure a Controller. Store, Runners, Logs and Worker are required.
type Options struct {
	Store   controller.Store
	Runners map[v1.JobType]action.Runner
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
	// Events takes an event for each transition; nil: nobody does.
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
	DefaultProgressInterval = 250 * time.Millisecond
	// DefaultLease survives two renewals that fail and a pause of the garbage
	// collector or the machine of some seconds; a dead worker's job is taken over
	// within it.
	DefaultLease = 30 * time.Second
	// DefaultAgeing lets a job of priority 0 overtake one of priority 10 that comes
	// ten minutes later.
	DefaultAgeing = time.Minute
)

// Controller drives jobs to their end.
type Controller struct {
	Options
	metrics *metrics
	queue   *controller.Queue[*entry]

	mu         sync.Mutex
	jobs       *table.Table[uuid.UUID, entry]    // every job that is not terminal, as far as known
	waiting    map[store.Key]*entry              // those that depend on others, by name
	dependents map[store.Key]map[*entry]struct{} // who waits for the job with that key
	groups     map[string]*group                 // by qualified concurrency key
	settled    map[uuid.UUID]uint64              // terminal writes whose own events are yet to come
	workspaces map[string]uuid.UUID              // those that the schedule knows
	runTimes   map[v1.JobType]time.Duration      // mean run time, for estimates
	schedule   *schedule.Queue
	wake       wake
	yielded    int           // attempts that have yielded their slot
	resuming   []*resumption // those of them that want one again, in order
	clock      wallClock
	arrivals   uint64
	fresh      controller.FIFO[*entry] // jobs as they came, the looked-at ones at its head left out
	unsure     map[*entry]struct{}     // jobs with policy Skip that wait for those before them
	turn       uint64                  // counts changes of dependencies and searches for cycles
	cached     int                     // entries that hold a decoded job
	started    bool                    // every job that was stored at the start is known
	starting   int                     // attempts that are being written down
	draining   bool                    // no new attempts
	stopping   bool                    // attempts are interrupted
	changed    chan struct{}
}

// rested gives back what a burst has taken.
func (c *Controller) rested() {
	c.mu.Lock()
	c.frontier() // drops what was looked at
	c.fresh.Shrink()
	c.mu.Unlock()
	if c.Rested != nil {
		c.Rested()
	}
}

// New returns a controller that does nothing until its manager runs.
func New(opts Options) (*Controller, error) {
	switch {
	case opts.Store == nil, opts.Logs == nil, len(opts.Runners) == 0:
		return nil, errors.New("controller: Store, Logs and Runners are required")
	case opts.Worker == "":
		return nil, errors.New("controller: Worker is required")
	case opts.MaxConcurrent < 1:
		return nil, fmt.Errorf("controller: MaxConcurrent is %d, must be at least 1", opts.MaxConcurrent)
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
		opts.ProgressInterval = DefaultProgressInterval
	}
	c := &Controller{
		Options: opts,
		jobs:    table.New(table.HashUID[uuid.UUID], (*entry).id), waiting: map[store.Key]*entry{}, settled: map[uuid.UUID]uint64{},
		dependents: map[store.Key]map[*entry]struct{}{}, groups: map[string]*group{},
		workspaces: map[string]uuid.UUID{}, unsure: map[*entry]struct{}{}, runTimes: map[v1.JobType]time.Duration{},
		schedule: schedule.New(schedule.Options{Slots: opts.MaxConcurrent, Ageing: opts.Ageing}),
		changed:  make(chan struct{}),
	}
	c.queue = controller.NewQueue[*entry](c.rested)
	c.metrics = newMetrics(c)
	if opts.Registerer != nil {
		if err := opts.Registerer.Register(c.metrics); err != nil {
			return nil, fmt.Errorf("controller: register metrics: %w", err)
		}
	}
	return c, nil
}

// AddTo adds the controller to a manager. It is called once.
func (c *Controller) AddTo(m *controller.Manager) error {
	return m.Add(&controller.Controller[*entry]{
		Name: "job", Reconciler: c, Queue: c.queue, Workers: Reconcilers, Drain: c.drain,
		// Workspaces come first, so that no job is granted a slot before the limits are known.
		Sources: []controller.Source{c.workspaceSource(), c.jobSource()},
	})
}

// Run runs the controller alone, under a manager of its own.
func (c *Controller) Run(ctx context.Context) error {
	m, err := controller.NewManager(c.Store, c.Log, nil)
	if err != nil {
		return err
	}
	if err := c.AddTo(m); err != nil {
		return err
	}
	return m.Run(ctx)
}

// drain gives running attempts ShutdownGrace, interrupts the rest, and returns when no
// attempt is left and every outcome is written, or kept for the next start.
func (c *Controller) drain() {
	c.mu.Lock()
	c.draining = true
	live := c.live()
	c.mu.Unlock()
	if live > 0 {
		c.Log.Info("waiting for running jobs", "running", live, "grace", c.ShutdownGrace.String())
	}
	grace := time.NewTimer(c.ShutdownGrace)
	defer grace.Stop()
	if !c.waitIdle(grace.C) {
		c.mu.Lock()
		c.stopping = true
		c.Log.Info("interrupting running jobs; the next start runs them again", "running", c.live())
		for e := range c.jobs.All() {
			if e.run != nil {
				c.queue.Add(e)
			}
		}
		c.mu.Unlock()
		c.waitIdle(nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := range c.jobs.All() {
		c.queue.Forget(e)
	}
	if c.wake.timer != nil {
		c.wake.timer.Stop()
	}
}

// mayStart reports whether an attempt may be written down now. Until hasStarted drain waits
// for it.
func (c *Controller) mayStart() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining {
		return false
	}
	c.starting++
	return true
}

// hasStarted tells that the attempt has begun, or was not written down.
func (c *Controller) hasStarted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.starting--
	c.announce()
}

// live is how many attempts begin, run or wait for their outcome to be written.
func (c *Controller) live() int {
	n := c.starting
	for e := range c.jobs.All() {
		if e.run != nil {
			n++
		}
	}
	return n
}

// waitIdle waits until no attempt is live; false: until ended first.
func (c *Controller) waitIdle(until <-chan time.Time) bool {
	for {
		c.mu.Lock()
		live, changed := c.live(), c.changed
		c.mu.Unlock()
		if live == 0 {
			return true
		}
		select {
		case <-changed:
		case <-until:
			return false
		}
	}
}

// announce wakes waitIdle. The caller holds mu.
func (c *Controller) announce() {
	if c.draining {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}
