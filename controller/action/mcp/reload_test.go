package mcp_test

import (
	"context"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// pid is the process of the session that a server's next call gets.
func pid(t *testing.T, r *mcp.Runner, server string) string {
	t.Helper()
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Server: server, Action: "pid"}), newRecorder())
	if out.Verdict != action.Succeeded {
		t.Fatalf("outcome %+v", out)
	}
	return string(out.Result.Raw)
}

// TestReload changes one server, removes another and leaves a third as it is, while the
// first is called and another call waits for it.
func TestReload(t *testing.T) {
	servers := map[string]mcp.Server{"changes": self(t, "raw:"), "goes": self(t, "raw:"), "stays": self(t, "raw:")}
	r := newRunner(t, servers, func(o *mcp.Options) { o.MaxSessions = 1 })
	stays := pid(t, r, "stays")
	pid(t, r, "goes")
	rec := newRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hung, waiting := make(chan action.Outcome, 1), make(chan action.Outcome, 1)
	a := attempt(&v1.BuildAction{Server: "changes", Action: "hangs"})
	a.Grace = 50 * time.Millisecond
	go func() { hung <- r.Run(ctx, a, rec) }()
	for step := range rec.steps {
		if strings.HasPrefix(step, "working") {
			break
		}
	}
	queued := newRecorder()
	go func() {
		waiting <- r.Run(t.Context(), attempt(&v1.BuildAction{Server: "changes", Action: "ok"}), queued)
	}()
	<-queued.steps // it connects, or is about to

	other := self(t, "raw:")
	other.Args = []string{"-test.v"}
	changed := r.Reload(&mcp.Config{Servers: map[string]mcp.Server{"changes": other, "stays": servers["stays"], "new": self(t, "raw:")}})
	if diff := cmp.Diff([]string{"changes", "goes", "new"}, changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if out := <-waiting; out.Verdict != action.Succeeded { // though the old one still hangs
		t.Errorf("who waited for a session: %+v", out)
	}
	if got := pid(t, r, "stays"); got != stays {
		t.Errorf("the server that did not change has another session")
	}
	pid(t, r, "new")
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Server: "goes", Action: "ok"}), newRecorder()); out.Reason != v1.ReasonInvalidArguments {
		t.Errorf("a server that is gone: %+v", out)
	}
	cancel()
	if out := <-hung; out.Verdict != action.Stopped {
		t.Errorf("the call under way: %+v", out)
	}
	nothingLeft(t, r)
}

// TestASessionThatDiesIdleIsGoneAtOnce, and what it had started with it.
func TestASessionThatDiesIdleIsGoneAtOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	r := newRunner(t, raw(t, ""), func(o *mcp.Options) { o.MaxSessions, o.Registerer = 1, registry })
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "leaves-a-child"}), newRecorder()); out.Verdict != action.Succeeded {
		t.Fatalf("outcome %+v", out)
	}
	server, err := strconv.Atoi(strings.Trim(pid(t, r, ""), `{}":tex `))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(server, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	const idle = `
# HELP jobwright_mcp_sessions Sessions with MCP servers by server and state: starting, calling or idle.
# TYPE jobwright_mcp_sessions gauge
jobwright_mcp_sessions{server="raw",state="calling"} 0
jobwright_mcp_sessions{server="raw",state="idle"} 0
jobwright_mcp_sessions{server="raw",state="starting"} 0
# HELP jobwright_mcp_session_starts_total Sessions that were started, or tried to be, by MCP server.
# TYPE jobwright_mcp_session_starts_total counter
jobwright_mcp_session_starts_total{server="raw"} 1
# HELP jobwright_mcp_session_failures_total Sessions that were given up by MCP server and when they failed: start, idle or call.
# TYPE jobwright_mcp_session_failures_total counter
jobwright_mcp_session_failures_total{server="raw",when="call"} 0
jobwright_mcp_session_failures_total{server="raw",when="idle"} 1
jobwright_mcp_session_failures_total{server="raw",when="start"} 0
`
	look := time.NewTicker(time.Millisecond) // metrics announce nothing
	defer look.Stop()
	for {
		err := testutil.GatherAndCompare(registry, strings.NewReader(idle), "jobwright_mcp_sessions", "jobwright_mcp_session_starts_total", "jobwright_mcp_session_failures_total")
		if err == nil {
			break
		}
		select {
		case <-look.C:
		case <-t.Context().Done():
			t.Fatal(err)
		}
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	nothingLeft(t, r)
}
