package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/store/events"
	eventfiles "jobwright.dev/store/events/file"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// happening is a real server without a controller, whose events the test makes.
type happening struct {
	t       *testing.T
	store   *file.Store
	archive *eventfiles.Archive
	serves  atomic.Pointer[server.Server]
	*httptest.Server
}

func newHappening(t *testing.T) *happening {
	t.Helper()
	dir := t.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { objects.Close() })
	h := &happening{t: t, store: objects}
	h.begin()
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serves.Load().ServeHTTP(w, r) }))
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	t.Setenv("JOBWRIGHT_SERVER", h.URL)
	t.Setenv("JOBWRIGHT_CONFIG_DIR", t.TempDir())
	return h
}

// begin serves an archive that is empty.
func (h *happening) begin() {
	h.t.Helper()
	dir := h.t.TempDir()
	archive, err := eventfiles.Open(eventfiles.Options{Dir: dir})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { archive.Close() })
	printed, err := logfiles.Open(filepath.Join(dir, "logs"), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { printed.Close() })
	api, err := server.New(server.Options{Store: h.store, Logs: printed, Events: archive, Log: logr.Discard()})
	if err != nil {
		h.t.Fatal(err)
	}
	h.archive = archive
	h.serves.Store(api)
}

// uid is that of a job, by the length of its name.
func uid(job string) types.UID {
	return types.UID(fmt.Sprintf("019304a5-7c00-7000-8000-%012d", len(job)))
}

func (h *happening) event(workspace, job, reason, message string, ago time.Duration) {
	h.t.Helper()
	e := events.Event{
		Time: time.Now().Add(-ago), Workspace: workspace, Job: job, UID: uid(job), Reason: reason, Message: message, Type: events.Normal,
	}
	if reason == v1.ReasonRetrying {
		e.Type, e.Attempt = events.Warning, "uid-1"
	}
	if err := h.archive.Append(e); err != nil {
		h.t.Fatal(err)
	}
}

// some makes the events that the tables below know. The half minutes keep what is
// printed from changing while the test runs.
func (h *happening) some() {
	h.event("default", "web", "Queued", "Queued with priority 0.", 10*time.Minute+30*time.Second)
	h.event("other", "secret", "Queued", "", 9*time.Minute+30*time.Second)
	h.event("default", "web", "Retrying", "exit code 1\nand more", 8*time.Minute+30*time.Second)
	h.event("default", "web", "Retrying", "exit code 1\nand more", 7*time.Minute+30*time.Second)
	h.event("default", "db", "Completed", "", 6*time.Minute+30*time.Second)
}

func TestEventsAreShown(t *testing.T) {
	h := newHappening(t)
	h.some()
	for name, tc := range map[string]struct {
		args   string
		code   int
		stdout string
		stderr string // a part of it
	}{
		"those of a workspace, as they happened": {args: "events", stdout: `
LAST SEEN   TYPE      REASON      OBJECT    MESSAGE
10m         Normal    Queued      job/web   Queued with priority 0.
7m          Warning   Retrying    job/web   exit code 1
6m          Normal    Completed   job/db    -
`},
		"those of a job": {args: "events db", stdout: `
LAST SEEN   TYPE     REASON      OBJECT   MESSAGE
6m          Normal   Completed   job/db   -
`},
		"those of a job by kind and name": {args: "events jw/db --no-headers", stdout: `
6m   Normal   Completed   job/db   -
`},
		"wide": {args: "events web -o wide", stdout: `
LAST SEEN   TYPE      REASON     OBJECT    FIRST SEEN   COUNT   ATTEMPT   MESSAGE
10m         Normal    Queued     job/web   10m          1       -         Queued with priority 0.
7m          Warning   Retrying   job/web   8m           2       uid-1     exit code 1
`},
		"all workspaces": {args: "events -A --type Normal", stdout: `
WORKSPACE   LAST SEEN   TYPE     REASON      OBJECT       MESSAGE
default     10m         Normal   Queued      job/web      Queued with priority 0.
other       9m          Normal   Queued      job/secret   -
default     6m          Normal   Completed   job/db       -
`},
		"only the newest": {args: "events --limit 1 --no-headers", stdout: `
6m   Normal   Completed   job/db   -
`, stderr: "the newest 1 events; --limit=0 shows all"},
		"without a bound": {args: "events -n other --limit 0 --no-headers", stdout: `
9m   Normal   Queued   job/secret   -
`},
		"none":                 {args: "events nothing", stderr: "No events found for job nothing in workspace default."},
		"none anywhere":        {args: "events nothing -A", stderr: "No events found for job nothing."},
		"an unknown type":      {args: "events --type Bad", code: cli.ExitUsage, stderr: "supported values: Normal, Warning"},
		"an unknown output":    {args: "events -o xml", code: cli.ExitUsage, stderr: "supported values: wide, yaml, json"},
		"a negative limit":     {args: "events --limit=-1", code: cli.ExitUsage, stderr: "must not be negative"},
		"another kind":         {args: "events workspace/default", code: cli.ExitUsage, stderr: "name a job"},
		"an unknown kind":      {args: "events cabbage/x", code: cli.ExitUsage, stderr: "unknown kind"},
		"two names":            {args: "events a b", code: cli.ExitUsage, stderr: "at most 1 arg"},
		"a server that is not": {args: "events --server http://127.0.0.1:1", code: cli.ExitError, stderr: "is it running"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := execute(t.Context(), strings.Fields(tc.args), cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
			if diff := cmp.Diff(strings.TrimPrefix(tc.stdout, "\n"), stdout.String()); diff != "" {
				t.Error(diff)
			}
			if code != tc.code || !strings.Contains(stderr.String(), tc.stderr) || tc.stderr == "" && stderr.Len() > 0 {
				t.Errorf("exit code %d, want %d; stderr %q, want %q", code, tc.code, stderr.String(), tc.stderr)
			}
		})
	}
	for output, want := range map[string]string{"yaml": "kind: EventList\n", "json": `"kind": "EventList"`} {
		var stdout bytes.Buffer
		execute(t.Context(), []string{"events", "-o", output}, cli.Streams{Out: &stdout, Err: io.Discard})
		if !strings.Contains(stdout.String(), want) || strings.Index(stdout.String(), "Queued") > strings.Index(stdout.String(), "Completed") {
			t.Errorf("%s lacks %q, or is not in order:\n%s", output, want, stdout.String())
		}
	}
}

// TestEventsAreFollowed over a connection that breaks, and over an archive that is lost.
func TestEventsAreFollowed(t *testing.T) {
	h := newHappening(t)
	h.some()
	for output, begin := range map[string]string{"": "LAST SEEN", "yaml": "apiVersion: v1", "json": "{"} {
		ctx, cancel := context.WithCancel(t.Context())
		reader, writer := io.Pipe()
		ended := make(chan int, 1)
		go func() {
			ended <- execute(ctx, []string{"events", "-w", "-o", output}, cli.Streams{Out: writer, Err: io.Discard})
			writer.Close()
		}()
		lines := bufio.NewScanner(reader)
		until := func(text string) {
			t.Helper()
			for lines.Scan() {
				if strings.Contains(lines.Text(), text) {
					return
				}
			}
			t.Fatalf("-o %q: %q does not come", output, text)
		}
		until(begin)
		until("Completed")
		h.event("default", "web", "Started", "", 0)
		until("Started")
		h.CloseClientConnections()
		h.event("default", "web", "Canceled", "", 0)
		until("Canceled")
		h.begin()
		h.CloseClientConnections()
		h.event("default", "web", "Queued", "again", 0)
		until("again")
		cancel()
		go func() { _, _ = io.Copy(io.Discard, reader) }()
		if code := <-ended; code != cli.ExitOK {
			t.Errorf("exit code %d after an interrupt", code)
		}
		h.some()
	}
}

func TestDescribeEndsWithEvents(t *testing.T) {
	h := newHappening(t)
	job := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: uid("web")},
		Spec:       v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}},
		Status:     v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	}
	if _, err := h.store.Create(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	describe := func(want string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := execute(t.Context(), []string{"describe", "job", "web"}, cli.Streams{Out: &stdout, Err: &stderr}); code != cli.ExitOK {
			t.Errorf("exit code %d: %s", code, stderr.String())
		}
		if !strings.HasSuffix(stdout.String(), want) {
			t.Errorf("does not end with\n%s:\n%s", want, stdout.String())
		}
	}
	describe("\nEvents: none\n")
	h.some()
	describe(`
Events:
  LAST SEEN         TYPE      REASON     MESSAGE
  10m               Normal    Queued     Queued with priority 0.
  7m (x2 over 8m)   Warning   Retrying   exit code 1
`)
	for range 15 {
		h.event("default", "web", "Started", "", 0)
		h.event("default", "web", "Retrying", "", 0)
	}
	var stdout bytes.Buffer
	execute(t.Context(), []string{"describe", "web"}, cli.Streams{Out: &stdout, Err: io.Discard})
	_, shown, ok := strings.Cut(stdout.String(), "Events (last 20; more of them: jobwright events web):\n")
	if !ok || strings.Count(shown, "\n") != 21 || strings.Contains(shown, "Queued") {
		t.Errorf("not the last 20:\n%s", stdout.String())
	}
}
