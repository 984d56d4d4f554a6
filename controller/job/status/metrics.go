package status

import (
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
)

// buckets cover what a job waits and runs: from the milliseconds of a record to the
// hours of a build, in factors of about three.
var buckets = []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30, 100, 300, 1000, 3600, 10800}

// Metrics count transitions. Their label sets are closed: workspaces, types, phases and
// reasons, never a job.
type Metrics struct {
	finished      *prometheus.CounterVec
	attempts      *prometheus.CounterVec
	interruptions *prometheus.CounterVec
	queueWait     *prometheus.HistogramVec
	runTime       *prometheus.HistogramVec

	// The counters of each set of labels, which are looked up once.
	mu     sync.RWMutex
	starts map[startLabels]startCounters
	ends   map[endLabels]endCounters
}

type startLabels struct {
	workspace string
	jobType   v1.JobType
}

type startCounters struct {
	attempts  prometheus.Counter
	queueWait prometheus.Observer
}

type endLabels struct {
	startLabels
	phase  v1.JobPhase
	reason string
}

type endCounters struct {
	finished prometheus.Counter
	runTime  prometheus.Observer
}

// NewMetrics returns metrics that have counted nothing.
func NewMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jobwright_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "jobwright_" + name, Help: help, Buckets: buckets}, labels)
	}
	return &Metrics{
		starts: map[startLabels]startCounters{}, ends: map[endLabels]endCounters{},

		finished:      counter("jobs_finished_total", "Jobs that reached a terminal phase.", "workspace", "type", "result", "reason"),
		attempts:      counter("job_attempts_total", "Attempts that were started.", "workspace", "type"),
		interruptions: counter("job_interruptions_total", "Attempts that were lost without an outcome.", "workspace", "type"),
		queueWait:     histogram("job_queue_wait_seconds", "Time from a job's creation to its first start.", "workspace", "type"),
		runTime:       histogram("job_run_seconds", "Time from a job's first start to its end.", "workspace", "type", "result"),
	}
}

func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.finished, m.attempts, m.interruptions, m.queueWait, m.runTime}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, collector := range m.collectors() {
		collector.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, collector := range m.collectors() {
		collector.Collect(ch)
	}
}

// transition counts a status that was written.
func (m *Metrics) transition(job *v1.Job, before v1.JobPhase, now time.Time) {
	status := &job.Status
	labels := startLabels{job.Namespace, job.Spec.Type}
	started, terminal := status.Phase == v1.JobRunning && before != v1.JobRunning, status.Phase.Terminal()
	if started || terminal {
		start := m.start(labels)
		if started {
			start.attempts.Inc()
		}
		if status.StartTime != nil && status.StartTime.Time.Equal(now.Truncate(0)) && (started && status.Attempts == 1 || terminal) {
			start.queueWait.Observe(max(now.Sub(v1.CreatedAt(job)), 0).Seconds())
		}
	}
	if status.Reason == v1.ReasonInterrupted || status.Reason == v1.ReasonTooManyInterruptions {
		m.interruptions.WithLabelValues(job.Namespace, string(job.Spec.Type)).Inc()
	}
	if terminal {
		end := m.end(endLabels{labels, status.Phase, status.Reason})
		end.finished.Inc()
		if status.StartTime != nil {
			end.runTime.Observe(max(now.Sub(status.StartTime.Time), 0).Seconds())
		}
	}
}

// Forget ends the series of a workspace that is gone.
func (m *Metrics) Forget(workspace string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.starts, func(l startLabels, _ startCounters) bool { return l.workspace == workspace })
	maps.DeleteFunc(m.ends, func(l endLabels, _ endCounters) bool { return l.workspace == workspace })
	gone := prometheus.Labels{"workspace": workspace}
	m.finished.DeletePartialMatch(gone)
	m.attempts.DeletePartialMatch(gone)
	m.interruptions.DeletePartialMatch(gone)
	m.queueWait.DeletePartialMatch(gone)
	m.runTime.DeletePartialMatch(gone)
}

func (m *Metrics) start(l startLabels) startCounters {
	m.mu.RLock()
	known, ok := m.starts[l]
	m.mu.RUnlock()
	if ok {
		return known
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known = startCounters{
		attempts:  m.attempts.WithLabelValues(l.workspace, string(l.jobType)),
		queueWait: m.queueWait.WithLabelValues(l.workspace, string(l.jobType)),
	}
	m.interruptions.WithLabelValues(l.workspace, string(l.jobType)) // so that the first one is an increase
	m.starts[l] = known
	return known
}

func (m *Metrics) end(l endLabels) endCounters {
	m.mu.RLock()
	known, ok := m.ends[l]
	m.mu.RUnlock()
	if ok {
		return known
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known = endCounters{
		finished: m.finished.WithLabelValues(l.workspace, string(l.jobType), string(l.phase), l.reason),
		runTime:  m.runTime.WithLabelValues(l.workspace, string(l.jobType), string(l.phase)),
	}
	m.ends[l] = known
	return known
}
