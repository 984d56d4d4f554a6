package job_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"jobwright.dev/controller"
	"jobwright.dev/controller/job"
)

// TestAStatusWriteIsNotAnsweredWithAReconcile counts reconciles: a job is read, is started
// when its turn has come, and ends. The events of the two writes come back to the
// dispatcher at any moment around them, and say nothing that it does not know.
func TestAStatusWriteIsNotAnsweredWithAReconcile(t *testing.T) {
	const jobs = 100
	e := newEnvironment(t, succeed)
	defer e.archive.Close()
	defer e.store.Close()
	e.opts.ShutdownGrace = time.Minute // the last job may be seen to end before its attempt is done with
	registry := prometheus.NewPedanticRegistry()
	m, err := controller.NewManager(e.store, logr.Discard(), registry)
	if err != nil {
		t.Fatal(err)
	}
	c, err := job.New(e.opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddTo(m); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for i := range jobs {
		e.create(fmt.Sprint("job-", i))
	}
	for i := range jobs {
		e.until(fmt.Sprint("job-", i), terminal)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	reconciles := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "jobwright_reconcile_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "controller" {
					reconciles[label.GetValue()] += metric.GetCounter().GetValue()
				}
			}
		}
	}
	if reconciles["job-dispatch"] != 2*jobs || reconciles["job-work"] != jobs {
		t.Errorf("%d jobs took reconciles %v, want 2 of the dispatcher and 1 of the worker for each", jobs, reconciles)
	}
}
