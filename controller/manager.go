package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
)

// Manager runs controllers over one store.
type Manager struct {
	store       Store
	log         logr.Logger
	metrics     *metrics
	controllers []runnable
}

// NewManager returns a manager without controllers. registerer takes the metrics; nil:
// they are counted and not exported.
func NewManager(objects Store, log logr.Logger, registerer prometheus.Registerer) (*Manager, error) {
	if objects == nil {
		return nil, errors.New("controller manager: a store is required")
	}
	m := &Manager{store: objects, log: log, metrics: newMetrics()}
	if registerer != nil {
		if err := registerer.Register(m.metrics); err != nil {
			return nil, fmt.Errorf("controller manager: register metrics: %w", err)
		}
	}
	return m, nil
}

// Controller is one controller: its sources, its queue and its reconciler.
type Controller[T Item] struct {
	// Name is the controller's in metrics and logs, one of a closed set: "job".
	Name       string
	Reconciler Reconciler[T]
	// Queue is where handlers and reconciles ask for reconciles.
	Queue *Queue[T]
	// Sources are followed in this order, each once the one before has been listed.
	Sources []Source
	// Workers is how many items are reconciled at once; at least 1.
	Workers int
	// Drain ends what the controller has begun, and returns when that has ended; nil: there
	// is nothing to end. It is called after the sources have ended; reconciles go on meanwhile.
	Drain func()
}

// runnable is a Controller of any type of item.
type runnable interface {
	name() string
	follow(ctx context.Context, m *Manager) error
	work(ctx context.Context, m *Manager)
	drain()
	stop()
}

// Add adds a controller. It is called before Run.
func (m *Manager) Add(c runnable) error {
	for _, other := range m.controllers {
		if other.name() == c.name() {
			return fmt.Errorf("controller manager: there is a controller %q already", c.name())
		}
	}
	m.controllers = append(m.controllers, c)
	return nil
}

// Run runs all controllers until ctx ends or the store is closed, which is the only error.
// Then the sources end, each controller drains, the last added first, while all of them go
// on reconciling, and all stop. It is called once.
func (m *Manager) Run(ctx context.Context) error {
	// Reconciles are not canceled with ctx: a write that has begun must finish.
	lasting := context.WithoutCancel(ctx)
	var working sync.WaitGroup
	for _, c := range m.controllers {
		working.Go(func() { c.work(lasting, m) })
	}
	err := m.follow(ctx)
	for i := range m.controllers {
		m.controllers[len(m.controllers)-1-i].drain()
	}
	for _, c := range m.controllers {
		c.stop()
	}
	working.Wait()
	return err
}

// follow follows the sources of all controllers until ctx ends or one finds the store
// closed.
func (m *Manager) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(m.controllers))
	for _, c := range m.controllers {
		go func() {
			defer cancel()
			ended <- c.follow(ctx, m)
		}()
	}
	var err error
	for range m.controllers {
		err = errors.Join(err, <-ended)
	}
	return err
}

func (c *Controller[T]) name() string { return c.Name }

func (c *Controller[T]) follow(ctx context.Context, m *Manager) error {
	err := followAll(ctx, m.store, m.log.WithValues("controller", c.Name), c.Sources...)
	if err == nil {
		<-ctx.Done() // a controller without sources is no reason to end
	}
	return err
}

func (c *Controller[T]) work(ctx context.Context, m *Manager) {
	var workers sync.WaitGroup
	counted := m.metrics.of(c.Name)
	log := m.log.WithValues("controller", c.Name)
	for range max(c.Workers, 1) {
		workers.Go(func() {
			for {
				item, ok := c.Queue.get()
				if !ok {
					return
				}
				c.once(ctx, item, counted, log)
			}
		})
	}
	workers.Wait()
}

// doubled reports whether a failure is worth a log line: the first in a row, the second,
// the fourth and so on, so that what fails for an hour is told a dozen times.
func doubled(failures int) bool { return failures&(failures-1) == 0 }

// once reconciles one item.
func (c *Controller[T]) once(ctx context.Context, item T, counted *reconciles, log logr.Logger) {
	start := time.Now()
	result, err := c.Reconciler.Reconcile(ctx, item)
	counted.observe(err, time.Since(start))
	wait, failures := c.Queue.done(item, result, err)
	switch {
	case err == nil:
	case isTerminal(err):
		log.Error(err, "reconcile; not tried again before the object changes")
	case doubled(failures):
		log.Error(err, "reconcile; trying again", "failures", failures, "in", wait.String())
	}
}

func (c *Controller[T]) drain() {
	if c.Drain != nil {
		c.Drain()
	}
}

func (c *Controller[T]) stop() { c.Queue.close() }
