package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests by route (never by path), created jobs and repeated answers.
type metrics struct {
	requests *prometheus.HistogramVec
	created  *prometheus.CounterVec
	replayed *prometheus.CounterVec
}

func newMetrics() *metrics {
	return &metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "jobwright_http_request_seconds", Help: "Time of a request by route, method and status code; streams count until they end.",
			Buckets: []float64{.0003, .001, .003, .01, .03, .1, .3, 1, 3, 10},
		}, []string{"route", "method", "code"}),
		created: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jobwright_jobs_created_total", Help: "Jobs that were created.",
		}, []string{"workspace", "type"}),
		replayed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jobwright_creations_replayed_total", Help: "Creations that were answered again by their Idempotency-Key; workspace is empty for objects of the cluster.",
		}, []string{"workspace"}),
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.requests, m.created, m.replayed} {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// forget ends the series of a workspace that is gone.
func (m *metrics) forget(workspace string) {
	gone := prometheus.Labels{"workspace": workspace}
	m.created.DeletePartialMatch(gone)
	m.replayed.DeletePartialMatch(gone)
}

// observer records one request: its method, the status code of its answer, and how long
// it took.
type observer func(method string, code int, took time.Duration)

// observer returns the observer of a route, whose label is route.
func (m *metrics) observer(route string) observer {
	requests := m.requests.MustCurryWith(prometheus.Labels{"route": route})
	return func(verb string, code int, took time.Duration) {
		requests.WithLabelValues(method(verb), strconv.Itoa(code)).Observe(took.Seconds())
	}
}

// method is the request's method, from a closed set.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
