package mcp

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jobwright.dev/controller/action/mcp/sessions"
)

func TestAPlanWaitsOnlySoLongForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Runner{opts: Options{MaxSessions: 1, IdleTime: time.Minute}}
		r.metrics, r.processes = newMetrics(r), &sessions.Budget{Total: 1}
		p := newPool(r, "fake", Server{})
		r.pools = map[string]*pool{p.name: p}
		busy := &session{lost: make(chan struct{})}
		if _, _, err := p.sessions.Take(t.Context(), sessions.Call[*session]{
			Line: sessions.Line{Workspace: "acme"}, Queue: t.Context(), Start: func(context.Context) (*session, error) { return busy, nil },
		}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, _, err := r.ask(t.Context(), p.name, "acme")
		if err == nil || !strings.Contains(err.Error(), "all its sessions are calling, and none was free within 15s") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took != busyTime {
			t.Errorf("it took %s", took)
		}
		close(busy.lost)
		p.drop(busy, 0)
	})
}
