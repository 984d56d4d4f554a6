package job

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
)

// buckets cover what a job waits and runs: from the milliseconds of a record to the
// hours of a build, in factors of about three.
var buckets = []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30, 100, 300, 1000, 3600, 10800}

// metrics counts what the controller does. Its label sets are closed: workspaces,
// types, phases and reasons, never a job.
type metrics struct {
	c *Controller

	finished       *prometheus.CounterVec
	attempts       *prometheus.CounterVec
	interruptions  *prometheus.CounterVec
	queueWait      *prometheus.HistogramVec
	runTime        *prometheus.HistogramVec
	jobs           *prometheus.Desc
	oldestQueued   *prometheus.Desc
	oldestProgress *prometheus.Desc
	withoutLease   *prometheus.Desc
}

func newMetrics(c *Controller) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jobwright_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "jobwright_" + name, Help: help, Buckets: buckets}, labels)
	}
	return &metrics{
		c:             c,
		finished:      counter("jobs_finished_total", "Jobs that reached a terminal phase.", "workspace", "type", "result", "reason"),
		attempts:      counter("job_attempts_total", "Attempts that were started.", "workspace", "type"),
		interruptions: counter("job_interruptions_total", "Attempts that were lost without an outcome.", "workspace", "type"),
		queueWait:     histogram("job_queue_wait_seconds", "Time from a job's creation to its first start.", "workspace", "type"),
		runTime:       histogram("job_run_seconds", "Time from a job's first start to its end.", "workspace", "type", "result"),
		jobs:          prometheus.NewDesc("jobwright_jobs", "Jobs by phase.", []string{"workspace", "type", "phase"}, nil),
		oldestQueued: prometheus.NewDesc("jobwright_jobs_oldest_queued_age_seconds",
			"Age of the oldest job that is queued and waits for nothing but its turn and limits.", []string{"workspace"}, nil),
		withoutLease: prometheus.NewDesc("jobwright_jobs_without_lease",
			"Jobs whose attempt no worker has given a sign of life for since its lease ended.", []string{"workspace"}, nil),
		oldestProgress: prometheus.NewDesc("jobwright_job_oldest_progress_age_seconds",
			"Time since the running job that has been silent longest gave output or progress.", []string{"workspace", "type"}, nil),
	}
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.finished, m.attempts, m.interruptions, m.queueWait, m.runTime}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, collector := range m.collectors() {
		collector.Describe(ch)
	}
	ch <- m.jobs
	ch <- m.oldestQueued
	ch <- m.oldestProgress
	ch <- m.withoutLease
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, collector := range m.collectors() {
		collector.Collect(ch)
	}
	counts, err := m.c.Store.Count(context.Background(), v1.KindJob)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(m.jobs, err)
	}
	for _, n := range counts {
		ch <- prometheus.MustNewConstMetric(m.jobs, prometheus.GaugeValue, float64(n.N), n.Namespace, string(n.Type), string(n.Phase))
	}
	m.collectAges(ch, time.Now())
}

func (m *metrics) collectAges(ch chan<- prometheus.Metric, now time.Time) {
	type group struct {
		workspace string
		jobType   v1.JobType
	}
	silent, lost := map[group]time.Duration{}, map[string]int{}
	m.c.mu.Lock()
	for e := range m.c.jobs.All() {
		workspace := e.workspace.Value()
		lost[workspace] += 0 // so that an alert sees it come to an end
		switch {
		case e.run != nil:
			g := group{workspace, e.run.jobType}
			silent[g] = max(silent[g], now.Sub(e.run.active()))
		case e.some().lease != 0 && !e.finished && now.UnixMicro() > e.some().lease:
			lost[workspace]++
		}
	}
	queued := m.c.schedule.Oldest(now) // what is suspended, waits for another job or for its time is not stuck
	m.c.mu.Unlock()
	for workspace, n := range lost {
		ch <- prometheus.MustNewConstMetric(m.withoutLease, prometheus.GaugeValue, float64(n), workspace)
	}
	for workspace, since := range queued {
		ch <- prometheus.MustNewConstMetric(m.oldestQueued, prometheus.GaugeValue, now.Sub(since).Seconds(), workspace)
	}
	for g, age := range silent {
		ch <- prometheus.MustNewConstMetric(m.oldestProgress, prometheus.GaugeValue, age.Seconds(), g.workspace, string(g.jobType))
	}
}

// transition counts a status that was written.
func (m *metrics) transition(job *v1.Job, before v1.JobPhase, now time.Time) {
	workspace, jobType, status := job.Namespace, string(job.Spec.Type), &job.Status
	started := status.Phase == v1.JobRunning && before != v1.JobRunning
	if started {
		m.attempts.WithLabelValues(workspace, jobType).Inc()
	}
	if status.StartTime != nil && status.StartTime.Time.Equal(now.Truncate(0)) && (started && status.Attempts == 1 || status.Phase.Terminal()) {
		m.queueWait.WithLabelValues(workspace, jobType).Observe(max(now.Sub(v1.CreatedAt(job)), 0).Seconds())
	}
	if status.Reason == v1.ReasonInterrupted || status.Reason == v1.ReasonTooManyInterruptions {
		m.interruptions.WithLabelValues(workspace, jobType).Inc()
	}
	if status.Phase.Terminal() {
		result := string(status.Phase)
		m.finished.WithLabelValues(workspace, jobType, result, status.Reason).Inc()
		if status.StartTime != nil {
			m.runTime.WithLabelValues(workspace, jobType, result).Observe(max(now.Sub(status.StartTime.Time), 0).Seconds())
		}
	}
}
