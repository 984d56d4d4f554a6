package servers

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jobwright.dev/controller/action/mcp/config"
	"jobwright.dev/controller/action/mcp/pool"
	"jobwright.dev/controller/action/mcp/session"
)

func TestAPlanWaitsOnlySoLongForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, err := New(Options{MaxSessions: 1, Config: &config.Config{Servers: map[string]config.Server{"fake": {}}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { // its session takes its time to come
			_, _, _ = set.Get("fake").pool.Take(ctx, pool.Call[*session.Session]{
				Line: pool.Line{Workspace: "acme"}, Queue: ctx, Start: func(ctx context.Context) (*session.Session, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				},
			})
		}()
		synctest.Wait()
		start := time.Now()
		_, _, err = set.Ask(t.Context(), "fake", "acme")
		if err == nil || !strings.Contains(err.Error(), "all its sessions are calling, and none was free within 15s") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took != busyTime {
			t.Errorf("it took %s", took)
		}
	})
}
