package main_test

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"jobwright.dev/api/client"
	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
)

// exports is a service whose POST begins an operation; it repeats the credential that it
// is sent wherever it can.
type exports struct {
	posts atomic.Int32
	keys  atomic.Value
	polls chan struct{} // gets a value with each question, when there is room
	done  atomic.Bool
}

func (e *exports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	auth := r.Header.Get("Authorization")
	body, _ := io.ReadAll(r.Body)
	if r.Method == http.MethodPost {
		e.keys.Store(r.Header.Get("Idempotency-Key") + " " + r.Header.Get("Jobwright-Attempt"))
		fmt.Fprintf(w, `{"name":"operations/%d","done":false,"you":%q,"sent":%q}`, e.posts.Add(1), auth, body)
		return
	}
	select {
	case e.polls <- struct{}{}:
	default:
	}
	fmt.Fprintf(w, `{"done":%t,"you":%q,"rows":9007199254740993,"path":%q}`, e.done.Load(), auth, r.URL.Path)
}

// TestKillNineWhileAnOperationIsPolled kills the real server with SIGKILL while it asks
// about an operation: the next one goes on asking and does not begin it again. Neither has
// written the secrets down that it sends.
func TestKillNineWhileAnOperationIsPolled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	const secret, other = "s3cr3t-of-the-header", "s3cr3t-of-the-body"
	service := &exports{polls: make(chan struct{}, 1)}
	remote := httptest.NewServer(service)
	t.Cleanup(remote.Close)
	k := &killed{t: t, bin: t.TempDir(), dir: t.TempDir(), address: servertest.Address(t)}
	vault := filepath.Join(t.TempDir(), "secrets.yaml")
	if err := os.WriteFile(vault, []byte("{token: {value: Bearer "+secret+"}, body: {value: "+other+"}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.flags = []string{"--allow-private-addresses", "--secrets=" + vault}
	k.build()
	if err := os.WriteFile(filepath.Join(k.dir, "mcp.json"), []byte(`{"mcpServers":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	k.start()
	k.ready()
	name := strings.TrimSpace(k.jobwright("run", "api-call", remote.URL+"/v1/exports", "--detach",
		"--body", `{"rows":"all","password":{"valueFrom":{"secretRef":"body"}}}`, "--secret-header", "Authorization=token",
		"--poll-url", "/v1/{.name}", "--poll-interval", "1", "--poll-done", ".done=true", "--result", "rows=.rows", "--result", "you=.you"))
	<-service.polls
	k.signal(syscall.SIGKILL)
	_ = k.cmd.Wait() // killed, as asked
	service.done.Store(true)
	k.start()
	k.ready()
	k.jobwright("wait", "--for=condition=Finished", "job/"+name, "--timeout=60s")

	api, err := client.New(client.Config{Server: "http://" + k.address})
	if err != nil {
		t.Fatal(err)
	}
	kind, _ := v1.KindByName(v1.KindJob)
	obj, err := api.Get(t.Context(), client.Key{Kind: kind, Namespace: v1.DefaultWorkspace, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	job := obj.(*v1.Job)
	if job.Status.Phase != v1.JobSucceeded || job.Status.Interruptions != 1 || service.posts.Load() != 1 {
		t.Errorf("%d POSTs: %+v\n%s", service.posts.Load(), job.Status, k.jobwright("logs", name))
	}
	if keys := service.keys.Load(); keys != string(job.UID)+"-run-0 1" {
		t.Errorf("sent with the key and attempt %v", keys)
	}
	if job.Status.Result == nil || !strings.Contains(string(job.Status.Result.Raw), `"values":{"rows":9007199254740993,"you":"***"}`) {
		t.Errorf("result %s", job.Status.Result.Raw)
	}
	shown := k.jobwright("describe", "job", name) + k.jobwright("get", "job", name, "-o", "yaml") + k.jobwright("logs", name) + k.jobwright("events", name)
	if !strings.Contains(shown, "going on with the operation at "+remote.URL+"/v1/operations/1") {
		t.Error(shown)
	}
	k.signal(syscall.SIGTERM)
	if err := k.cmd.Wait(); err != nil {
		t.Error(err)
	}
	texts := map[string]string{"what clients see": shown, "the server's log": k.log.String()}
	if err := filepath.WalkDir(filepath.Join(k.dir, "data"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		texts[path] = string(data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for where, text := range texts {
		for _, value := range []string{secret, other} {
			if strings.Contains(text, value) {
				t.Errorf("%s holds %s", where, value)
			}
		}
	}
}
