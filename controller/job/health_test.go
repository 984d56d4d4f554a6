package job_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestHealthSaysWhyNoJobIsStarted: before the stored jobs are known, and once it stops.
func TestHealthSaysWhyNoJobIsStarted(t *testing.T) {
	inBubble(t, succeed, func(e *environment, r *remote) {
		says := func(want string) {
			t.Helper()
			synctest.Wait()
			switch err := e.controller.Health(); {
			case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("it says %v, want %q", err, want)
			}
		}
		r.disconnect()
		e.start()
		says("the worker has not started")
		r.connect()
		time.Sleep(time.Minute)
		says("")
		e.create("one")
		e.until("one", terminal)
		says("")
		e.stop()
		says("the worker stops")
	})
}
