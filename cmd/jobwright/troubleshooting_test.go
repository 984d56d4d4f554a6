package main_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobwright.dev/store/vfs/vfstest"
)

// until asks the server until an answer has a text.
func (k *killed) until(path, want string) (code int) {
	k.t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		code, text := k.fetch(http.MethodGet, path, "")
		if strings.Contains(text, want) {
			return code
		}
		select {
		case <-look.C:
		case <-k.t.Context().Done():
			k.t.Fatalf("%s never says %q; it says %d %s", path, want, code, text)
		}
	}
}

// TestAWorkerThatStartsNoJobSaysSo: a server that ends still takes jobs while those that
// run have their grace, and says that they wait for the next start.
func TestAWorkerThatStartsNoJobSaysSo(t *testing.T) {
	k, _ := newKilled(t)
	k.flags = []string{"--allow-private-addresses", "--shutdown-grace=10m"}
	k.start()
	k.ready()
	called, end := make(chan struct{}, 1), make(chan struct{})
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		called <- struct{}{}
		<-end
	}))
	defer target.Close()
	release := sync.OnceFunc(func() { close(end) })
	defer release()
	if code, text := k.fetch(http.MethodPost, "/api/jobs", `{"type":"api_call","payload":{"url":"`+target.URL+`","timeoutSeconds":3600}}`); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, text)
	}
	<-called
	if code := k.until("/readyz", "ok"); code != http.StatusOK {
		t.Errorf("/readyz: %d", code)
	}
	k.signal(syscall.SIGTERM)
	if code := k.until("/readyz", "not ready: the worker stops: it starts no job any more"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d", code)
	}
	if code, text := k.fetch(http.MethodPost, "/api/jobs", newRecord); code != http.StatusAccepted {
		t.Errorf("a job meanwhile: %d %s", code, text)
	}
	if code, text := k.fetch(http.MethodGet, "/api/jobs?limit=1", ""); code != http.StatusOK || !strings.Contains(text, `"queued"`) {
		t.Errorf("the job: %d %s", code, text)
	}
	release()
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	k.start()
	k.ready()
	k.until("/api/jobs?limit=1", `"succeeded"`)
	k.stop()
}

// TestJobsJSONThatCannotBeWrittenIsNoticed: the journal holds what is newer, so jobs go
// on, and whoever asks whether the server is ready is told.
func TestJobsJSONThatCannotBeWrittenIsNoticed(t *testing.T) {
	k, data := newKilled(t)
	d := vfstest.NewDisk()
	vfstest.Mount(t, d, data)
	k.start()
	k.ready()
	d.FailWhen(func(op, file string) (vfstest.Fault, bool) {
		return vfstest.Fault{Err: syscall.EACCES}, op != "read" && strings.Contains(file, "jobs.json")
	})
	k.jobwright("run", "api-call", "--name", "meanwhile")
	if code := k.until("/readyz", "notice: jobs.json cannot be written: permission denied; no job is lost"); code != http.StatusOK {
		t.Errorf("/readyz: %d", code)
	}
	if _, text := k.fetch(http.MethodGet, "/readyz", ""); strings.Contains(text, data) {
		t.Errorf("/readyz tells where the data lies: %s", text)
	}
	d.FailWhen(nil)
	k.jobwright("run", "api-call", "--name", "after")
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for range look.C {
		if _, text := k.fetch(http.MethodGet, "/readyz", ""); text == "ok\n" {
			break
		}
	}
	k.stop()
}
