package mcp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPlanWaitsOnlySoLongForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooled()
		p.runner.pools = map[string]*pool{p.name: p}
		start := time.Now()
		_, _, err := p.runner.ask(t.Context(), p.name)
		if err == nil || !strings.Contains(err.Error(), "all 1 sessions are calling, and none was free within 15s") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took != busyTime {
			t.Errorf("it took %s", took)
		}
		if n := len(p.slots); n != 1 {
			t.Errorf("%d slots are taken, want the one of the call under way", n)
		}
	})
}
