package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// taskServer is an MCP server over HTTP whose one tool is carried out as a task. What
// state the task is in is for the test to say.
type taskServer struct {
	mu       sync.Mutex
	sessions map[string]bool
	state    map[string]string // of each task
	created  int
	answer   string // to tasks/result
	ended    []string
	support  string
	fails    int           // so many requests for a task do not come through
	forgets  int           // so many calls end in a session that the server does not know
	polled   chan struct{} // gets a value with each tasks/get, when there is room
}

func newTaskServer(t *testing.T) (*taskServer, map[string]mcp.Server) {
	t.Helper()
	s := &taskServer{
		sessions: map[string]bool{}, state: map[string]string{}, support: "required",
		answer: `{"content":[{"type":"text","text":"the report"}]}`, polled: make(chan struct{}, 100),
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, map[string]mcp.Server{"tasks": {Type: "http", URL: server.URL}}
}

func (s *taskServer) set(task, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state[task] = state
}

func (s *taskServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("Mcp-Session-Id")
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case http.MethodDelete:
		delete(s.sessions, id)
		s.ended = append(s.ended, id)
		return
	}
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			Task   json.RawMessage `json:"task"`
			TaskID string          `json:"taskId"`
		} `json:"params"`
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &m) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if m.Method != "initialize" && m.Method != "server/discover" && !s.sessions[id] {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	result := func(text string) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", m.ID, text)
	}
	fail := func(code int, text string) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%q}}`+"\n", m.ID, code, text)
	}
	state := func(task string) string {
		return fmt.Sprintf(`"taskId":%q,"status":%q,"statusMessage":"it is %s","pollInterval":1,"ttl":null,"createdAt":"2026-01-01T00:00:00Z"`, task, s.state[task], s.state[task])
	}
	// A task belongs to its session, as in the TypeScript SDK.
	known := s.state[m.Params.TaskID] != "" && strings.HasPrefix(m.Params.TaskID, id+"-")
	switch {
	case m.Method == "initialize":
		id = fmt.Sprint("session", len(s.sessions)+len(s.ended))
		s.sessions[id] = true
		w.Header().Set("Mcp-Session-Id", id)
		result(`{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"tasks":{"cancel":{},"requests":{"tools":{"call":{}}}}},"serverInfo":{"name":"tasks","version":"1"}}`)
	case len(m.ID) == 0:
		w.WriteHeader(http.StatusAccepted)
	case m.Method == "ping":
		result(`{}`)
	case m.Method == "tools/list":
		result(`{"tools":[{"name":"research","inputSchema":{"type":"object"},"execution":{"taskSupport":"` + s.support + `"}}]}`)
	case m.Method == "tools/call" && s.forgets > 0:
		s.forgets--
		delete(s.sessions, id)
		w.WriteHeader(http.StatusNotFound)
	case m.Method == "tools/call" && len(m.Params.Task) == 0:
		fail(-32601, "only as a task")
	case m.Method == "tools/call" && s.answer == "at once":
		result(`{"content":[{"type":"text","text":"no task was needed"}]}`)
	case m.Method == "tools/call":
		s.created++
		task := fmt.Sprint(id, "-", s.created)
		s.state[task] = "working"
		result(`{"task":{` + state(task) + `}}`)
	case s.fails > 0 && strings.HasPrefix(m.Method, "tasks/"):
		s.fails--
		panic(http.ErrAbortHandler) // the connection breaks
	case !known:
		fail(-32602, "Task not found")
	case m.Method == "tasks/get":
		select {
		case s.polled <- struct{}{}:
		default:
		}
		result(`{` + state(m.Params.TaskID) + `}`)
	case m.Method == "tasks/cancel":
		s.state[m.Params.TaskID] = "cancelled"
		result(`{` + state(m.Params.TaskID) + `}`)
	case m.Method == "tasks/result" && strings.HasPrefix(s.answer, "error "):
		fail(-32603, s.answer)
	case m.Method == "tasks/result":
		result(s.answer)
	default:
		fail(-32601, "Method not found")
	}
}

func research(uid types.UID, attempt string) action.Attempt {
	job := &v1.Job{Spec: v1.JobSpec{
		Type: v1.JobTypeBuild,
		// A word that the client must not take for its own.
		Build: &v1.BuildAction{Action: "research", Arguments: map[string]v1.JSON{"method": {Raw: []byte(`"jobwright/tools/call"`)}}},
	}}
	job.UID = uid
	return action.Attempt{ID: attempt, Grace: 100 * time.Millisecond, Job: job}
}

// remembersIn has a runner remember its tasks.
func remembersIn(dir string) func(*mcp.Options) { return func(o *mcp.Options) { o.StateDir = dir } }

func files(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestAToolIsCalledAsATask(t *testing.T) {
	for name, tc := range map[string]struct {
		ends    string // the state that the task ends in; it works until it was asked for twice
		answer  string
		support string
		fails   int
		verdict action.Verdict
		reason  string
		says    string
		log     string
		rpc     int64
	}{
		"completed":            {ends: "completed", verdict: action.Succeeded, log: "content: the report"},
		"only optional":        {ends: "completed", support: "optional", verdict: action.Succeeded, log: "content: the report"},
		"out of reach":         {ends: "completed", fails: 3, verdict: action.Succeeded, log: "content: the report"},
		"no such result":       {ends: "completed", answer: `[]`, verdict: action.Succeeded, says: "it is a list, not an object"},
		"needs input":          {ends: "input_required", verdict: action.Succeeded, log: "content: the report"},
		"the tool fails":       {ends: "failed", answer: `{"content":[{"type":"text","text":"no sources"}],"isError":true}`, verdict: action.Failed, reason: v1.ReasonToolError, says: "no sources"},
		"the server fails":     {ends: "failed", answer: "error within", verdict: action.Failed, reason: v1.ReasonProtocolError, says: "error within", rpc: -32603},
		"canceled over there":  {ends: "cancelled", verdict: action.Failed, reason: v1.ReasonToolError, says: "canceled task session0-1"},
		"answered at once":     {answer: "at once", verdict: action.Succeeded, log: "content: no task was needed"},
		"a tool without tasks": {support: "forbidden", verdict: action.Failed, reason: v1.ReasonProtocolError, says: "only as a task", rpc: -32601},
	} {
		t.Run(name, func(t *testing.T) {
			server, servers := newTaskServer(t)
			if tc.answer != "" {
				server.answer = tc.answer
			}
			if tc.support != "" {
				server.support = tc.support
			}
			server.fails = tc.fails
			dir := t.TempDir()
			r := newRunner(t, servers, remembersIn(dir))
			go func() {
				for range 2 {
					<-server.polled
				}
				server.set("session0-1", tc.ends)
			}()
			rec := newRecorder()
			out := r.Run(t.Context(), research("u-1", "a-1"), rec)
			if out.Verdict != tc.verdict || out.Reason != tc.reason || out.Facts.Number(v1.FactRPCCode) != tc.rpc || !strings.Contains(out.Message, tc.says) {
				t.Errorf("outcome %+v", out)
			}
			if tc.log != "" && !rec.has(tc.log) {
				t.Errorf("the log lacks %q: %q", tc.log, rec.lines)
			}
			if tc.ends != "" && !rec.has("server: it is working") {
				t.Errorf("the log lacks the task's state: %q", rec.lines)
			}
			if n := files(t, dir); n != 0 {
				t.Errorf("%d tasks are remembered after the end", n)
			}
		})
	}
}

// TestATaskIsBegunInANewSession: a server that does not know the session has begun nothing.
// The call is made again once, and no more.
func TestATaskIsBegunInANewSession(t *testing.T) {
	for forgets, want := range map[int]action.Verdict{1: action.Succeeded, 2: action.Failed} {
		s, servers := newTaskServer(t)
		s.answer, s.forgets = "at once", forgets
		rec := newRecorder()
		out := newRunner(t, servers).Run(t.Context(), attempt(&v1.BuildAction{Action: "research"}), rec)
		if out.Verdict != want || !rec.has("system: MCP server tasks does not know the session any more (HTTP 404 Not Found; the server has ended the session); the tool is called in a new one") {
			t.Errorf("a session that is forgotten %d times: %+v, the log says %q", forgets, out, rec.lines)
		}
	}
}

func TestATaskIsCanceled(t *testing.T) {
	server, servers := newTaskServer(t)
	dir := t.TempDir()
	r := newRunner(t, servers, remembersIn(dir))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-server.polled
		cancel()
	}()
	out := r.Run(ctx, research("u-1", "a-1"), newRecorder())
	if out.Verdict != action.Stopped || !strings.Contains(out.Message, "confirmed that task session0-1 is canceled") {
		t.Errorf("outcome %+v", out)
	}
	if n := files(t, dir); n != 0 {
		t.Errorf("%d tasks are remembered after the end", n)
	}
}

// TestTheTaskOfADeletedJobIsForgotten: what is remembered says whose it is, so that it can
// be found when its job is gone.
func TestTheTaskOfADeletedJobIsForgotten(t *testing.T) {
	server, servers := newTaskServer(t)
	dir := t.TempDir()
	dead := newRunner(t, servers, remembersIn(dir))
	attempt := research("u-1", "a-1")
	attempt.Job.Namespace, attempt.Job.Name = "acme", "one"
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		dead.Run(ctx, attempt, newRecorder())
	}()
	defer func() { cancel(); <-ended }()
	<-server.polled // it has been written down
	if err := os.WriteFile(filepath.Join(dir, "u-2.json"), []byte(`{"task":"of an older version"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRunner(t, servers, remembersIn(dir))
	var kept []action.JobRef
	if err := r.Kept(t.Context(), func(job action.JobRef) error {
		kept = append(kept, job)
		return r.Forget(t.Context(), job)
	}); err != nil {
		t.Fatal(err)
	}
	if want := (action.JobRef{Namespace: "acme", Name: "one", UID: "u-1"}); len(kept) != 1 || kept[0] != want {
		t.Errorf("kept of %v, want %v", kept, want)
	}
	if n := files(t, dir); n != 1 {
		t.Errorf("%d tasks are remembered, want that without a name", n)
	}
}

// TestATaskOutlivesItsWorker leaves a task alone, as a worker does that is killed, and
// has another runner recover the attempt.
func TestATaskOutlivesItsWorker(t *testing.T) {
	for name, tc := range map[string]struct {
		change     func(s *taskServer, job *v1.Job)
		repeatable bool
		says       string
		again      bool // the next attempt goes on with it
	}{
		"it goes on":         {repeatable: true, says: "is working", again: true},
		"it has ended":       {change: func(s *taskServer, _ *v1.Job) { s.set("session0-1", "completed") }, repeatable: true, says: "is completed", again: true},
		"it is gone":         {change: func(s *taskServer, _ *v1.Job) { s.set("session0-1", "") }, says: "neither idempotent nor read-only"},
		"the job is over":    {change: func(_ *taskServer, j *v1.Job) { j.Spec.OnInterruption = v1.InterruptionFail }, says: "was canceled"},
		"the job is decided": {change: func(_ *taskServer, j *v1.Job) { j.Spec.OnInterruption = v1.InterruptionRerun }, repeatable: true, says: "is working", again: true},
	} {
		t.Run(name, func(t *testing.T) {
			server, servers := newTaskServer(t)
			dir := t.TempDir()
			dead := newRunner(t, servers, remembersIn(dir))
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				dead.Run(ctx, research("u-1", "a-1"), newRecorder())
			}()
			defer func() { cancel(); <-ended }()
			<-server.polled // it has been written down
			next := research("u-1", "a-1")
			if tc.change != nil {
				tc.change(server, next.Job)
			}
			r := newRunner(t, servers, remembersIn(dir))
			for range 2 { // a server may die while it recovers
				out, err := r.Recover(t.Context(), next)
				if err != nil || out.Verdict != action.Lost || out.Repeatable != tc.repeatable || !strings.Contains(out.Message, tc.says) {
					t.Fatalf("Recover = %+v, %v", out, err)
				}
				if !tc.again {
					return
				}
			}
			server.set("session0-1", "completed")
			next.ID = "a-2"
			rec := newRecorder()
			if out := r.Run(t.Context(), next, rec); out.Verdict != action.Succeeded || !rec.has("content: the report") || server.created != 1 {
				t.Errorf("outcome %+v of %d tasks", out, server.created)
			}
		})
	}
}
