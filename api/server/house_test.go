package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/api/seed"
	"jobwright.dev/api/server"
	"jobwright.dev/api/server/auth"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/api/v1/v1test"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/store"
	eventfiles "jobwright.dev/store/events/file"
	"jobwright.dev/store/file"
	"jobwright.dev/store/logs"
	logfiles "jobwright.dev/store/logs/file"
	"jobwright.dev/web"
)

// house is a server with every route, over real stores: a Worker, an Operator, the page,
// metrics, and a made-up kind beside the others. The workspaces acme and other exist;
// whatever is called secret belongs to other.
type house struct {
	*fixture
	api      *server.Server
	registry *prometheus.Registry
	secrets  []store.Record
}

// process is an Operator that is ready.
type process struct{ store *file.Store }

func (process) Ready(context.Context) error { return nil }

func (process) Notices() []string { return []string{"all is well"} }

func (p process) Backup(ctx context.Context, w io.Writer) error {
	_, err := p.store.Backup(ctx, w)
	return err
}

// sessions is an inventory in which only the workspace other has a session.
type sessions struct{ inventory }

func (sessions) Sessions(workspace string) []v1.MCPSession {
	if workspace != "other" {
		return nil
	}
	return []v1.MCPSession{{Server: "demo", Workspace: workspace, Name: "secret-session", State: v1.MCPSessionIdle}}
}

func (sessions) Tools(context.Context, string) ([]v1.MCPTool, error) { return nil, nil }

// deployed is a ProjectKeeper of one project, which is other's.
type deployed struct{}

func (deployed) Projects(_ context.Context, workspace string) ([]v1.Project, error) {
	if workspace != "other" {
		return nil, nil
	}
	return []v1.Project{{Name: "secret", State: v1.ProjectUp, Services: []v1.ProjectService{{Name: "secret-service", Containers: 1, Running: 1}}}}, nil
}

func (d deployed) Forget(ctx context.Context, workspace, project string) error {
	own, err := d.Projects(ctx, workspace)
	if len(own) == 0 || own[0].Name != project {
		err = apierrors.NewNotFound(schema.GroupResource{Group: v1.Group, Resource: "projects"}, project)
	}
	return err
}

// newHouse returns the server; change may set further options.
func newHouse(t testing.TB, change func(*server.Options)) *house {
	t.Helper()
	dir := t.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1, Kinds: v1test.Kinds()})
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
	kept, err := revisions.Open(filepath.Join(dir, "revisions"), 9)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{registry: prometheus.NewRegistry()}
	opts := server.Options{
		Store: objects, Logs: archive, Events: happened, Kinds: v1test.Kinds(), DataDir: dir, Log: logr.Discard(),
		Worker: worker{
			Explainer: fullCapacity{}, RevisionHistory: kept, ProjectKeeper: deployed{}, MCPServers: sessions{},
			Planner: planner(func(context.Context, *v1.Job) (*v1.Plan, error) { return &v1.Plan{Valid: true}, nil }),
		},
		Operator: process{objects}, Authenticator: auth.Loopback{Credentials: auth.OperatorToken(operatorToken)},
		Web: web.Handler(), Metrics: promhttp.HandlerFor(h.registry, promhttp.HandlerOpts{}), Registerer: h.registry,
		MaxBody: 64 << 10, MaxWorkspaces: 4,
	}
	if change != nil {
		change(&opts)
	}
	if h.api, err = server.New(opts); err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(h.api)
	t.Cleanup(func() {
		listening.CloseClientConnections()
		listening.Close()
		archive.Close()
		happened.Close()
		if err := objects.Close(); err != nil {
			t.Error(err)
		}
	})
	h.fixture = &fixture{store: objects, archive: archive, events: happened, url: listening.URL}
	h.furnish(t, kept)
	return h
}

// furnish makes the workspaces and what is secret in other.
func (h *house) furnish(t testing.TB, kept *revisions.Store) {
	t.Helper()
	created := metav1.Unix(1731000000, 0)
	for _, name := range []string{"acme", "other"} {
		h.put(t, &v1.Workspace{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace}, ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: created}})
	}
	meta := metav1.ObjectMeta{Namespace: "other", Name: "secret", Labels: map[string]string{"team": "secret-label"}}
	note := &v1test.Note{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1test.KindNote}, ObjectMeta: meta, Spec: v1test.NoteSpec{Text: "secret-text", Volume: 5}}
	job := &v1.Job{
		TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob}, ObjectMeta: meta,
		Spec: v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{}}, Status: v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	}
	h.secrets = []store.Record{h.put(t, note), h.put(t, job)}
	writer, err := h.archive.Writer(logs.Ref{Workspace: "other", Job: "secret", UID: h.secrets[1].UID()})
	if err != nil {
		t.Fatal(err)
	}
	writer.Line(time.UnixMilli(0), "stdout", "secret-output")
	if err := writer.Close(time.UnixMilli(0)); err != nil {
		t.Fatal(err)
	}
	h.event(t, "other", "secret", "Failed", "secret-event")
	revision := &revisions.Revision{Workspace: "other", Document: map[string]any{"services": map[string]any{"secret-service": map[string]any{}}}}
	revision.Project, revision.Job, revision.Time = "secret", "secret", metav1.Unix(1731000001, 0)
	if _, err := kept.Add(revision); err != nil {
		t.Fatal(err)
	}
}

func (h *house) put(t testing.TB, obj v1.Object) store.Record {
	t.Helper()
	records, err := h.store.Create(context.Background(), obj)
	if err != nil {
		t.Fatal(err)
	}
	return records[0]
}

// leaks are the texts that no answer about another workspace has.
func (h *house) leaks() []string {
	leaks := []string{"secret-label", "secret-text", "secret-output", "secret-event", "secret-service", "secret-session", string(types.UID("uid-other-secret"))}
	for _, record := range h.secrets {
		leaks = append(leaks, string(record.UID()))
	}
	return leaks
}

// request is one about a route, from a workspace, about an object of that name.
func (h *house) request(t testing.TB, route server.Route, workspace, name string) request {
	t.Helper()
	path := strings.TrimSuffix(route.Pattern, "{$}")
	path = strings.ReplaceAll(path, "{namespace}", workspace)
	for _, wildcard := range []string{"{name}", "{id}", "{project}"} {
		path = strings.ReplaceAll(path, wildcard, name)
	}
	if strings.Contains(path, "{") {
		t.Fatalf("the test does not know a wildcard of %s", route.Pattern)
	}
	r := request{method: route.Method, path: path, header: map[string]string{}}
	if route.Method == "" {
		r.method = http.MethodGet
	}
	if route.Scope == server.CookieWorkspace {
		r.header["Cookie"] = server.WorkspaceCookie + "=" + workspace
	}
	if route.Verb == auth.Watch {
		r.path += "?watch=true&timeoutSeconds=1"
	}
	if len(route.Media) > 0 {
		r.header["Content-Type"] = route.Media[0]
		r.body = h.body(t, route, workspace, name)
	}
	return r
}

// body is one that the route takes. Updates carry the version of what is in other.
func (h *house) body(t testing.TB, route server.Route, workspace, name string) string {
	t.Helper()
	switch body := route.Body.(type) {
	case v1.Object:
		if route.Verb == auth.Patch {
			return `{"metadata":{"labels":{"touched":"yes"}},"status":{}}`
		}
		obj := body.DeepCopyObject().(v1.Object)
		obj.SetName(name)
		if route.Kind.Namespaced {
			obj.SetNamespace(workspace)
		}
		key := store.Key{Kind: route.Kind.Name, Name: name}
		if route.Kind.Namespaced {
			key.Namespace = "other"
		}
		if route.Verb == auth.Update {
			obj.SetResourceVersion("1")
		}
		if record, err := h.store.Get(context.Background(), key); err == nil && route.Verb == auth.Update {
			obj.SetResourceVersion(fmt.Sprint(record.ResourceVersion()))
		}
		switch obj := obj.(type) {
		case *v1.Job:
			obj.Spec = v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{}}
			obj.Status = v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued}
		case *v1test.Note:
			obj.Spec, obj.Status.Readers = v1test.NoteSpec{Text: "hello", Volume: 1}, 1
		}
		text, err := json.Marshal(obj)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	case v1.ForceFinish:
		return `{"phase":"Failed","message":"x"}`
	case metav1.DeleteOptions:
		return `{}`
	case seed.NewJob:
		return `{"type":"api_call"}`
	}
	if route.Verb == auth.Cancel {
		return `{"action":"cancel"}`
	}
	t.Fatalf("the test knows no body for %s %s", route.Method, route.Pattern)
	return ""
}
