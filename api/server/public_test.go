package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
)

// telling is a worker and an operator whose every word names folders of the server.
type telling struct {
	server.Explainer
	err error
}

func (w telling) Blockers(context.Context, *v1.Job) ([]v1.Blocker, error) { return nil, w.err }

func (w telling) Explain(context.Context, *v1.Job) (*v1.JobExplanation, error) { return nil, w.err }

func (w telling) Plan(_ context.Context, job *v1.Job) (*v1.Plan, error) {
	if job.Spec.Priority == 1 {
		return &v1.Plan{Problems: []string{w.err.Error()}}, nil
	}
	return nil, w.err
}

func (w telling) History(string, string) ([]v1.Revision, error) {
	return []v1.Revision{{Damaged: w.err.Error()}}, nil
}

func (w telling) Newest(string) ([]v1.Revision, error) { return nil, w.err }

func (w telling) Projects(context.Context, string) ([]v1.Project, error) { return nil, w.err }

func (w telling) Forget(context.Context, string, string) error { return w.err }

func (w telling) Servers() []v1.MCPServer {
	return []v1.MCPServer{{Name: "demo", State: v1.MCPServerFailed, Error: w.err.Error()}}
}

func (telling) Sessions(string) []v1.MCPSession { return nil }

func (w telling) Tools(context.Context, string) ([]v1.MCPTool, error) { return nil, w.err }

// unwell is an Operator.
type unwell struct {
	process
	err, notice error
}

func (o unwell) Ready(context.Context) error { return o.err }

func (o unwell) Notices() []string { return []string{o.notice.Error()} }

func TestNoAnswerNamesAFolderOfTheServer(t *testing.T) {
	for text, want := range map[string]string{
		"open /srv/apps/shop/compose.yml: no such file or directory":      "open compose.yml: no such file or directory",
		`exec: "/opt/builders/bin/x": permission denied`:                  `exec: "x": permission denied`,
		"yaml: in (/srv/apps/shop/a.yml), line 3":                         "yaml: in (a.yml), line 3",
		"env_file=/srv/apps/shop/.env is missing":                         "env_file=.env is missing",
		"no space left on /srv/apps/":                                     "no space left on ",
		"Docker at unix:///var/run/docker.sock and http://10.0.0.1/a/b":   "Docker at unix:///var/run/docker.sock and http://10.0.0.1/a/b",
		"image registry.example.com/team/app:1 and either/or, 3/4 passed": "image registry.example.com/team/app:1 and either/or, 3/4 passed",
	} {
		t.Run(text, func(t *testing.T) {
			err := errors.New(text)
			ready := newHouse(t, func(o *server.Options) { o.Worker, o.Operator = telling{err: err}, unwell{notice: err} })
			unready := newHouse(t, func(o *server.Options) { o.Operator = unwell{err: err} })
			plan := func(priority string) request {
				return request{method: http.MethodPost, path: planPath, body: jobManifest("a", `{"type":"api_call","priority":`+priority+`}`)}
			}
			get := func(path string) request { return request{method: http.MethodGet, path: path} }
			for _, tc := range []struct {
				h    *house
				code int
				request
			}{
				{ready, http.StatusOK, get("/readyz")},
				{unready, http.StatusServiceUnavailable, get("/readyz")},
				{ready, http.StatusOK, get("/api/mcp/servers")},
				{ready, http.StatusServiceUnavailable, get("/api/mcp/servers/demo/tools")},
				{ready, http.StatusServiceUnavailable, plan("0")},
				{ready, http.StatusOK, plan("1")},
				{ready, http.StatusInternalServerError, get(groupPath + "/namespaces/other/jobs/secret/explain")},
				{ready, http.StatusInternalServerError, get(groupPath + "/namespaces/acme/revisions")},
				{ready, http.StatusOK, get(groupPath + "/namespaces/acme/revisions/shop")},
				{ready, http.StatusServiceUnavailable, get(groupPath + "/namespaces/acme/projects")},
				{ready, http.StatusServiceUnavailable, request{method: http.MethodDelete, path: groupPath + "/namespaces/acme/projects/shop"}},
			} {
				quoted, _ := json.Marshal(want)
				answer := tc.h.want(t, tc.request, tc.code)
				if !strings.Contains(answer, want) && !strings.Contains(answer, strings.Trim(string(quoted), `"`)) || strings.Contains(answer, "/srv/") || strings.Contains(answer, "/opt/") {
					t.Errorf("%s %s: %s\nwant %s", tc.method, tc.path, answer, want)
				}
			}
		})
	}
}
