package server_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/logs"
	logfiles "jobwright.dev/store/logs/file"
	"jobwright.dev/store/storetest/loosetest"
)

// TestAJobThatIsToRunAgainHasNotFinished: over a store that does not start a rerun in the
// write that asks for it, a followed log goes on to the end of the new run, and what is
// refused of a job that has not finished is refused.
func TestAJobThatIsToRunAgainHasNotFinished(t *testing.T) {
	objects := loosetest.New()
	defer objects.Close()
	archive, err := logfiles.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	api, err := server.New(server.Options{Store: objects, Logs: archive, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	defer listening.Close()

	ctx := t.Context()
	for _, obj := range []v1.Object{
		&v1.Workspace{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace}, ObjectMeta: metav1.ObjectMeta{Name: "acme"}},
		&v1.Job{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
			ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "a"},
			Spec:       v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{URL: "http://127.0.0.1:9/"}},
		},
	} {
		if _, err := objects.Create(ctx, obj); err != nil {
			t.Fatal(err)
		}
	}
	read := func() *v1.Job {
		t.Helper()
		record, err := objects.Get(ctx, store.Key{Kind: v1.KindJob, Namespace: "acme", Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		j, err := record.Job()
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	// fail ends the job as its worker does, the run that is asked for included.
	fail := func() {
		t.Helper()
		j := read()
		now := metav1.NewMicroTime(time.Unix(1_800_000_000, 0))
		j.Status = v1.Rerun(j.Status, j.Spec.Reruns, now.Time)
		j.Status.Phase, j.Status.Reason, j.Status.CompletionTime = v1.JobFailed, v1.ReasonExitCode, &now
		j.Status.Attempts++
		j.Status.Failures = 1
		for _, condition := range []string{v1.ConditionFailed, v1.ConditionFinished} {
			j.Status.SetCondition(condition, metav1.ConditionTrue, j.Status.Reason, "", j.Generation, metav1.NewTime(now.Time))
		}
		if _, err := objects.UpdateStatus(ctx, j, store.Durable); err != nil {
			t.Fatal(err)
		}
	}
	post := func(verb string) int {
		t.Helper()
		response, err := http.Post(listening.URL+groupPath+"/namespaces/acme/jobs/a/"+verb, "application/json", strings.NewReader(`{"phase":"Failed","message":"because"}`))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}

	fail()
	if code := post("force-finish"); code != http.StatusConflict {
		t.Errorf("a finished job is finished by force: %d", code)
	}
	if code := post("retry"); code != http.StatusOK {
		t.Fatalf("a finished job is not run again: %d", code)
	}
	if j := read(); j.Status.Phase != v1.JobFailed || j.Finished() {
		t.Fatalf("this test is about a job whose status is still that of the run before, not %s", j.Status.Phase)
	}
	if code := post("retry"); code != http.StatusConflict {
		t.Errorf("a job that is to run again is run again: %d", code)
	}
	response, err := http.Get(listening.URL + groupPath + "/namespaces/acme/jobs/a/log?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	writer, err := archive.Writer(logs.Ref{Workspace: "acme", Job: "a", UID: read().UID})
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(response.Body)
	writer.Line(time.Now(), "stdout", "of the second run")
	if !lines.Scan() || lines.Text() != "of the second run" {
		t.Fatalf("the followed log says %q, %v", lines.Text(), lines.Err())
	}
	fail()
	for lines.Scan() {
		t.Errorf("the followed log goes on: %q", lines.Text())
	}
}
