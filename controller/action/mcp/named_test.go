package mcp_test

import (
	"context"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

func named(session, tool string) *v1.BuildAction {
	return &v1.BuildAction{Action: tool, Session: session}
}

// TestJobsThatNameASessionShareIt, and nobody else does.
func TestJobsThatNameASessionShareIt(t *testing.T) {
	r := newRunner(t, raw(t, ""))
	first := text(t, r, "acme", named("login", "pid"))
	if again := text(t, r, "acme", named("login", "pid")); again != first {
		t.Errorf("the second job of the name got %q, the first %q", again, first)
	}
	for whose, got := range map[string]string{
		"another name's":        text(t, r, "acme", named("checkout", "pid")),
		"one of nobody's name":  text(t, r, "acme", named("", "pid")),
		"another workspace's":   text(t, r, "rival", named("login", "pid")),
		"the other workspace's": text(t, r, "rival", named("", "pid")),
	} {
		if got == first {
			t.Errorf("%s is the same process", whose)
		}
	}
	sessions := r.Sessions("acme")
	if len(sessions) != 3 {
		t.Fatalf("%+v", sessions)
	}
	calls := map[string]int{}
	for _, s := range sessions {
		if s.Workspace != "acme" || s.Server != "raw" || s.State != v1.MCPSessionIdle || s.PID == 0 || s.StartTime.IsZero() {
			t.Errorf("%+v", s)
		}
		calls[s.Name] = s.Calls
	}
	if calls["login"] != 2 || calls["checkout"] != 1 || calls[""] != 1 {
		t.Errorf("calls %v", calls)
	}
	nothingLeft(t, r)
}

// TestTheLogSaysWhichSessionAJobGot, so that nobody takes a new one for the old one.
func TestTheLogSaysWhichSessionAJobGot(t *testing.T) {
	r := newRunner(t, raw(t, ""))
	for _, want := range []string{
		`system: session "login" of MCP server raw begins`,
		`system: session "login" of MCP server raw goes on: this is call 2 of it`,
	} {
		rec := newRecorder()
		if out := r.Run(t.Context(), attemptIn("acme", named("login", "ok")), rec); out.Verdict != action.Succeeded || !rec.has(want) {
			t.Errorf("%+v, the log %q lacks %q", out, rec.lines, want)
		}
	}
	rec := newRecorder()
	r.Run(t.Context(), attemptIn("acme", named("login", "dies")), rec)
	if !rec.has(`system: session "login" of MCP server raw has ended with this call; the next job that names it gets a new one`) {
		t.Errorf("the log says %q", rec.lines)
	}
}

// TestTheOperatorsNumberHoldsForNamesToo: with "sessions": 1 there is one process, whatever
// jobs call it. An idle one without a name makes room, one with a name is waited for.
func TestTheOperatorsNumberHoldsForNamesToo(t *testing.T) {
	server := self(t, "raw:")
	server.Sessions = 1
	r := newRunner(t, map[string]mcp.Server{"raw": server})
	plain := text(t, r, "acme", named("", "pid"))
	login := text(t, r, "acme", named("login", "pid"))
	if open := r.Sessions("acme"); len(open) != 1 || open[0].Name != "login" || plain == login {
		t.Errorf("%q, %q, open %+v", plain, login, open)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rec := newRecorder()
	const waits = "waiting for one of 1 sessions with MCP server raw (sessions in the --mcp-config file)"
	rec.onLine = func(line string) {
		if strings.Contains(line, waits) {
			cancel()
		}
	}
	if out := r.Run(ctx, attemptIn("acme", named("checkout", "pid")), rec); out.Verdict != action.Stopped {
		t.Errorf("outcome %+v", out)
	}
	nothingLeft(t, r)
}
