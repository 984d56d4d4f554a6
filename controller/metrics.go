package controller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count reconciles by the controller's name.
type metrics struct {
	total *prometheus.CounterVec
	time  *prometheus.HistogramVec
}

func newMetrics() *metrics {
	return &metrics{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jobwright_reconcile_total", Help: "Reconciles by controller and result: success, error (tried again), terminal (not tried again).",
		}, []string{"controller", "result"}),
		time: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "jobwright_reconcile_seconds", Help: "Time of one reconcile, its write included.",
			Buckets: []float64{.00001, .0001, .0003, .001, .003, .01, .03, .1, .3, 1, 3},
		}, []string{"controller"}),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	m.total.Describe(ch)
	m.time.Describe(ch)
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.total.Collect(ch)
	m.time.Collect(ch)
}

// reconciles are the metrics of one controller.
type reconciles struct {
	succeeded, failed, terminal prometheus.Counter
	time                        prometheus.Observer
}

func (m *metrics) of(controller string) *reconciles {
	return &reconciles{
		succeeded: m.total.WithLabelValues(controller, "success"),
		failed:    m.total.WithLabelValues(controller, "error"),
		terminal:  m.total.WithLabelValues(controller, "terminal"),
		time:      m.time.WithLabelValues(controller),
	}
}

func (r *reconciles) observe(err error, took time.Duration) {
	switch {
	case err == nil:
		r.succeeded.Inc()
	case isTerminal(err):
		r.terminal.Inc()
	default:
		r.failed.Inc()
	}
	r.time.Observe(took.Seconds())
}
