package servers

import "github.com/prometheus/client_golang/prometheus"

// metrics are the metrics of a Set. Their labels are closed sets: the servers
// of the operator's file, the states of a session, the ways in which a session fails.
type metrics struct {
	set      *Set
	sessions *prometheus.Desc
	seconds  *prometheus.HistogramVec
	starts   *prometheus.CounterVec
	failures *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	broken   *prometheus.Desc
}

func newMetrics(set *Set) *metrics {
	return &metrics{
		set: set,
		sessions: prometheus.NewDesc("jobwright_mcp_sessions", "Sessions with MCP servers by server and state: starting, calling or idle.",
			[]string{"server", "state"}, nil),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "jobwright_mcp_tool_seconds", Help: "Time of a tool call by MCP server and outcome.",
			Buckets: []float64{.01, .1, 1, 10, 60, 300, 1800},
		}, []string{"server", "outcome"}),
		broken: prometheus.NewDesc("jobwright_mcp_server_broken", "Whether an MCP server cannot be used because of its definition in the --mcp-config file, by server: 1 or 0.",
			[]string{"server"}, nil),
		starts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jobwright_mcp_session_starts_total", Help: "Sessions that were started, or tried to be, by MCP server.",
		}, []string{"server"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jobwright_mcp_token_requests_total", Help: "Requests for OAuth tokens by MCP server and outcome: succeeded or failed.",
		}, []string{"server", "outcome"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jobwright_mcp_session_failures_total", Help: "Sessions that were given up by MCP server and when they failed: start, idle or call.",
		}, []string{"server", "when"}),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.sessions
	out <- m.broken
	m.seconds.Describe(out)
	m.starts.Describe(out)
	m.failures.Describe(out)
	m.tokens.Describe(out)
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	for name, srv := range m.set.current() {
		broken := 0.0
		if len(srv.def.Problems) > 0 {
			broken = 1
		}
		out <- prometheus.MustNewConstMetric(m.broken, prometheus.GaugeValue, broken, name)
		starting, calling, idle := srv.pool.Count()
		for state, n := range map[string]int{"starting": starting, "calling": calling, "idle": idle} {
			out <- prometheus.MustNewConstMetric(m.sessions, prometheus.GaugeValue, float64(n), name, state)
		}
	}
	m.seconds.Collect(out)
	m.starts.Collect(out)
	m.failures.Collect(out)
	m.tokens.Collect(out)
}

func (m *metrics) started(server string)      { m.starts.WithLabelValues(server).Inc() }
func (m *metrics) failed(server, when string) { m.failures.WithLabelValues(server, when).Inc() }

// expect makes the series of a server, so that its first failure is an increase.
func (m *metrics) expect(server string) {
	m.starts.WithLabelValues(server)
	for _, when := range []string{failedStart, failedIdle, failedCall} {
		m.failures.WithLabelValues(server, when)
	}
}

// expectTokens makes the series of a server that wants tokens.
func (m *metrics) expectTokens(server string) {
	for _, outcome := range []string{"succeeded", "failed"} {
		m.tokens.WithLabelValues(server, outcome)
	}
}

// asked counts a request for a token.
func (m *metrics) asked(server string, err error) {
	outcome := "succeeded"
	if err != nil {
		outcome = "failed"
	}
	m.tokens.WithLabelValues(server, outcome).Inc()
}

// forget drops the series of a server that is gone.
func (m *metrics) forget(server string) {
	label := prometheus.Labels{"server": server}
	m.seconds.DeletePartialMatch(label)
	m.starts.DeletePartialMatch(label)
	m.failures.DeletePartialMatch(label)
	m.tokens.DeletePartialMatch(label)
}
