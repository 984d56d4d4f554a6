package file

import "github.com/prometheus/client_golang/prometheus"

// metrics counts what the archive takes, keeps and loses.
type metrics struct {
	a        *Archive
	appended prometheus.Counter
	dropped  prometheus.Counter
	errors   prometheus.Counter
	damaged  prometheus.Counter
	bytes    *prometheus.Desc
}

func newMetrics(a *Archive) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "jobwright_events_" + name, Help: help})
	}
	return &metrics{
		a:        a,
		appended: counter("written_total", "Events that were written."),
		dropped:  counter("dropped_total", "Events that were not written: no room in the buffer, or the disk refused them."),
		errors:   counter("errors_total", "Reads and writes of event files that failed."),
		damaged:  counter("damaged_lines_total", "Lines of event files that are no events and were passed over."),
		bytes:    prometheus.NewDesc("jobwright_events_bytes", "Size of the event files.", nil, nil),
	}
}

func (m *metrics) counters() []prometheus.Counter {
	return []prometheus.Counter{m.appended, m.dropped, m.errors, m.damaged}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.counters() {
		c.Describe(ch)
	}
	ch <- m.bytes
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.counters() {
		c.Collect(ch)
	}
	var bytes int64
	m.a.mu.Lock()
	for _, s := range m.a.segments {
		bytes += s.size
	}
	m.a.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(m.bytes, prometheus.GaugeValue, float64(bytes))
}
