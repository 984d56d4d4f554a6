package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	logfiles "jobwright.dev/store/logs/file"
)

const planPath = "/apis/jobwright.dev/v1/namespaces/acme/plan"

// planner is a function as a server.Planner.
type planner func(context.Context, *v1.Job) (*v1.Plan, error)

func (p planner) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) { return p(ctx, job) }

// planning is a server on the fixture's store that can plan.
func (f *fixture) planning(t *testing.T, plan planner) *fixture {
	t.Helper()
	archive, err := logfiles.Open(filepath.Join(t.TempDir(), "logs"), 0)
	if err != nil {
		t.Fatal(err)
	}
	api, err := server.New(server.Options{Store: f.store, Logs: archive, Log: logr.Discard(), Worker: worker{Planner: plan}})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	t.Cleanup(func() {
		listening.Close()
		archive.Close()
	})
	return &fixture{store: f.store, archive: archive, url: listening.URL}
}

func TestPlan(t *testing.T) {
	var asked *v1.Job
	f := newFixture(t).planning(t, func(_ context.Context, job *v1.Job) (*v1.Plan, error) {
		asked = job
		if job.Spec.Build != nil {
			return nil, errors.New("MCP server \"x\" is not available")
		}
		return &v1.Plan{Valid: true, Changes: []v1.PlanChange{{Verb: v1.PlanCreate, Kind: "file", Name: "a.ts"}}}, nil
	})
	for name, tc := range map[string]struct {
		path, body string
		code       int
		says       []string
		asks       bool
	}{
		"a valid job":      {body: jobManifest("a", `{"type":"api_call"}`), code: 200, says: []string{`"valid":true`, `"verb":"Create"`}, asks: true},
		"a generated name": {body: `{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"generateName":"x-"},"spec":{"type":"api_call"}}`, code: 200, asks: true},
		"all problems at once": {
			body: jobManifest("a", `{"type":"build","build":{"action":""},"priority":9999}`), code: 200,
			says: []string{`"valid":false`, "spec.build.action: Required value", "spec.priority: Invalid value"},
		},
		"no name":                 {body: jobManifest("", `{"type":"api_call"}`), code: 200, says: []string{`"valid":false`, "metadata.name"}},
		"a cycle":                 {body: jobManifest("a", `{"type":"api_call","dependsOn":[{"name":"a"}]}`), code: 200, says: []string{`"valid":false`, "spec.dependsOn"}},
		"a longer cycle":          {body: jobManifest("first", `{"type":"api_call","dependsOn":[{"name":"second"}]}`), code: 200, says: []string{"leads back to this job: first → second → first"}},
		"what is no job":          {body: `{"apiVersion":"jobwright.dev/v1","kind":"Workspace","metadata":{"name":"a"}}`, code: 400, says: []string{"the object is a Workspace"}},
		"an unknown field":        {body: jobManifest("a", `{"tpye":"build"}`), code: 400, says: []string{`unknown field \"spec.tpye\"`}},
		"no such workspace":       {path: "/apis/jobwright.dev/v1/namespaces/none/plan", body: jobManifest("a", `{"type":"api_call"}`), code: 404, says: []string{"namespaces"}},
		"another workspace":       {body: `{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":"a","namespace":"other"},"spec":{"type":"api_call"}}`, code: 400, says: []string{"not that of the request"}},
		"it cannot be found out":  {body: jobManifest("a", `{"type":"build","build":{"action":"x"}}`), code: 503, says: []string{"the job could not be planned: MCP server"}, asks: true},
		"a method that is no use": {path: "GET", code: 405},
	} {
		t.Run(name, func(t *testing.T) {
			asked = nil
			method, path := http.MethodPost, planPath
			if tc.path == "GET" {
				method = http.MethodGet
			} else if tc.path != "" {
				path = tc.path
			}
			if name == "a longer cycle" {
				second := request{method: http.MethodPost, path: jobsPath, body: jobManifest("second", `{"type":"api_call","dependsOn":[{"name":"first"}]}`)}
				f.want(t, second, http.StatusCreated)
			}
			f.want(t, request{method: method, path: path, body: tc.body}, tc.code, tc.says...)
			if (asked != nil) != tc.asks {
				t.Errorf("asked about %+v", asked)
			}
			if asked != nil && (asked.Name == "" || asked.Namespace != "acme") {
				t.Errorf("asked about %q in %q", asked.Name, asked.Namespace)
			}
		})
	}
	f.want(t, request{method: http.MethodGet, path: jobsPath + "/a"}, http.StatusNotFound) // nothing was created
}

func TestNobodyPlans(t *testing.T) {
	newFixture(t).want(t, request{method: http.MethodPost, path: planPath, body: jobManifest("a", `{"type":"api_call"}`)}, http.StatusNotFound)
}
