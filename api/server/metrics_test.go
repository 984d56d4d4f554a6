package server_test

import (
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// TestTheServersSeriesOfADeletedWorkspaceEnd: whether the deletion removes it or the update
// that takes its last finalizer away.
func TestTheServersSeriesOfADeletedWorkspaceEnd(t *testing.T) {
	for name, finalizers := range map[string][]string{"at once": nil, "with its last finalizer": {"example.com/held"}} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, nil)
			h.put(t, &v1.Workspace{
				TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
				ObjectMeta: metav1.ObjectMeta{Name: "brief", Finalizers: finalizers},
			})
			for _, workspace := range []string{"brief", "acme"} {
				for range 2 { // made, then told again
					made, body := h.do(t, request{"POST", groupPath + "/namespaces/" + workspace + "/jobs", manifest("one", deploy), map[string]string{"Idempotency-Key": "k"}})
					if made.StatusCode != http.StatusCreated {
						t.Fatalf("%s: %s", made.Status, body)
					}
				}
			}
			h.remove(t, groupPath+"/namespaces/brief/jobs/one")
			if got := h.counted(t, "brief"); got != 2 {
				t.Errorf("%d series of the workspace, want those of created and of repeated jobs", got)
			}
			h.remove(t, groupPath+"/workspaces/brief")
			if len(finalizers) > 0 {
				if got := h.counted(t, "brief"); got != 2 {
					t.Errorf("%d series while its finalizer keeps it", got)
				}
				patched, body := h.do(t, request{"PATCH", groupPath + "/workspaces/brief", `{"metadata":{"finalizers":null}}`, map[string]string{"Content-Type": "application/merge-patch+json"}})
				if patched.StatusCode != http.StatusOK {
					t.Fatalf("%s: %s", patched.Status, body)
				}
			}
			if _, err := h.store.Get(t.Context(), store.Key{Kind: v1.KindWorkspace, Name: "brief"}); err == nil {
				t.Error("the workspace is still there")
			}
			if gone, left := h.counted(t, "brief"), h.counted(t, "acme"); gone != 0 || left != 2 {
				t.Errorf("%d series are left of the deleted workspace, %d of the other; want 0 and 2", gone, left)
			}
		})
	}
}

// remove deletes an object.
func (h *house) remove(t *testing.T, path string) {
	t.Helper()
	if response, body := h.do(t, request{method: "DELETE", path: path}); response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s", path, response.Status, body)
	}
}

// counted is how many of the server's series a workspace has.
func (h *house) counted(t *testing.T, workspace string) (n int) {
	t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if strings.HasPrefix(family.GetName(), "jobwright_") && label.GetName() == "workspace" && label.GetValue() == workspace {
					n++
				}
			}
		}
	}
	return n
}
