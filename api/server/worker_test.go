package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

const groupPath = "/apis/" + v1.APIVersion

// What a worker on another machine needs of the API beside what everybody does.

// jobIn creates a job in a phase, directly in the store.
func (f *fixture) jobIn(t *testing.T, workspace, name string, phase v1.JobPhase) store.Record {
	t.Helper()
	j := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Namespace: workspace, Name: name},
		Spec:       v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{URL: "http://127.0.0.1:9/"}},
		Status:     v1.JobStatus{Phase: phase},
	}
	records, err := f.store.Create(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return records[0]
}

func TestPhasesAreSelectedByWhatTheyAreNot(t *testing.T) {
	f := newFixture(t)
	for _, phase := range append(v1.JobPhases(), "") {
		f.jobIn(t, "acme", "is-"+strings.ToLower(string(phase))+"x", phase)
	}
	for selector, want := range map[string][]string{
		"status.phase!=Succeeded,status.phase!=Failed,status.phase!=Canceled": {"is-queuedx", "is-runningx", "is-x"},
		"status.phase!=":                             {"is-canceledx", "is-failedx", "is-queuedx", "is-runningx", "is-succeededx"},
		"status.phase=Running,status.phase!=":        {"is-runningx"},
		"status.phase=Running,status.phase!=Running": nil,
		"status.phase!=,status.phase!=Queued,status.phase!=Running,status.phase!=Succeeded,status.phase!=Failed,status.phase!=Canceled":                 nil,
		"metadata.name=is-x,status.phase!=,status.phase!=Queued,status.phase!=Running,status.phase!=Succeeded,status.phase!=Failed,status.phase!=Other": nil,
	} {
		response, body := f.do(t, request{method: "GET", path: groupPath + "/namespaces/acme/jobs?fieldSelector=" + strings.NewReplacer("=", "%3D", ",", "%2C", "!", "%21").Replace(selector)})
		var list struct{ Items []v1.Job }
		if err := json.Unmarshal([]byte(body), &list); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s", selector, response.Status, body)
		}
		var got []string
		for _, j := range list.Items {
			got = append(got, j.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s selects %v, want %v", selector, got, want)
		}
	}
	if response, body := f.do(t, request{method: "GET", path: groupPath + "/jobs?fieldSelector=metadata.name%21%3Da"}); response.StatusCode != http.StatusBadRequest {
		t.Errorf("metadata.name!=a: %s %s", response.Status, body)
	}
}

func TestABookmarkTellsHowFarAnIdleWatchHasCome(t *testing.T) {
	f := newFixture(t)
	first := f.jobIn(t, "acme", "selected", v1.JobQueued)
	other := f.jobIn(t, "other", "not-selected", v1.JobQueued)
	watch := fmt.Sprintf("%s/namespaces/acme/jobs?watch=true&timeoutSeconds=1&resourceVersion=%d", groupPath, first.ResourceVersion()-1)
	for _, allowed := range []bool{true, false} {
		_, body := f.do(t, request{method: "GET", path: fmt.Sprintf("%s&allowWatchBookmarks=%v", watch, allowed)})
		lines := strings.Split(strings.TrimSpace(body), "\n")
		want := fmt.Sprintf(`{"type":"BOOKMARK","object":{"apiVersion":"%s","kind":"Job","metadata":{"resourceVersion":"%d"}}}`, v1.APIVersion, other.ResourceVersion())
		if !strings.HasPrefix(lines[0], `{"type":"ADDED"`) || allowed != slices.Contains(lines, want) || !allowed && len(lines) != 1 {
			t.Errorf("bookmarks allowed %v: %s", allowed, body)
		}
	}
}

func TestWhatAWorkerWritesOfAStatus(t *testing.T) {
	f := newFixture(t)
	record := f.jobIn(t, "acme", "a", v1.JobQueued)
	status := func(query, uid string, version uint64, phase, step string) (int, string) {
		t.Helper()
		body := fmt.Sprintf(`{"apiVersion":%q,"kind":"Job","metadata":{"name":"a","namespace":"acme","uid":%q,"resourceVersion":"%d"},"status":{"phase":%q,"step":%q}}`,
			v1.APIVersion, uid, version, phase, step)
		response, text := f.do(t, request{method: "PUT", path: groupPath + "/namespaces/acme/jobs/a/status" + query, body: body})
		return response.StatusCode, text
	}
	uid, version := string(record.UID()), record.ResourceVersion()
	if code, text := status("?durability=never", uid, version, "Queued", "x"); code != http.StatusBadRequest {
		t.Errorf("an unknown durability: %d %s", code, text)
	}
	if code, text := status("", "0192f5f0-7d3c-7abc-8def-0123456789ab", version, "Queued", "x"); code != http.StatusConflict {
		t.Errorf("the status of another object: %d %s", code, text)
	}
	if code, text := status("?durability=soft", uid, version, "Queued", "soft"); code != http.StatusOK || !strings.Contains(text, `"step":"soft"`) {
		t.Errorf("a soft write: %d %s", code, text)
	}
	// What is wrong with a status is not asked of one that is out of date.
	if code, text := status("", uid, version, "", "late"); code != http.StatusConflict {
		t.Errorf("an old version: %d %s", code, text)
	}
}

func TestDeletingWhatFinalizersKeepAnswersWithTheObject(t *testing.T) {
	f := newFixture(t)
	j := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "kept", Finalizers: []string{"example.com/keep"}},
		Spec:       v1.JobSpec{Type: v1.JobTypeAPICall},
	}
	if _, err := f.store.Create(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	f.jobIn(t, "acme", "gone", v1.JobQueued)
	for name, want := range map[string]string{"kept": `"deletionTimestamp":"`, "gone": `"status":"Success"`} {
		if response, body := f.do(t, request{method: "DELETE", path: groupPath + "/namespaces/acme/jobs/" + name}); response.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %s %s, want %s", name, response.Status, body, want)
		}
	}
}
