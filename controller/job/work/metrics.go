package work

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
)

// Metrics are gauges of what is at work, computed when they are asked for.
type Metrics struct {
	w              *Worker
	oldestProgress *prometheus.Desc
}

// Metrics returns the gauges of what is at work.
func (w *Worker) Metrics() *Metrics {
	return &Metrics{w: w, oldestProgress: prometheus.NewDesc("jobwright_job_oldest_progress_age_seconds",
		"Time since the running job that has been silent longest gave output or progress.", []string{"workspace", "type"}, nil)}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) { ch <- m.oldestProgress }

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	type group struct {
		workspace string
		jobType   v1.JobType
	}
	now, silent := time.Now(), map[group]time.Duration{}
	m.w.mu.Lock()
	for _, x := range m.w.live {
		g := group{x.key.Namespace, x.jobType}
		silent[g] = max(silent[g], now.Sub(x.active()))
	}
	m.w.mu.Unlock()
	for g, age := range silent {
		ch <- prometheus.MustNewConstMetric(m.oldestProgress, prometheus.GaugeValue, age.Seconds(), g.workspace, string(g.jobType))
	}
}
