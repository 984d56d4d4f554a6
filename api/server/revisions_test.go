package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/revisions"
)

// brokenHistory cannot be read.
type brokenHistory struct{}

func (brokenHistory) History(string, string) ([]v1.Revision, error) {
	return nil, errors.New("the disk is gone")
}

func (brokenHistory) Newest(string) ([]v1.Revision, error) {
	return nil, errors.New("the disk is gone")
}

func (f *fixture) withRevisions(t *testing.T, history server.RevisionHistory) *client.Client {
	t.Helper()
	api, err := server.New(server.Options{Store: f.store, Logs: f.archive, Log: logr.Discard(), Worker: worker{RevisionHistory: history}})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	t.Cleanup(listening.Close)
	c, err := client.New(client.Config{Server: listening.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAWorkspaceSeesItsOwnRevisionsOnly(t *testing.T) {
	f := newFixture(t)
	kept, err := revisions.Open(t.TempDir(), 9)
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct {
		workspace, command string
		at                 metav1.Time
	}{
		{"acme", "before", metav1.Unix(1730000000, 0)}, // of an earlier workspace of that name
		{"acme", "one", metav1.Unix(1731000001, 0)},
		{"other", "theirs", metav1.Unix(1731000002, 0)},
		{"acme", "two", metav1.Unix(1731000003, 0)},
	} {
		r := &revisions.Revision{Workspace: of.workspace, Document: map[string]any{"services": map[string]any{"web": map[string]any{"command": of.command}}}}
		r.Project, r.Job, r.Time = "shop", of.workspace+"-job", of.at
		if _, err := kept.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	c := f.withRevisions(t, kept)
	list, err := c.Revisions(context.Background(), client.RevisionOptions{Namespace: "acme", Project: "shop"})
	if err != nil || len(list.Items) != 2 || list.Items[0].Number != 4 || list.Items[1].Number != 2 || list.Items[0].Compose != "" || list.Items[0].Diff != "" {
		t.Errorf("plain: %+v, %v", list, err)
	}
	list, err = c.Revisions(context.Background(), client.RevisionOptions{Namespace: "acme", Project: "shop", Compose: true, Diff: true})
	if err != nil || len(list.Items) != 2 || !strings.Contains(list.Items[0].Compose, "command: two") || !strings.Contains(list.Items[0].Diff, "-    command: one") {
		t.Errorf("with everything: %+v, %v", list, err)
	}
	for _, r := range list.Items {
		if strings.Contains(r.Compose+r.Diff+r.Job, "theirs") || strings.Contains(r.Job, "other") {
			t.Errorf("another workspace's: %+v", r)
		}
	}
	list, err = c.Revisions(context.Background(), client.RevisionOptions{Namespace: "other"})
	if err != nil || len(list.Items) != 1 || list.Items[0].Number != 3 {
		t.Errorf("the newest of each project: %+v, %v", list, err)
	}
	if list, err = c.Revisions(context.Background(), client.RevisionOptions{Namespace: "acme", Project: "none"}); err != nil || list.Items == nil || len(list.Items) != 0 {
		t.Errorf("of a project that has none: %+v, %v", list, err)
	}
	var refused *client.StatusError
	if _, err = c.Revisions(context.Background(), client.RevisionOptions{Namespace: "nowhere", Project: "shop"}); !errors.As(err, &refused) || refused.Status.Code != http.StatusNotFound {
		t.Errorf("of a workspace that is not there: %v", err)
	}
	if _, err = f.withRevisions(t, brokenHistory{}).Revisions(context.Background(), client.RevisionOptions{Namespace: "acme"}); !errors.As(err, &refused) || refused.Status.Code != http.StatusInternalServerError {
		t.Errorf("a history that cannot be read: %v", err)
	}
	f.want(t, request{method: http.MethodGet, path: "/apis/jobwright.dev/v1/namespaces/acme/revisions/shop"}, http.StatusNotFound) // without any
}
