package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
)

// hangingServer is an MCP server as small as they come, so that a hundred of them start
// in no time. Its tool hang never answers, and does not end with its stdin.
const hangingServer = `#!/bin/sh
while read -r line; do
	id=${line##*\"id\":}
	id=${id%%[,\}]*}
	case $line in
	*'"method":"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"hanging","version":"1"}}}\n' "$id" ;;
	*'"method":"tools/list"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"hang","inputSchema":{"type":"object"}},{"name":"answer","inputSchema":{"type":"object"}}]}}\n' "$id" ;;
	*'"name":"answer"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}\n' "$id" ;;
	*'"name":"hang"'*) tail -f /dev/null >/dev/null 2>&1 ;; # its stdout would tell it of our end
	*'"method":"notifications/'*) ;;
	*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"Method not found"}}\n' "$id" ;;
	esac
done
`

// taskServer is an MCP server over HTTP whose one tool is carried out as a task, which
// outlives its client and ends when the test says so.
type taskServer struct {
	created, asked atomic.Int32
	done           atomic.Bool
}

func (s *taskServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&m) != nil {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	state, result := map[bool]string{false: "working", true: "completed"}[s.done.Load()], "{}"
	switch m.Method {
	case "initialize":
		w.Header().Set("Mcp-Session-Id", "one")
		result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"tasks":{"requests":{"tools":{"call":{}}}}},"serverInfo":{"name":"tasks","version":"1"}}`
	case "notifications/initialized":
		w.WriteHeader(http.StatusAccepted)
		return
	case "tools/list":
		result = `{"tools":[{"name":"research","inputSchema":{"type":"object"},"execution":{"taskSupport":"required"}}]}`
	case "tools/call":
		result = fmt.Sprintf(`{"task":{"taskId":"t-%d","status":"working","pollInterval":50}}`, s.created.Add(1))
	case "tasks/get":
		s.asked.Add(1)
		result = `{"taskId":"t-1","status":"` + state + `","pollInterval":50}`
	case "tasks/result":
		result = `{"content":[],"structuredContent":{"found":7}}`
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", m.ID, result)
}

// servers writes the MCP servers' file, of programs and addresses.
func (k *killed) servers(programs map[string]string) {
	k.t.Helper()
	servers := map[string]any{}
	for name, program := range programs {
		servers[name] = map[string]any{"command": program, "sessions": 100}
		if strings.HasPrefix(program, "http:") {
			servers[name] = map[string]any{"url": program}
		}
	}
	data, err := json.Marshal(map[string]any{"mcpServers": servers})
	if err != nil {
		k.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), data, 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// TestKillNineWithAHundredCalls kills the real server with SIGKILL while a hundred tools
// are being called, and one is carried out as a task elsewhere: after the next start
// nothing of the calls is left, every job has ended, and the task's job goes on. Then the servers' file is changed under the running server.
func TestKillNineWithAHundredCalls(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	const calls = 100
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t), flags: []string{"--max-concurrent-jobs=101", "--mcp-max-processes=100"}}
	k.build()
	program := filepath.Join(k.dir, "hanging-mcp")
	if err := os.WriteFile(program, []byte(hangingServer), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	tasks := new(taskServer)
	remote := httptest.NewServer(tasks)
	t.Cleanup(remote.Close)
	k.servers(map[string]string{"hanging": program, "tasks": remote.URL})
	k.start()
	k.ready()
	api, err := client.New(client.Config{Server: "http://" + k.address})
	if err != nil {
		t.Fatal(err)
	}
	create := func(name string, build v1.BuildAction) {
		t.Helper()
		if _, err := api.Create(t.Context(), &v1.Job{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: v1.DefaultWorkspace}, Spec: v1.JobSpec{Build: &build},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range calls {
		create(fmt.Sprint("call-", i), v1.BuildAction{Server: "hanging", Action: "hang"})
	}
	create("task", v1.BuildAction{Server: "tasks", Action: "research"})
	mark := workerMark(t, filepath.Join(k.dir, "data"))
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for len(carriers(t, mark, "tail")) < calls || tasks.asked.Load() == 0 {
		<-look.C
	}
	for k.logsThatSay("calling tool hang") < calls {
		<-look.C
	}
	k.signal(syscall.SIGKILL)
	_ = k.cmd.Wait() // killed, as asked
	if n := k.logsThatSay("calling tool hang"); n != calls {
		t.Errorf("the logs of %d of %d calls say after the kill what was called", n, calls)
	}
	if n := len(carriers(t, mark, "tail")); n != calls {
		t.Errorf("%d of %d tools outlive the server: there is nothing to show", n, calls)
	}
	k.start()
	k.ready()
	jobs := func() (ended map[string]*v1.Job) {
		t.Helper()
		kind, _ := v1.KindByName(v1.KindJob)
		list, err := api.ListAll(context.WithoutCancel(t.Context()), kind, client.ListOptions{Namespace: v1.DefaultWorkspace})
		if err != nil {
			t.Fatalf("%v\n%s", err, k.log.String())
		}
		ended = map[string]*v1.Job{}
		for _, obj := range list.Items {
			if job := obj.(*v1.Job); job.Status.Phase.Terminal() {
				ended[job.Name] = job
			}
		}
		return ended
	}
	if n := len(carriers(t, mark, "tail")); n != 0 {
		t.Errorf("%d tools of the killed server are left", n)
	}
	for len(jobs()) < calls {
		<-look.C
	}
	tasks.done.Store(true)
	for jobs()["task"] == nil {
		<-look.C
	}
	for name, job := range jobs() {
		if name == "task" {
			if s := job.Status; s.Phase != v1.JobSucceeded || s.Attempts != 2 || s.Interruptions != 1 || tasks.created.Load() != 1 || s.Result == nil || string(s.Result.Raw) != `{"found":7}` {
				t.Errorf("the task: %s %s after %d attempts and %d interruptions: %s; %d were created", s.Phase, s.Reason, s.Attempts, s.Interruptions, s.Message, tasks.created.Load())
			}
			continue
		}
		if job.Status.Phase != v1.JobFailed || job.Status.Attempts != 1 || !strings.Contains(job.Status.Message, "marked neither idempotent nor read-only") {
			t.Errorf("%s: %s after %d attempts: %s", name, job.Status.Phase, job.Status.Attempts, job.Status.Message)
		}
	}
	k.reloaded(create, jobs, program, look.C)
	k.signal(syscall.SIGTERM)
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, k.log.String())
	}
	for _, name := range []string{"hanging-mcp", "tail"} {
		if left := carriers(t, mark, name); len(left) > 0 {
			t.Errorf("processes of %s are left: %v", name, left)
		}
	}
}

// logsThatSay is how many logs of jobs have that text.
func (k *killed) logsThatSay(text string) (n int) {
	k.t.Helper()
	files, err := filepath.Glob(filepath.Join(k.dir, "data", "logs", v1.DefaultWorkspace, "*.log"))
	if err != nil {
		k.t.Fatal(err)
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), text) {
			n++
		}
	}
	return n
}

// reloaded gives the running server another MCP server, by SIGHUP.
func (k *killed) reloaded(create func(string, v1.BuildAction), jobs func() map[string]*v1.Job, program string, look <-chan time.Time) {
	k.t.Helper()
	k.servers(map[string]string{"hanging": program, "other": program})
	k.signal(syscall.SIGHUP)
	for i := 0; ; i++ { // a job may come before the file is read
		name := fmt.Sprint("other-", i)
		create(name, v1.BuildAction{Server: "other", Action: "answer"})
		var job *v1.Job
		for job = jobs()[name]; job == nil; job = jobs()[name] {
			<-look
		}
		if job.Status.Phase == v1.JobSucceeded {
			return
		}
		if job.Status.Reason != v1.ReasonInvalidArguments {
			k.t.Fatalf("a job for a server that is new: %s %s", job.Status.Reason, job.Status.Message)
		}
	}
}
