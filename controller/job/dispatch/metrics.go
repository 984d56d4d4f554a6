package dispatch

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
)

// Metrics are gauges of the queue, computed when they are asked for.
type Metrics struct {
	d            *Dispatcher
	jobs         *prometheus.Desc
	oldestQueued *prometheus.Desc
	withoutLease *prometheus.Desc
	slots        *prometheus.Desc
	slotsTaken   *prometheus.Desc
}

// Metrics returns the gauges of the queue.
func (d *Dispatcher) Metrics() *Metrics {
	return &Metrics{
		d:    d,
		jobs: prometheus.NewDesc("jobwright_jobs", "Jobs by phase.", []string{"workspace", "type", "phase"}, nil),
		oldestQueued: prometheus.NewDesc("jobwright_jobs_oldest_queued_age_seconds",
			"Age of the oldest job that is queued and waits for nothing but its turn and limits.", []string{"workspace"}, nil),
		withoutLease: prometheus.NewDesc("jobwright_jobs_without_lease",
			"Jobs whose attempt no worker has given a sign of life for since its lease ended.", []string{"workspace"}, nil),
		slots:      prometheus.NewDesc("jobwright_slots", "How many attempts run at once at most.", nil, nil),
		slotsTaken: prometheus.NewDesc("jobwright_slots_taken", "Slots that attempts hold.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.jobs
	ch <- m.oldestQueued
	ch <- m.withoutLease
	ch <- m.slots
	ch <- m.slotsTaken
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	counts, err := m.d.Store.Count(context.Background(), v1.KindJob)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(m.jobs, err)
	}
	for _, n := range counts {
		ch <- prometheus.MustNewConstMetric(m.jobs, prometheus.GaugeValue, float64(n.N), n.Namespace, string(n.Type), string(n.Phase))
	}
	m.collectAges(ch, time.Now())
}

func (m *Metrics) collectAges(ch chan<- prometheus.Metric, now time.Time) {
	lost := map[string]int{}
	m.d.mu.Lock()
	for e := range m.d.jobs.All() {
		workspace := e.workspace.Value()
		lost[workspace] += 0 // so that an alert sees it come to an end
		if lease := e.readExtra().lease; lease != 0 && !e.finished && !e.atWork && now.UnixMicro() > lease {
			lost[workspace]++
		}
	}
	queued := m.d.schedule.Oldest(now) // what is suspended, waits for another job or for its time is not stuck
	taken := m.d.schedule.Taken()
	m.d.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(m.slots, prometheus.GaugeValue, float64(m.d.Slots))
	ch <- prometheus.MustNewConstMetric(m.slotsTaken, prometheus.GaugeValue, float64(taken))
	for workspace, n := range lost {
		ch <- prometheus.MustNewConstMetric(m.withoutLease, prometheus.GaugeValue, float64(n), workspace)
	}
	for workspace, since := range queued {
		ch <- prometheus.MustNewConstMetric(m.oldestQueued, prometheus.GaugeValue, now.Sub(since).Seconds(), workspace)
	}
}
