package file

import (
	"errors"
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator sees of the store.
type metrics struct {
	commitSeconds     prometheus.Histogram
	checkpointSeconds prometheus.Histogram
	writeErrors       prometheus.Counter
	collectors        []prometheus.Collector
}

func newMetrics(s *Store) *metrics {
	m := &metrics{
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "jobwright_store_commit_seconds",
			Help:    "Time to write one commit to the journal and to make it durable.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16),
		}),
		checkpointSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "jobwright_store_checkpoint_seconds",
			Help:    "Time to rewrite jobs.json.",
			Buckets: prometheus.ExponentialBuckets(1e-3, 4, 10),
		}),
		writeErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "jobwright_store_write_errors_total",
			Help: "Writes that the disk has refused; after most of them the store is read-only for a while.",
		}),
	}
	m.collectors = []prometheus.Collector{
		m.commitSeconds, m.checkpointSeconds, m.writeErrors,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "jobwright_store_journal_bytes",
			Help: "Bytes in the journal that jobs.json does not have yet.",
		}, func() float64 { return float64(s.checkpoints.behind(s)) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "jobwright_store_read_only",
			Help: "1 while the store takes no write, because one has failed or its files are not where they were opened; else 0.",
		}, s.readOnly),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "jobwright_store_free_bytes",
			Help: "Free space on the disk of the store; NaN when the system does not tell.",
		}, s.freeBytes),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "jobwright_store_min_free_bytes",
			Help: "Free space below which no new work is taken; 0: that is not checked.",
		}, func() float64 { return float64(max(s.opts.MinFree, 0)) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "jobwright_store_resource_version",
			Help: "The version of the last visible change.",
		}, func() float64 {
			s.mu.RLock()
			defer s.mu.RUnlock()
			return float64(s.visible)
		}),
	}
	for _, kind := range s.kinds {
		m.collectors = append(m.collectors, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "jobwright_store_objects",
			Help:        "Objects in the store.",
			ConstLabels: prometheus.Labels{"kind": kind.Name},
		}, func() float64 {
			s.mu.RLock()
			defer s.mu.RUnlock()
			return float64(s.index.kinds[kind.Name].byKey.Len())
		}))
	}
	return m
}

// readOnly is 1 while writes are refused.
func (s *Store) readOnly() float64 {
	if s.Health() != nil || s.inPlace() != nil {
		return 1
	}
	return 0
}

func (s *Store) freeBytes() float64 {
	free, err := s.fsys.Free(s.dir)
	if err != nil {
		return math.NaN()
	}
	return float64(free)
}

func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	var err error
	for _, c := range m.collectors {
		err = errors.Join(err, r.Register(c))
	}
	return err
}

func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.collectors {
		r.Unregister(c)
	}
}
