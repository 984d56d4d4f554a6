package mcp_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr/funcr"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// TestWhatComesAfterTheAnswerIsForNoOtherJob: not for one of another workspace that comes at
// once, and not for one of the same workspace that comes when the server has spoken up.
func TestWhatComesAfterTheAnswerIsForNoOtherJob(t *testing.T) {
	var mu sync.Mutex
	var own []string // the server's own log
	server := self(t, "raw:")
	server.Shared, server.Sessions = true, 1
	r := newRunner(t, map[string]mcp.Server{"raw": server}, func(o *mcp.Options) {
		o.Log = funcr.New(func(_, args string) {
			mu.Lock()
			defer mu.Unlock()
			own = append(own, args)
		}, funcr.Options{})
	})
	logOf := func(workspace, tool string) string {
		t.Helper()
		rec := newRecorder()
		if out := r.Run(t.Context(), attemptIn(workspace, &v1.BuildAction{Action: tool}), rec); out.Verdict != action.Succeeded {
			t.Fatalf("outcome %+v", out)
		}
		return strings.Join(rec.lines, "\n")
	}
	if log := logOf("acme", "talks-late"); !strings.Contains(log, "stderr: early") || strings.Contains(log, "late\n") {
		t.Errorf("the call's own log: %s", log)
	}
	for _, workspace := range []string{"rival", "acme"} {
		if log := logOf(workspace, "ok"); strings.Contains(log, "late") {
			t.Errorf("the log of %s's job has another one's words: %s", workspace, log)
		}
	}
	nothingLeft(t, r) // its stderr has been read to the end
	mu.Lock()
	defer mu.Unlock()
	told := strings.Join(own, "\n")
	if !strings.Contains(told, `"line"="late"`) || !strings.Contains(told, `"line"="info: late too"`) {
		t.Errorf("the server's own log lacks the words: %s", told)
	}
}
