package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/server"
	"jobwright.dev/api/server/auth"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	eventfiles "jobwright.dev/store/events/file"
	"jobwright.dev/store/file"
	"jobwright.dev/store/logs"
	logfiles "jobwright.dev/store/logs/file"
)

var updateGoldens = flag.Bool("update", false, "write the golden files anew")

// operatorToken is that of the fixture's server.
const operatorToken = "operator-token-of-the-test"

// fixture is a server over the real store.
type fixture struct {
	store   *file.Store
	archive *logfiles.Archive
	events  *eventfiles.Archive
	url     string
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	dir := t.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := logfiles.Open(filepath.Join(dir, "logs"), 0)
	if err != nil {
		t.Fatal(err)
	}
	happened, err := eventfiles.Open(eventfiles.Options{Dir: filepath.Join(dir, "events")})
	if err != nil {
		t.Fatal(err)
	}
	api, err := server.New(server.Options{Store: objects, Logs: archive, Events: happened, Log: logr.Discard(), Version: "v0.0.0-test", Authenticator: auth.Loopback{Credentials: auth.OperatorToken(operatorToken)}, MaxBody: 64 << 10, MaxWorkspaces: 3})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	t.Cleanup(func() {
		listening.CloseClientConnections()
		listening.Close()
		archive.Close()
		happened.Close()
		if err := objects.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{store: objects, archive: archive, events: happened, url: listening.URL}
	for _, name := range []string{"acme", "other"} {
		ws := &v1.Workspace{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace}, ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.Unix(1731000000, 0)}}
		if _, err := objects.Create(context.Background(), ws); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

type request struct {
	method, path, body string
	header             map[string]string
}

func (f *fixture) do(t testing.TB, r request) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), r.method, f.url+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if path, _, _ := strings.Cut(r.path, "?"); strings.HasSuffix(path, "/status") {
		req.Header.Set("Authorization", "Bearer "+operatorToken) // status is the controller's
	}
	for name, value := range r.header {
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func workspace(name string) map[string]string {
	return map[string]string{"Cookie": server.WorkspaceCookie + "=" + name}
}

// job stores a job; status may be nil.
func (f *fixture) job(t testing.TB, ns, name string, change func(*v1.Job)) *v1.Job {
	t.Helper()
	j := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns, UID: "019304a5-7c00-7000-8000-000000000001", CreationTimestamp: metav1.Unix(1731000000, 0)},
		Spec:       v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployUp}},
		Status:     v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	}
	if change != nil {
		change(j)
	}
	records, err := f.store.Create(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := records[0].Job()
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func finished(j *v1.Job) {
	at := metav1.NewMicroTime(time.UnixMilli(1731000005000))
	j.UID = "019304a5-7c00-7000-8000-000000000002"
	j.Status = v1.JobStatus{Phase: v1.JobSucceeded, Reason: v1.ReasonCompleted, Pct: 100, Attempts: 1, StartTime: &at, CompletionTime: &at, LastUpdateTime: &at}
	for _, condition := range []string{v1.ConditionComplete, v1.ConditionFinished} {
		j.Status.SetCondition(condition, metav1.ConditionTrue, v1.ReasonCompleted, "", 1, metav1.NewTime(at.Time))
	}
}

// TestSeedGoldens holds the seed's interface to the letter: status code and body of
// every route in every case.
func TestSeedGoldens(t *testing.T) {
	f := newFixture(t)
	queued := f.job(t, "acme", "1731000000000-aaaaaa", nil)
	f.job(t, "acme", "1731000000000-bbbbbb", finished)
	f.job(t, "other", "1731000000000-cccccc", func(j *v1.Job) { j.UID = "019304a5-7c00-7000-8000-000000000003" })
	writer, err := f.archive.Writer(logs.Ref{Workspace: "acme", Job: queued.Name, UID: queued.UID})
	if err != nil {
		t.Fatal(err)
	}
	writer.Line(time.UnixMilli(0), "stdout", "a line of <output>")
	if err := writer.Close(time.UnixMilli(0)); err != nil {
		t.Fatal(err)
	}
	acme := workspace("acme")
	seedYAML := map[string]string{"Cookie": acme["Cookie"], "Content-Type": "application/yaml"}
	for _, tc := range []struct {
		name string
		request
	}{
		{"list", request{"GET", "/api/jobs", "", acme}},
		{"list-empty", request{"GET", "/api/jobs", "", workspace("nobody")}},
		{"list-without-workspace", request{"GET", "/api/jobs", "", nil}},
		{"list-first", request{"GET", "/api/jobs?limit=1", "", acme}},
		{"list-second", request{"GET", "/api/jobs?limit=1&offset=1", "", acme}},
		{"list-limit-too-large", request{"GET", "/api/jobs?limit=201", "", acme}},
		{"list-limit-no-number", request{"GET", "/api/jobs?limit=", "", acme}},
		{"list-offset-negative", request{"GET", "/api/jobs?offset=-1", "", acme}},
		{"list-offset-too-large", request{"GET", "/api/jobs?offset=100001", "", acme}},
		{"list-offset-and-continue", request{"GET", "/api/jobs?offset=1&continue=x", "", acme}},
		{"list-bad-continue", request{"GET", "/api/jobs?continue=nonsense", "", acme}},
		{"list-bad-workspace", request{"GET", "/api/jobs", "", workspace("../x")}},
		{"get-queued", request{"GET", "/api/jobs/1731000000000-aaaaaa", "", acme}},
		{"get-finished", request{"GET", "/api/jobs/1731000000000-bbbbbb", "", acme}},
		{"get-missing", request{"GET", "/api/jobs/none", "", acme}},
		{"get-foreign", request{"GET", "/api/jobs/1731000000000-cccccc", "", acme}},
		{"get-without-workspace", request{"GET", "/api/jobs/none", "", nil}},
		{"create-record", request{"POST", "/api/jobs", `{"type":"api_call","payload":{"any":["thing"]}}`, acme}},
		{"create-without-payload", request{"POST", "/api/jobs", `{"type":"api_call"}`, acme}},
		{"create-build", request{"POST", "/api/jobs", `{"type":"build","payload":{"action":"apply_builder","id":"x","variables":{"A":1}}}`, acme}},
		{"create-deploy", request{"POST", "/api/jobs", `{"type":"deploy","payload":{"verb":"up"}}`, acme}},
		{"create-several", request{"POST", "/api/jobs", `{"jobs":[{"type":"api_call"},{"type":"deploy","payload":{"verb":"ps"}}]}`, acme}},
		{"create-several-of-which-two-are-bad", request{"POST", "/api/jobs", `{"jobs":[{"type":"api_call"},{"type":"bake"},{"type":"deploy","payload":{"verb":"upp"}}]}`, acme}},
		{"create-none", request{"POST", "/api/jobs", `{"jobs":[]}`, acme}},
		{"create-in-new-workspace", request{"POST", "/api/jobs", `{"type":"api_call"}`, workspace("fresh")}},
		{"create-in-one-workspace-too-many", request{"POST", "/api/jobs", `{"type":"api_call"}`, workspace("fresher")}},
		{"create-without-workspace", request{"POST", "/api/jobs", `{"type":"api_call"}`, nil}},
		{"create-unknown-type", request{"POST", "/api/jobs", `{"type":"bake"}`, acme}},
		{"create-bad-json", request{"POST", "/api/jobs", `{"type":`, acme}},
		{"create-empty", request{"POST", "/api/jobs", ``, acme}},
		{"create-payload-that-does-not-fit", request{"POST", "/api/jobs", `{"type":"deploy","payload":{"verb":"upp"}}`, acme}},
		{"create-payload-of-another-type", request{"POST", "/api/jobs", `{"type":"deploy","payload":{"action":"x"}}`, acme}},
		{"create-payload-no-object", request{"POST", "/api/jobs", `{"type":"build","payload":[1]}`, acme}},
		{"create-unknown-field", request{"POST", "/api/jobs", `{"type":"api_call","extra":1}`, acme}},
		{"create-too-large", request{"POST", "/api/jobs", `{"type":"api_call","payload":{"a":"` + strings.Repeat("x", 70<<10) + `"}}`, acme}},
		{"create-yaml", request{"POST", "/api/jobs", "# a build\ntype: build\npayload: {action: apply_builder, arguments: {\"n\": 1.10, \"big\": 9007199254740993}}\n", seedYAML}},
		{"create-yaml-several", request{"POST", "/api/jobs", "jobs:\n- type: api_call\n- type: api_call\n  payload: {tokens: 3}\n", seedYAML}},
		{"create-yaml-with-a-key-that-is-no-string", request{"POST", "/api/jobs", "type: build\npayload:\n  action: apply_builder\n  arguments: {n: 2}\n", seedYAML}},
		{"create-bad-yaml", request{"POST", "/api/jobs", "type: [", seedYAML}},
		{"create-empty-yaml", request{"POST", "/api/jobs", "# nothing\n", seedYAML}},
		{"create-wrong-media", request{"POST", "/api/jobs", `a=b`, map[string]string{"Cookie": acme["Cookie"], "Content-Type": "application/x-www-form-urlencoded"}}},
		{"cancel", request{"POST", "/api/jobs/1731000000000-aaaaaa", `{"action":"cancel"}`, acme}},
		{"cancel-finished", request{"POST", "/api/jobs/1731000000000-bbbbbb", `{"action":"cancel"}`, acme}},
		{"cancel-missing", request{"POST", "/api/jobs/none", `{"action":"cancel"}`, acme}},
		{"cancel-foreign", request{"POST", "/api/jobs/1731000000000-cccccc", `{"action":"cancel"}`, acme}},
		{"cancel-without-workspace", request{"POST", "/api/jobs/none", `{"action":"cancel"}`, nil}},
		{"act-otherwise", request{"POST", "/api/jobs/1731000000000-aaaaaa", `{"action":"explode"}`, acme}},
		{"wrong-method", request{"DELETE", "/api/jobs/1731000000000-aaaaaa", "", acme}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			response, body := f.do(t, tc.request)
			got := fmt.Sprintf("%d %s\n%s", response.StatusCode, response.Header.Get("Content-Type"), hideID(body))
			golden(t, "seed-"+tc.name, got)
		})
	}
	record, err := f.store.Get(t.Context(), store.KeyOf(queued))
	if err != nil {
		t.Fatal(err)
	}
	if j, err := record.Job(); err != nil || !j.Spec.Cancel {
		t.Errorf("cancel did not become desired state: %v", err)
	}
}

// newID is the id of a job made just now, as it stands in an answer or a message; the
// jobs that the test makes itself have times of 2024.
var newID = regexp.MustCompile(`"179[0-9]{10}-[a-z0-9]{6}\\?"`)

// hideID replaces the id of a new job, once its form was checked.
func hideID(body string) string { return newID.ReplaceAllString(body, `"MILLIS-RANDOM"`) }

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *updateGoldens {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

const base = "/apis/jobwright.dev/v1/namespaces/acme/jobs"

func manifest(name, spec string) string {
	return `{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":"` + name + `"},"spec":` + spec + `}`
}

const deploy = `{"deploy":{"verb":"up"}}`

func TestWhatTheObjectAPIRefuses(t *testing.T) {
	f := newFixture(t)
	f.job(t, "acme", "one", nil)
	f.job(t, "acme", "ended", finished)
	merge := map[string]string{"Content-Type": "application/merge-patch+json"}
	for name, tc := range map[string]struct {
		request
		code int
		text string
	}{
		"an unknown field":                    {request{"POST", base, manifest("x", `{"type":"api_call","bogus":1}`), nil}, 400, `strict decoding error: unknown field \"spec.bogus\"`},
		"a value that is not supported":       {request{"POST", base, manifest("x", `{"deploy":{"verb":"upp"}}`), nil}, 422, `spec.deploy.verb: Unsupported value: \"upp\": supported values: `},
		"what only later versions do":         {request{"POST", base, manifest("x", `{"deploy":{"verb":"up"},"ttlSecondsAfterFinished":{"failed":60}}`), nil}, 422, "not supported yet"},
		"a body that is cut off":              {request{"POST", base, `{"kind":`, nil}, 400, "the text ends too soon"},
		"another kind":                        {request{"POST", base, `{"apiVersion":"jobwright.dev/v1","kind":"Workspace","metadata":{"name":"x"}}`, nil}, 400, "takes a Job"},
		"a name that is taken":                {request{"POST", base, manifest("one", deploy), nil}, 409, "AlreadyExists"},
		"a workspace that is not there":       {request{"POST", "/apis/jobwright.dev/v1/namespaces/none/jobs", manifest("x", deploy), nil}, 404, `namespaces \"none\" not found`},
		"another namespace than the path's":   {request{"POST", base, strings.Replace(manifest("x", deploy), `"name":"x"`, `"name":"x","namespace":"other"`, 1), nil}, 400, "namespace"},
		"a missing object":                    {request{"GET", base + "/none", "", nil}, 404, `jobs.jobwright.dev \"none\" not found`},
		"an update without a version":         {request{"PUT", base + "/one", manifest("one", deploy), nil}, 400, "metadata.resourceVersion"},
		"an update of a stale version":        {request{"PUT", base + "/one", strings.Replace(manifest("one", deploy), `"name":"one"`, `"name":"one","resourceVersion":"1"`, 1), nil}, 409, "Conflict"},
		"a changed payload of a finished job": {request{"PATCH", base + "/ended", `{"spec":{"deploy":{"verb":"down"}}}`, merge}, 422, "immutable"},
		"a cancel of a finished job":          {request{"PATCH", base + "/ended", `{"spec":{"cancel":true}}`, merge}, 422, "spec"},
		"a status that leaves its end":        {request{"PATCH", base + "/ended/status", `{"status":{"phase":"Queued"}}`, merge}, 422, "status"},
		"a strategic merge patch":             {request{"PATCH", base + "/one", `{}`, map[string]string{"Content-Type": "application/strategic-merge-patch+json"}}, 415, "application/merge-patch+json"},
		"a patch of the name":                 {request{"PATCH", base + "/one", `{"metadata":{"name":"two"}}`, merge}, 400, "the address names"},
		"a bad label selector":                {request{"GET", base + "?labelSelector=a%20b%20c", "", nil}, 400, "labelSelector"},
		"a field that cannot be selected":     {request{"GET", base + "?fieldSelector=spec.x=1", "", nil}, 400, "field label not supported: spec.x"},
		"a bad limit":                         {request{"GET", base + "?limit=-1", "", nil}, 400, "limit"},
		"a bad continue token":                {request{"GET", base + "?continue=nonsense", "", nil}, 400, "continue"},
		"a bad order":                         {request{"GET", base + "?order=random", "", nil}, 400, "newestFirst"},
		"a bad version to watch from":         {request{"GET", base + "?watch=true&resourceVersion=x", "", nil}, 400, "resourceVersion"},
		"a bad tail":                          {request{"GET", base + "/one/log?tailLines=x", "", nil}, 400, "tailLines"},
		"a log of a missing job":              {request{"GET", base + "/none/log", "", nil}, 404, "not found"},
		"deleting a workspace with jobs":      {request{"DELETE", "/apis/jobwright.dev/v1/workspaces/acme", "", nil}, 409, "still has jobs"},
		"deleting the default workspace":      {request{"DELETE", "/apis/jobwright.dev/v1/workspaces/default", "", nil}, 403, "always exists"},
		"a foreign host":                      {request{"GET", base, "", map[string]string{"Host": "evil.example"}}, 403, "localhost"},
		"a foreign origin":                    {request{"POST", "/api/jobs", `{"type":"api_call"}`, map[string]string{"Origin": "https://evil.example", "Cookie": "active_workspace=acme"}}, 403, "origin"},
		"a foreign origin reading":            {request{"GET", base, "", map[string]string{"Origin": "null"}}, 403, "origin"},
		"a form of another site":              {request{"POST", "/api/jobs", `{}`, map[string]string{"Sec-Fetch-Site": "cross-site"}}, 403, "another site"},
		"an unknown path":                     {request{"GET", "/apis/jobwright.dev/v1/cabbages", "", nil}, 404, "404 page not found"},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := f.do(t, tc.request)
			if response.StatusCode != tc.code || !strings.Contains(body, tc.text) {
				t.Errorf("%d %s\nwant %d with %q", response.StatusCode, body, tc.code, tc.text)
			}
		})
	}
}

func TestAnObjectsWayThroughTheAPI(t *testing.T) {
	f := newFixture(t)
	get := func(r request, code int) v1.Job {
		t.Helper()
		response, body := f.do(t, r)
		if response.StatusCode != code {
			t.Fatalf("%s %s: %d %s", r.method, r.path, response.StatusCode, body)
		}
		var j v1.Job
		if code >= 400 {
			return j
		}
		if err := json.Unmarshal([]byte(body), &j); err != nil {
			t.Fatal(err)
		}
		return j
	}
	yaml := "apiVersion: jobwright.dev/v1\nkind: Job\nmetadata: {generateName: job-, labels: {a: b}}\nspec: {deploy: {verb: up}, createdBy: {id: forged}}\nstatus: {phase: Succeeded}\n"
	if j := get(request{"POST", base + "?dryRun=All", yaml, map[string]string{"Content-Type": "application/yaml"}}, 201); j.UID != "" {
		t.Error("a dry run stored the object")
	}
	j := get(request{"POST", base, yaml, map[string]string{"Content-Type": "application/yaml"}}, 201)
	if j.Status.Phase != v1.JobQueued || j.Spec.CreatedBy != nil || j.Spec.Type != v1.JobTypeDeploy || !strings.HasPrefix(j.Name, "job-") || j.UID == "" || j.Generation != 1 {
		t.Fatalf("created: %+v", j)
	}
	path := base + "/" + j.Name
	merge := map[string]string{"Content-Type": "application/merge-patch+json"}
	if same := get(request{"PATCH", path, `{"metadata":{"labels":{"a":"b"}}}`, merge}, 200); same.ResourceVersion != j.ResourceVersion {
		t.Error("a patch that changes nothing was written")
	}
	changed := get(request{"PATCH", path, `{"spec":{"priority":7},"status":{"phase":"Failed"}}`, merge}, 200)
	if changed.Generation != 2 || changed.Spec.Priority != 7 || changed.Status.Phase != v1.JobQueued {
		t.Errorf("patched: %+v", changed)
	}
	status := get(request{"PATCH", path + "/status", `{"spec":{"priority":9},"status":{"message":"seen"}}`, merge}, 200)
	if status.Generation != 2 || status.Spec.Priority != 7 || status.Status.Message != "seen" {
		t.Errorf("status patched: %+v", status)
	}
	for selector, want := range map[string]int{
		"labelSelector=a%3Db": 1, "labelSelector=a%3Dc": 0, "fieldSelector=status.phase%3DQueued": 1,
		"fieldSelector=metadata.name%3Dnone": 0, "fieldSelector=metadata.namespace%3Dother": 0, "order=newestFirst&limit=5": 1,
	} {
		_, body := f.do(t, request{"GET", base + "?" + selector, "", nil})
		var list v1.JobList
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Items) != want || list.Kind != "JobList" {
			t.Errorf("%s: %d items of %s, %v; want %d", selector, len(list.Items), list.Kind, err, want)
		}
	}
	if response, body := f.do(t, request{"DELETE", path, "", nil}); response.StatusCode != http.StatusOK || !strings.Contains(body, string(j.UID)) {
		t.Errorf("delete: %d %s", response.StatusCode, body)
	}
	get(request{"GET", path, "", nil}, 404)
}

func TestAWatchDeliversWhatHappens(t *testing.T) {
	f := newFixture(t)
	f.job(t, "acme", "there-before", nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+base+"?watch=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	next := func() (string, string) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the watch ended: %v", lines.Err())
		}
		var event struct {
			Type   string `json:"type"`
			Object v1.Job `json:"object"`
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		return event.Type, event.Object.Name
	}
	expect := func(wantType, wantName string) {
		t.Helper()
		if gotType, gotName := next(); gotType != wantType || gotName != wantName {
			t.Errorf("event %s of %s, want %s of %s", gotType, gotName, wantType, wantName)
		}
	}
	expect("ADDED", "there-before")
	f.do(t, request{"POST", base, manifest("new", deploy), nil})
	expect("ADDED", "new")
	f.do(t, request{"PATCH", base + "/new", `{"spec":{"priority":1}}`, map[string]string{"Content-Type": "application/merge-patch+json"}})
	expect("MODIFIED", "new")
	f.do(t, request{"DELETE", base + "/new", "", nil})
	expect("DELETED", "new")

	if _, body := f.do(t, request{"GET", base + "?watch=true&resourceVersion=99999999", "", nil}); !strings.Contains(body, `"type":"ERROR"`) || !strings.Contains(body, `"code":410`) {
		t.Errorf("a watch from an unknown version: %s", body)
	}
}

func TestALogIsFollowedUntilTheJobHasEnded(t *testing.T) {
	f := newFixture(t)
	j := f.job(t, "acme", "one", nil)
	writer, err := f.archive.Writer(logs.Ref{Workspace: "acme", Job: "one", UID: j.UID})
	if err != nil {
		t.Fatal(err)
	}
	writer.Line(time.UnixMilli(0), "stdout", "first")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+base+"/one/log?follow=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for _, text := range []string{"first", "second"} {
		if !lines.Scan() || lines.Text() != text {
			t.Fatalf("line %q, %v; want %q", lines.Text(), lines.Err(), text)
		}
		if text == "first" {
			writer.Line(time.UnixMilli(0), "stdout", "second")
		}
	}
	writer.Line(time.UnixMilli(0), "stdout", "last")
	finished(j)
	j.Status.Attempts, j.UID = 0, "019304a5-7c00-7000-8000-000000000001"
	if _, err := f.store.UpdateStatus(t.Context(), j, store.Durable); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || lines.Text() != "last" {
		t.Fatalf("line %q, want last", lines.Text())
	}
	if lines.Scan() {
		t.Errorf("after the end came %q", lines.Text())
	}
	for query, want := range map[string]string{
		"tailLines=1": "last\n", "limitBytes=3": "first\n", "timestamps=true&tailLines=1": "1970-01-01T00:00:00.000000Z last\n", "tailLines=0": "",
	} {
		if _, body := f.do(t, request{"GET", base + "/one/log?" + query, "", nil}); body != want {
			t.Errorf("%s: %q, want %q", query, body, want)
		}
	}
	_, body := f.do(t, request{"GET", base + "/one/log?tailLines=2", "", map[string]string{"Accept": "application/x-ndjson"}})
	var entry logs.Entry
	if err := json.Unmarshal([]byte(strings.SplitN(body, "\n", 2)[0]), &entry); err != nil || entry.Text != "second" {
		t.Fatalf("%s: %v", body, err)
	}
	if _, rest := f.do(t, request{"GET", base + fmt.Sprintf("/one/log?sinceOffset=%d", entry.Offset), "", nil}); rest != "last\n" {
		t.Errorf("from the offset of second on: %q", rest)
	}
}

func TestProbesAndDiscovery(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]string{
		"/livez": "ok", "/readyz": "ok", "/version": "v0.0.0-test", "/api": `"versions":["v1"]`, "/api/v1": `"name":"events"`, "/apis": "APIGroupList",
		"/apis/jobwright.dev/v1": `"shortNames":["jw"]`,
	} {
		if response, body := f.do(t, request{"GET", path, "", nil}); response.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
}

// TestStatusIsTheControllersAlone: whoever has no token reads a status, and writes none.
func TestStatusIsTheControllersAlone(t *testing.T) {
	f := newFixture(t)
	f.job(t, "acme", "a", nil)
	nobody := map[string]string{"Authorization": "", "Content-Type": "application/merge-patch+json"}
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		f.want(t, request{method, jobsPath + "/a/status", `{"status":{"message":"forged"}}`, nobody}, http.StatusForbidden, "operator's token")
	}
	if body := f.want(t, request{http.MethodGet, jobsPath + "/a/status", "", nobody}, http.StatusOK); strings.Contains(body, "forged") {
		t.Errorf("the status is %s", body)
	}
	operator := map[string]string{"Content-Type": "application/merge-patch+json"}
	f.want(t, request{http.MethodPatch, jobsPath + "/a/status", `{"status":{"attempts":2147483647}}`, operator}, http.StatusUnprocessableEntity, "attempts is 2147483647")
}

// TestAJobThatHasEndedElsewhereIsNotRunAgain: what another server's jobs.json holds of a
// finished job, applied here as it is, is refused in every way of creating it, and says what
// helps; without its status it is a new job.
func TestAJobThatHasEndedElsewhereIsNotRunAgain(t *testing.T) {
	f := newFixture(t)
	ended := `{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":"down","uid":"01a222f6-b112-7057-b9c9-6885f8b61373","resourceVersion":"7"},` +
		`"spec":{"type":"deploy","deploy":{"verb":"down","composePath":"compose.yml"}}%s}`
	for _, phase := range []string{"Succeeded", "Failed", "Canceled"} {
		body := fmt.Sprintf(ended, `,"status":{"phase":"`+phase+`"}`)
		for _, path := range []string{jobsPath, jobsPath + "?dryRun=All"} {
			f.want(t, request{http.MethodPost, path, body, nil}, http.StatusUnprocessableEntity, "jobwright restore", "ended "+phase)
		}
	}
	if page, err := f.store.List(t.Context(), store.ListOptions{Kind: v1.KindJob}); err != nil || len(page.Items) > 0 {
		t.Errorf("%d jobs are there, %v", len(page.Items), err)
	}
	f.want(t, request{http.MethodPost, jobsPath, fmt.Sprintf(ended, ""), nil}, http.StatusCreated)
}
