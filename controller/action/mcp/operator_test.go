package mcp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/mcp/config"
)

// TestABrokenServerFailsItsOwnJobsOnly, until the file is mended.
func TestABrokenServerFailsItsOwnJobsOnly(t *testing.T) {
	broken := self(t, "1")
	broken.Problems = []config.Problem{{Field: "mcpServers.bad.env.T", Line: 3, Message: "the environment variable T is not set"}}
	disabled := self(t, "1")
	disabled.Disabled = true
	registry := prometheus.NewRegistry()
	r := newRunner(t, map[string]mcp.Server{"good": self(t, "1"), "bad": broken, "off": disabled}, func(o *mcp.Options) { o.Registerer = registry })
	states := map[string]v1.MCPServerState{}
	for _, s := range r.Servers() {
		states[s.Name] = s.State
		if (s.Error != "") != (s.Name != "good") {
			t.Errorf("server %+v", s)
		}
	}
	if states["good"] != v1.MCPServerUnused || states["bad"] != v1.MCPServerBroken || states["off"] != v1.MCPServerDisabled {
		t.Errorf("states %v", states)
	}
	const gauge = `
# HELP jobwright_mcp_server_broken Whether an MCP server cannot be used because of its definition in the --mcp-config file, by server: 1 or 0.
# TYPE jobwright_mcp_server_broken gauge
jobwright_mcp_server_broken{server="bad"} 1
jobwright_mcp_server_broken{server="good"} 0
jobwright_mcp_server_broken{server="off"} 0
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(gauge), "jobwright_mcp_server_broken"); err != nil {
		t.Error(err)
	}
	if notices := r.Notices(); len(notices) != 1 || !strings.Contains(notices[0], "as the --mcp-config file has them: bad; jobs for the others go on") {
		t.Errorf("what an operator is told: %q", notices)
	}
	run := func(server string) action.Outcome {
		return r.Run(t.Context(), attempt(&v1.BuildAction{Server: server, Action: "ok"}), newRecorder())
	}
	if out := run("good"); out.Verdict != action.Succeeded {
		t.Errorf("the good one: %+v", out)
	}
	if out := run("bad"); out.Reason != v1.ReasonServerUnavailable || !strings.Contains(out.Message, "mcpServers.bad.env.T (line 3): the environment variable T is not set") {
		t.Errorf("the broken one: %+v", out)
	}
	if out := run("off"); out.Reason != v1.ReasonServerUnavailable || !strings.Contains(out.Message, "it is disabled in the --mcp-config file") {
		t.Errorf("the disabled one: %+v", out)
	}
	if _, err := r.Tools(t.Context(), "bad"); err == nil || !strings.Contains(err.Error(), "the environment variable T is not set") {
		t.Errorf("its tools: %v", err)
	}
	r.Reload(&mcp.Config{Servers: map[string]mcp.Server{"bad": self(t, "1")}})
	if out := run("bad"); out.Verdict != action.Succeeded {
		t.Errorf("mended: %+v", out)
	}
	if notices := r.Notices(); len(notices) > 0 {
		t.Errorf("mended, an operator is told: %q", notices)
	}
	nothingLeft(t, r)
}

func TestToolsThatTheOperatorKeepsBack(t *testing.T) {
	some, others := self(t, "1"), self(t, "1")
	some.EnabledTools, others.DisabledTools = []string{"ok"}, []string{"pid"}
	r := newRunner(t, map[string]mcp.Server{"some": some, "others": others})
	for name, tc := range map[string]struct {
		server, tool string
		allowed      bool
	}{
		"one that is enabled":      {"some", "ok", true},
		"one that is not":          {"some", "pid", false},
		"one that is disabled":     {"others", "pid", false},
		"one that is not disabled": {"others", "ok", true},
	} {
		t.Run(name, func(t *testing.T) {
			out := r.Run(t.Context(), attempt(&v1.BuildAction{Server: tc.server, Action: tc.tool}), newRecorder())
			if (out.Verdict == action.Succeeded) != tc.allowed {
				t.Errorf("outcome %+v", out)
			}
			if !tc.allowed && (out.Reason != v1.ReasonInvalidArguments || !strings.Contains(out.Message, "spec.build.action: Forbidden: the --mcp-config file keeps jobs from tool")) {
				t.Errorf("outcome %+v", out)
			}
		})
	}
	tools, err := r.Tools(t.Context(), "some")
	if err != nil || len(tools) != 1 || tools[0].Name != "ok" {
		t.Errorf("tools %v, %v", tools, err)
	}
}

// TestTheServersTimeoutEndsACall that goes on for ever, and none that ends in time.
func TestTheServersTimeoutEndsACall(t *testing.T) {
	server := self(t, "1")
	server.Timeout = time.Hour
	r := newRunner(t, map[string]mcp.Server{"fake": server})
	if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder()); out.Verdict != action.Succeeded {
		t.Errorf("outcome %+v", out)
	}
	server.Timeout = time.Nanosecond
	r.Reload(&mcp.Config{Servers: map[string]mcp.Server{"fake": server}})
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "canceled"}), newRecorder())
	if out.Verdict != action.Failed || out.Reason != v1.ReasonAttemptTimeout || !strings.Contains(out.Message, "after 1ns, which is the server's timeout in the --mcp-config file") {
		t.Errorf("outcome %+v", out)
	}
	nothingLeft(t, r)
}

// TestAServerOfServerSentEvents, as protocol 2024-11-05 has them, is called with the
// operator's headers.
func TestAServerOfServerSentEvents(t *testing.T) {
	var bare atomic.Bool
	handler := sdk.NewSSEHandler(func(*http.Request) *sdk.Server { return fakeServer() }, nil)
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "abc" {
			bare.Store(true)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(listening.Close)
	r := newRunner(t, map[string]mcp.Server{"old": {Type: config.TypeSSE, URL: listening.URL + "/sse", Headers: map[string]string{"X-Key": "abc"}}})
	t.Cleanup(r.Close) // before the listener, which waits for its streams
	for range 2 {      // the second call uses the session of the first
		rec := newRecorder()
		if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec); out.Verdict != action.Succeeded || !rec.has("server: unpack") {
			t.Fatalf("outcome %+v, log %q", out, rec.lines)
		}
	}
	if got := r.Servers()[0]; got.State != v1.MCPServerConnected || got.Idle != 1 {
		t.Errorf("server %+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rec := newRecorder()
	done := make(chan action.Outcome, 1)
	go func() { done <- r.Run(ctx, attempt(&v1.BuildAction{Action: "canceled"}), rec) }()
	for step := range rec.steps {
		if step == "waiting" {
			break
		}
	}
	cancel()
	if out := <-done; out.Verdict != action.Stopped {
		t.Errorf("outcome %+v", out)
	}
	if bare.Load() {
		t.Error("a request came without the operator's header")
	}
}

// TestTheQueryOfAURLIsInNoMessage: it may hold a key.
func TestTheQueryOfAURLIsInNoMessage(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	r := newRunner(t, map[string]mcp.Server{"gone": {Type: config.TypeHTTP, URL: gone.URL + "/mcp?key=hunter2"}})
	rec := newRecorder()
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec)
	told := out.Message + r.Servers()[0].Error + strings.Join(rec.lines, "\n")
	if out.Reason != v1.ReasonServerUnavailable || !strings.Contains(told, "/mcp?…") || strings.Contains(told, "hunter2") {
		t.Errorf("outcome %+v; told %s", out, told)
	}
}

// TestAServerThatWantsATokenGetsOne, for all its sessions, and tells it to nobody.
func TestAServerThatWantsATokenGetsOne(t *testing.T) {
	var asked atomic.Int32
	mux := http.NewServeMux()
	listening := httptest.NewServer(mux)
	t.Cleanup(listening.Close)
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if id, secret, _ := r.BasicAuth(); id != "c" || secret != "hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"the-token","token_type":"Bearer","expires_in":3600}`)
	})
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return fakeServer() }, nil)
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Authorization") {
		case "Bearer the-token":
			handler.ServeHTTP(w, r)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer scope="tools"`)
			http.Error(w, "the-token is what I want, with hunter2", http.StatusUnauthorized)
		}
	})
	server := mcp.Server{Type: config.TypeHTTP, URL: listening.URL + "/mcp", OAuth: &config.OAuth{ClientID: "c", ClientSecret: "hunter2", AuthMethod: config.AuthBasic}}
	registry := prometheus.NewRegistry()
	r := newRunner(t, map[string]mcp.Server{"guarded": server}, func(o *mcp.Options) { o.Registerer = registry })
	t.Cleanup(r.Close)
	for _, workspace := range []string{"a", "b"} {
		a := attempt(&v1.BuildAction{Action: "ok"})
		a.Job.Namespace = workspace
		if out := r.Run(t.Context(), a, newRecorder()); out.Verdict != action.Succeeded {
			t.Errorf("outcome %+v", out)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	const counted = `
# HELP jobwright_mcp_token_requests_total Requests for OAuth tokens by MCP server and outcome: succeeded or failed.
# TYPE jobwright_mcp_token_requests_total counter
jobwright_mcp_token_requests_total{outcome="failed",server="guarded"} 0
jobwright_mcp_token_requests_total{outcome="succeeded",server="guarded"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(counted), "jobwright_mcp_token_requests_total"); err != nil {
		t.Error(err)
	}
	server.OAuth = &config.OAuth{ClientID: "c", ClientSecret: "wrong-one", AuthMethod: config.AuthBasic}
	r.Reload(&mcp.Config{Servers: map[string]mcp.Server{"guarded": server}})
	rec := newRecorder()
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec)
	told := out.Message + r.Servers()[0].Error + strings.Join(rec.lines, "\n")
	if out.Reason != v1.ReasonServerUnavailable || !strings.Contains(out.Message, ": no token for it could be got: the token endpoint "+listening.URL+"/token answered HTTP 401") || strings.Contains(told, "wrong-one") {
		t.Errorf("outcome %+v; told %s", out, told)
	}
}

// TestACallThatWantsAnotherTokenIsSentWithIt, once: the server's answer says that it did
// nothing with the first.
func TestACallThatWantsAnotherTokenIsSentWithIt(t *testing.T) {
	for name, refusal := range map[string]struct {
		status    int
		challenge string
	}{
		"the token was withdrawn":     {http.StatusUnauthorized, `Bearer error="invalid_token"`},
		"the tool wants a scope more": {http.StatusForbidden, `Bearer error="insufficient_scope", scope="write"`},
	} {
		t.Run(name, func(t *testing.T) {
			var asked, carried atomic.Int32
			mux := http.NewServeMux()
			listening := httptest.NewServer(mux)
			t.Cleanup(listening.Close)
			mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer"}`, asked.Add(1))
			})
			handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return fakeServer() }, nil)
			mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return
				}
				if bytes.Contains(body, []byte(`"method":"tools/call"`)) {
					if r.Header.Get("Authorization") != "Bearer token-2" {
						w.Header().Set("WWW-Authenticate", refusal.challenge)
						w.WriteHeader(refusal.status)
						return
					}
					carried.Add(1)
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				handler.ServeHTTP(w, r)
			})
			server := mcp.Server{Type: config.TypeHTTP, URL: listening.URL + "/mcp", OAuth: &config.OAuth{ClientID: "c", ClientSecret: "hunter2", AuthMethod: config.AuthBasic, TokenURL: listening.URL + "/token"}}
			r := newRunner(t, map[string]mcp.Server{"guarded": server})
			if out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), newRecorder()); out.Verdict != action.Succeeded {
				t.Errorf("outcome %+v", out)
			}
			if asked.Load() != 2 || carried.Load() != 1 {
				t.Errorf("%d tokens, %d calls carried out; want 2 and 1", asked.Load(), carried.Load())
			}
			r.Close()
		})
	}
}

// TestASecretThatAServerRepeatsIsInNoLog, and in no message.
func TestASecretThatAServerRepeatsIsInNoLog(t *testing.T) {
	server := self(t, "says-its-token")
	server.Env["MY_TOKEN"] = "hunter2-hunter2"
	r := newRunner(t, map[string]mcp.Server{"chatty": server})
	rec := newRecorder()
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "ok"}), rec)
	told := out.Message + r.Servers()[0].Error + strings.Join(rec.lines, "\n")
	if out.Reason != v1.ReasonServerUnavailable || strings.Contains(told, "hunter2") || !strings.Contains(told, "*** is no good") {
		t.Errorf("outcome %+v; told %s", out, told)
	}
}

// TestASecretIsInNothingThatAServerSays: its progress, its log, its questions, its refusal.
func TestASecretIsInNothingThatAServerSays(t *testing.T) {
	s := says("tools/call", `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$token,"progress":1,"message":"signing in with hunter2-hunter2"}}
{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"it is hunter2-hunter2"}}
{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"is it hunter2-hunter2?","requestedSchema":{"type":"object","properties":{}}}}
{"jsonrpc":"2.0","id":$id,"error":{"code":1,"message":"hunter2-hunter2 is no good"}}`)
	server := mcp.Server{Type: config.TypeStdio, Env: map[string]string{"MY_TOKEN": "hunter2-hunter2"}, Elicitation: config.ElicitationAnswers}
	r := newRunner(t, map[string]mcp.Server{"scripted": server}, s.piped)
	rec := newRecorder()
	out := r.Run(t.Context(), attempt(&v1.BuildAction{Action: "go"}), rec)
	r.Close()
	close(rec.steps)
	told := out.Message + strings.Join(rec.lines, "\n")
	for step := range rec.steps {
		told += step
	}
	if strings.Contains(told, "hunter2") || strings.Count(told, "***") < 4 {
		t.Errorf("outcome %+v; told %s", out, told)
	}
}
