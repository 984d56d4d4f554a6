package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/api/core"
	"jobwright.dev/api/server"
	"jobwright.dev/store/events"
)

const eventsOf = "/api/v1/namespaces/acme/events"

// event appends an event some minutes ago, each later than the one before.
func (f *fixture) event(t testing.TB, ns, job, reason, message string) {
	t.Helper()
	e := events.Event{
		Time: time.UnixMilli(1731000000000), Workspace: ns, Job: job, UID: types.UID("uid-" + ns + "-" + job), Reason: reason, Message: message,
	}
	if reason == "Failed" {
		e.Type, e.Attempt = events.Warning, "attempt-1"
	}
	if err := f.events.Append(e); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) someEvents(t testing.TB) {
	t.Helper()
	f.event(t, "other", "x", "Queued", "")
	f.event(t, "acme", "a", "Queued", "waits")
	f.event(t, "acme", "a", "Started", "runs")
	f.event(t, "acme", "b", "Queued", "waits")
	f.event(t, "acme", "b", "Queued", "waits")
	f.event(t, "acme", "a", "Failed", "exit code 1")
}

func short(items []core.Event) []string {
	out := []string{}
	for _, e := range items {
		out = append(out, fmt.Sprintf("%s/%s/%s×%d", e.Namespace, e.InvolvedObject.Name, e.Reason, e.Count))
	}
	return out
}

func TestWhatEventsAreListed(t *testing.T) {
	f := newFixture(t)
	f.someEvents(t)
	for name, tc := range map[string]struct {
		path string
		want []string
	}{
		"a workspace, the newest first": {eventsOf, []string{"acme/a/Failed×1", "acme/b/Queued×2", "acme/a/Started×1", "acme/a/Queued×1"}},
		"all workspaces":                {"/api/v1/events", []string{"acme/a/Failed×1", "acme/b/Queued×2", "acme/a/Started×1", "acme/a/Queued×1", "other/x/Queued×1"}},
		"all workspaces but one":        {"/api/v1/events?fieldSelector=metadata.namespace!%3Dacme", []string{"other/x/Queued×1"}},
		"one of all workspaces":         {"/api/v1/events?fieldSelector=metadata.namespace%3Dother", []string{"other/x/Queued×1"}},
		"a name":                        {eventsOf + "?fieldSelector=involvedObject.name%3Db", []string{"acme/b/Queued×2"}},
		"what kubectl describe asks":    {eventsOf + "?limit=500&fieldSelector=involvedObject.name%3Db,involvedObject.namespace%3Dacme,involvedObject.kind%3DJob,involvedObject.uid%3Duid-acme-b", []string{"acme/b/Queued×2"}},
		"another uid":                   {eventsOf + "?fieldSelector=involvedObject.name%3Db,involvedObject.uid%3Duid-acme-a", []string{}},
		"another kind":                  {eventsOf + "?fieldSelector=involvedObject.kind%3DPod", []string{}},
		"another workspace":             {eventsOf + "?fieldSelector=involvedObject.namespace%3Dother", []string{}},
		"a type":                        {eventsOf + "?fieldSelector=type%3DWarning", []string{"acme/a/Failed×1"}},
		"not a type":                    {eventsOf + "?fieldSelector=type!%3DWarning,involvedObject.name%3Da", []string{"acme/a/Started×1", "acme/a/Queued×1"}},
		"a reason":                      {eventsOf + "?fieldSelector=reason%3DStarted", []string{"acme/a/Started×1"}},
		"labels, which events lack":     {eventsOf + "?labelSelector=a%3Db", []string{}},
		"a label that must be missing":  {eventsOf + "?labelSelector=!a&limit=1", []string{"acme/a/Failed×1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var list core.EventList
			_, body := f.do(t, request{"GET", tc.path, "", nil})
			if err := json.Unmarshal([]byte(body), &list); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, short(list.Items)); diff != "" || list.Kind != "EventList" || list.APIVersion != "v1" || list.ResourceVersion != "6" {
				t.Errorf("%s %s at %s: %s", list.APIVersion, list.Kind, list.ResourceVersion, diff)
			}
		})
	}
	_, body := f.do(t, request{"GET", eventsOf + "?fieldSelector=type%3DWarning", "", nil})
	golden(t, "events-list", body)
}

func TestEventsArePagedAsAtTheFirstPage(t *testing.T) {
	f := newFixture(t)
	f.someEvents(t)
	var got []string
	next := ""
	for page := 0; page == 0 || next != ""; page++ {
		var list core.EventList
		_, body := f.do(t, request{"GET", eventsOf + "?limit=2&continue=" + next, "", nil})
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > 2 || list.ResourceVersion != "6" {
			t.Errorf("page %d has %d items at %s", page, len(list.Items), list.ResourceVersion)
		}
		got = append(got, short(list.Items)...)
		next = list.Continue
		f.event(t, "acme", "c", "Queued", "") // comes meanwhile and belongs to no page
	}
	if diff := cmp.Diff([]string{"acme/a/Failed×1", "acme/b/Queued×2", "acme/a/Started×1", "acme/a/Queued×1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatEventRequestsAreRefused(t *testing.T) {
	f := newFixture(t)
	for name, tc := range map[string]struct {
		query string
		code  int
		text  string
	}{
		"an unknown field":          {"fieldSelector=spec.x%3D1", 400, "field label not supported: spec.x"},
		"a broken field selector":   {"fieldSelector=a", 400, "fieldSelector"},
		"a broken label selector":   {"labelSelector=a%20b%20c", 400, "labelSelector"},
		"a bad limit":               {"limit=x", 400, "limit"},
		"a bad continue token":      {"continue=x", 400, "continue"},
		"a continue token of zero":  {"continue=0.5", 400, "continue"},
		"a bad version":             {"watch=true&resourceVersion=x", 400, "resourceVersion"},
		"a bad timeout":             {"watch=true&timeoutSeconds=x", 400, "timeoutSeconds"},
		"a bad includeObject":       {"includeObject=Some", 400, "includeObject"},
		"a version nobody has seen": {"watch=true&resourceVersion=99", 200, `"type":"ERROR"`},
		"and why":                   {"watch=true&resourceVersion=99", 200, `"reason":"Expired"`},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := f.do(t, request{"GET", eventsOf + "?" + tc.query, "", nil})
			if response.StatusCode != tc.code || !strings.Contains(body, tc.text) {
				t.Errorf("%d %s\nwant %d with %q", response.StatusCode, body, tc.code, tc.text)
			}
		})
	}
	if response, _ := f.do(t, request{"POST", eventsOf, "{}", nil}); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d, want 405: events are read only", response.StatusCode)
	}
	f.events.Close()
	if response, body := f.do(t, request{"GET", eventsOf, "", nil}); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("when the archive is closed: %d %s", response.StatusCode, body)
	}
}

// TestAWorkspaceDoesNotSeeWhatAnotherOfItsNameHasLeft: a customer's name may be given
// to the next one.
func TestAWorkspaceDoesNotSeeWhatAnotherOfItsNameHasLeft(t *testing.T) {
	f := newFixture(t)
	const workspaces, path = "/apis/jobwright.dev/v1/workspaces", "/api/v1/namespaces/next/events"
	shows := func(query string, want ...string) {
		t.Helper()
		_, body := f.do(t, request{"GET", path + query, "", nil})
		for _, message := range []string{"of the first", "of the second"} {
			if got := strings.Contains(body, message); got != slices.Contains(want, message) {
				t.Errorf("%s%s: %q is shown: %v\n%s", path, query, message, got, body)
			}
		}
	}
	f.event(t, "next", "x", "Queued", "of the first")
	shows("", "of the first") // there is no workspace at all
	if response, body := f.do(t, request{"POST", workspaces, `{"apiVersion":"jobwright.dev/v1","kind":"Workspace","metadata":{"name":"next"}}`, nil}); response.StatusCode != http.StatusCreated {
		t.Fatal(body)
	}
	shows("")
	if err := f.events.Append(events.Event{Workspace: "next", Job: "x", Reason: "Queued", Message: "of the second"}); err != nil {
		t.Fatal(err)
	}
	shows("", "of the second")
	shows("?watch=true&timeoutSeconds=1", "of the second")
	shows("?fieldSelector=involvedObject.name%3Dx&limit=1", "of the second")
}

// TestWithoutAnArchive there are no events, and that is no error.
func TestWithoutAnArchive(t *testing.T) {
	f := newFixture(t)
	api, err := server.New(server.Options{Store: f.store, Logs: f.archive, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	defer listening.Close()
	f.url = listening.URL
	if _, body := f.do(t, request{"GET", eventsOf, "", nil}); !strings.Contains(body, `"items":[]`) {
		t.Error(body)
	}
	if response, body := f.do(t, request{"GET", eventsOf + "?watch=true&timeoutSeconds=1", "", nil}); response.StatusCode != http.StatusOK || body != "" {
		t.Errorf("watch: %d %s", response.StatusCode, body)
	}
}

const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"

func TestWhichFormEventsAreAnsweredIn(t *testing.T) {
	f := newFixture(t)
	f.someEvents(t)
	for accept, want := range map[string]string{
		"":                 "EventList",
		"*/*":              "EventList",
		"application/json": "EventList",
		"application/vnd.kubernetes.protobuf,application/json": "EventList",
		asTable: "Table",
		"application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json": "EventList",
		"application/json;as=Other;v=v1;g=meta.k8s.io,application/json":      "EventList",
		"application/json," + asTable:                                        "EventList",
		"nonsense;;;," + asTable:                                             "Table",
		"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io":    "EventList",
	} {
		_, body := f.do(t, request{"GET", eventsOf, "", map[string]string{"Accept": accept}})
		var got metav1.TypeMeta
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.Kind != want {
			t.Errorf("Accept %q: %s, want %s", accept, got.Kind, want)
		}
	}
	for include, want := range map[string]string{
		"": "PartialObjectMetadata", "Metadata": "PartialObjectMetadata", "Object": "exit code 1", "None": `"object":null`,
	} {
		_, body := f.do(t, request{"GET", eventsOf + "?limit=1&includeObject=" + include, "", map[string]string{"Accept": asTable}})
		var table struct {
			Rows []struct {
				Cells  []any           `json:"cells"`
				Object json.RawMessage `json:"object"`
			} `json:"rows"`
		}
		if err := json.Unmarshal([]byte(body), &table); err != nil || len(table.Rows) != 1 || len(table.Rows[0].Cells) != 9 {
			t.Fatalf("%v: %s", err, body)
		}
		if !strings.Contains(`"object":`+string(table.Rows[0].Object), want) {
			t.Errorf("includeObject=%s: %s, want %s", include, table.Rows[0].Object, want)
		}
	}
}

func TestEventsAreFollowed(t *testing.T) {
	f := newFixture(t)
	f.someEvents(t)
	lines := func(query, accept string) *bufio.Scanner {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+eventsOf+"?watch=true&"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		response, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return bufio.NewScanner(response.Body)
	}
	all, later, rows := lines("", ""), lines("resourceVersion=5", ""), lines("resourceVersion=6&fieldSelector=reason%3DCompleted", asTable)
	next := func(from *bufio.Scanner) core.Event {
		t.Helper()
		if !from.Scan() {
			t.Fatalf("the watch ended: %v", from.Err())
		}
		var line struct {
			Type   string     `json:"type"`
			Object core.Event `json:"object"`
		}
		if err := json.Unmarshal(from.Bytes(), &line); err != nil || line.Type != "ADDED" {
			t.Fatalf("%v: %s", err, from.Bytes())
		}
		return line.Object
	}
	var got []core.Event
	for range 4 {
		got = append(got, next(all))
	}
	got = append(got, next(later))
	f.event(t, "other", "x", "Started", "")
	f.event(t, "acme", "a", "Completed", "one")
	got = append(got, next(all), next(later))
	want := []string{
		"acme/a/Queued×1", "acme/a/Started×1", "acme/b/Queued×2", "acme/a/Failed×1",
		"acme/a/Failed×1", "acme/a/Completed×1", "acme/a/Completed×1",
	}
	if diff := cmp.Diff(want, short(got)); diff != "" {
		t.Error(diff)
	}
	f.event(t, "acme", "b", "Completed", "two")
	for i, message := range []string{"one", "two"} {
		if !rows.Scan() {
			t.Fatalf("the watch ended: %v", rows.Err())
		}
		if text := rows.Text(); !strings.Contains(text, `"kind":"Table"`) || !strings.Contains(text, message) || strings.Contains(text, "Last Seen") != (i == 0) {
			t.Errorf("row %d: %s", i, text)
		}
	}
}

// TestKubectlShowsEvents runs the real kubectl against the real server.
func TestKubectlShowsEvents(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		const missing = "needs the real kubectl in PATH: install kubectl 1.32 or newer"
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" {
			t.Log(missing) // it is not in Debian, so that its absence is no error, and .ci/components tells of it
			return
		}
		t.Skip(missing)
	}
	f := newFixture(t)
	f.someEvents(t)
	j := f.job(t, "acme", "c", nil)
	if err := f.events.Append(events.Event{Workspace: "acme", Job: "c", UID: j.UID, Reason: "Queued", Message: "waits for its turn"}); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), kubectl, append([]string{"--server", f.url, "--namespace", "acme"}, args...)...)
		cmd.Env = []string{"HOME=" + home, "KUBECONFIG=/dev/null", "PATH=" + os.Getenv("PATH")}
		return cmd
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := command(args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
		return string(out)
	}
	for name, tc := range map[string]struct {
		args []string
		want []string
		not  string
	}{
		"get events":          {[]string{"get", "events"}, []string{"LAST SEEN", "REASON", "job/a", "exit code 1"}, "job/x"},
		"get events, wide":    {[]string{"get", "events", "-o", "wide"}, []string{"COUNT", "jobwright", "FIRST SEEN"}, "job/x"},
		"get events, sorted":  {[]string{"get", "events", "--sort-by=.lastTimestamp"}, []string{"job/c"}, "job/x"},
		"get events, all":     {[]string{"get", "events", "-A"}, []string{"NAMESPACE", "other", "job/x"}, "job/none"},
		"get events, yaml":    {[]string{"get", "ev", "-o", "yaml"}, []string{"kind: Event", "jobwright.dev/attempt: attempt-1"}, "job/x"},
		"get events, one job": {[]string{"get", "events", "--field-selector", "involvedObject.name=b"}, []string{"job/b"}, "job/a"},
		"get events in pages": {[]string{"get", "events", "--chunk-size=1"}, []string{"job/a", "job/b", "job/c"}, "job/x"},
		"events":              {[]string{"events"}, []string{"Job/a", "exit code 1", "(x2 over"}, "Job/x"},
		"events of warning":   {[]string{"events", "--types=Warning"}, []string{"exit code 1"}, "waits"},
		"events of one job":   {[]string{"events", "--for", "jobs.jobwright.dev/c"}, []string{"waits for its turn"}, "exit code"},
		"describe":            {[]string{"describe", "jw", "c"}, []string{"Events:", "Queued", "jobwright", "waits for its turn"}, "exit code"},
	} {
		t.Run(name, func(t *testing.T) {
			out := run(tc.args...)
			for _, want := range tc.want {
				if !strings.Contains(out, want) {
					t.Errorf("lacks %q:\n%s", want, out)
				}
			}
			if strings.Contains(out, tc.not) {
				t.Errorf("shows %q:\n%s", tc.not, out)
			}
		})
	}
	for i, args := range [][]string{{"get", "events", "-w"}, {"events", "-w"}} {
		cmd := command(args...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		until := func(text string) {
			t.Helper()
			for lines.Scan() {
				if strings.Contains(lines.Text(), text) {
					return
				}
			}
			t.Fatalf("kubectl %v does not show %q", args, text)
		}
		until("waits for its turn")
		message := fmt.Sprintf("just now %d", i)
		f.event(t, "acme", "c", "Started", message)
		until(message)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed, as asked
	}
}
