package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/server"
	"jobwright.dev/api/server/auth"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

const jobsPath = "/apis/jobwright.dev/v1/namespaces/acme/jobs"

// jobManifest is a job as a person applies it.
func jobManifest(name, spec string) string {
	return fmt.Sprintf(`{"apiVersion":"jobwright.dev/v1","kind":"Job","metadata":{"name":%q},"spec":%s}`, name, spec)
}

func (f *fixture) want(t *testing.T, r request, code int, says ...string) string {
	t.Helper()
	response, body := f.do(t, r)
	if response.StatusCode != code {
		t.Errorf("%s %s: %d, want %d: %s", r.method, r.path, response.StatusCode, code, body)
	}
	for _, text := range says {
		if !strings.Contains(body, text) {
			t.Errorf("%s %s: %q is not in %s", r.method, r.path, text, body)
		}
	}
	return body
}

func decodeJob(t *testing.T, body string) *v1.Job {
	t.Helper()
	job := new(v1.Job)
	if err := json.Unmarshal([]byte(body), job); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return job
}

func canceledEnd(j *v1.Job) {
	finished(j)
	j.Spec.Cancel = true
}

func TestRetryRunsAFinishedJobAgain(t *testing.T) {
	f := newFixture(t)
	f.job(t, "acme", "done", canceledEnd)
	for run := range int32(2) {
		job := decodeJob(t, f.want(t, request{method: http.MethodPost, path: jobsPath + "/done/retry"}, http.StatusOK))
		if job.Status.Phase != v1.JobQueued || job.Spec.Reruns != run+1 || job.Spec.Cancel || len(job.Status.History) != int(run)+1 {
			t.Errorf("run %d: spec %+v, status %+v", run+1, job.Spec, job.Status)
		}
		f.want(t, request{method: http.MethodPost, path: jobsPath + "/done/retry"}, http.StatusConflict, "the job has not finished, it is Queued; cancel it first")
		at := metav1.NowMicro()
		job.Status.Phase, job.Status.Reason, job.Status.CompletionTime = v1.JobFailed, v1.ReasonExitCode, &at
		if _, err := f.store.UpdateStatus(t.Context(), job, store.Durable); err != nil {
			t.Fatal(err)
		}
	}
	f.want(t, request{method: http.MethodPost, path: jobsPath + "/none/retry"}, http.StatusNotFound)
}

func TestRetryEndsABackOff(t *testing.T) {
	waits := func(wait time.Duration, change func(*v1.Job)) func(*v1.Job) {
		return func(j *v1.Job) {
			next, began := metav1.NewMicroTime(time.Now().Add(wait)), metav1.NewMicroTime(time.Unix(1_731_000_000, 0))
			j.Status = v1.JobStatus{
				Phase: v1.JobQueued, Reason: v1.ReasonRetrying, Message: "Attempt 1 failed.", Attempts: 1, Failures: 1,
				StartTime: &began, NextAttemptTime: &next,
			}
			if change != nil {
				change(j)
			}
		}
	}
	retry := request{method: http.MethodPost, path: jobsPath + "/a/retry"}
	t.Run("it is tried again now", func(t *testing.T) {
		f := newFixture(t)
		f.job(t, "acme", "a", waits(time.Hour, nil))
		dry := retry
		dry.path += "?dryRun=All"
		if job := decodeJob(t, f.want(t, dry, http.StatusOK)); job.Status.NextAttemptTime != nil {
			t.Error("a dry run does not answer what would be")
		}
		job := decodeJob(t, f.want(t, retry, http.StatusOK))
		s := job.Status
		if s.NextAttemptTime != nil || s.Reason != v1.ReasonRetrying || s.Attempts != 1 || job.Spec.Reruns != 0 || !strings.Contains(s.Message, "Attempt 1 failed.") {
			t.Errorf("reruns %d, %+v", job.Spec.Reruns, s)
		}
		f.want(t, retry, http.StatusConflict, "it is Queued")
	})
	for name, change := range map[string]func(*v1.Job){
		"a suspended job stays so":        waits(time.Hour, func(j *v1.Job) { j.Spec.Suspend = true }),
		"one whose back-off is over goes": waits(-time.Second, nil),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.job(t, "acme", "a", change)
			f.want(t, retry, http.StatusConflict, "it is Queued")
		})
	}
}

func TestForceFinishIsWrittenDownForTheController(t *testing.T) {
	f := newFixture(t)
	f.job(t, "acme", "stuck", nil)
	path := jobsPath + "/stuck/force-finish"
	f.want(t, request{method: http.MethodPost, path: path, body: `{"phase":"Running","message":"x"}`}, http.StatusUnprocessableEntity, "spec.forceFinish.phase: Unsupported value")
	f.want(t, request{method: http.MethodPost, path: path, body: `{"phase":"Failed"}`}, http.StatusUnprocessableEntity, "spec.forceFinish.message: Required value")
	f.want(t, request{method: http.MethodPost, path: path, body: `[`}, http.StatusBadRequest, "the body must be")
	job := decodeJob(t, f.want(t, request{method: http.MethodPost, path: path, body: `{"phase":"Failed","message":"the host is gone","by":{"id":"me"}}`}, http.StatusOK))
	if d := job.Spec.ForceFinish; d == nil || d.Message != "the host is gone" || d.By != nil {
		t.Errorf("forceFinish = %+v; who decided is not for the caller to say", d)
	}
	f.want(t, request{method: http.MethodPost, path: path, body: `{"phase":"Failed","message":"again"}`}, http.StatusConflict, "already")
}

func TestUpdatePolicyDecidesAboutAChangedSpecOfAFinishedJob(t *testing.T) {
	const old, changed = `{"verb":"up"}`, `{"verb":"down"}`
	for name, tc := range map[string]struct {
		spec  string
		code  int
		phase v1.JobPhase
		verb  v1.DeployVerb
		says  string
	}{
		"unset refuses":                               {`{"type":"deploy","deploy":` + changed + `}`, http.StatusUnprocessableEntity, "", "", "run it again with the change by updatePolicy: Rerun"},
		"Reject refuses":                              {`{"type":"deploy","updatePolicy":"Reject","deploy":` + changed + `}`, http.StatusUnprocessableEntity, "", "", "field is immutable, the job has finished (Succeeded)"},
		"Rerun runs it again":                         {`{"type":"deploy","updatePolicy":"Rerun","deploy":` + changed + `}`, http.StatusOK, v1.JobQueued, v1.DeployDown, ""},
		"Ignore leaves it":                            {`{"type":"deploy","updatePolicy":"Ignore","deploy":` + changed + `}`, http.StatusOK, v1.JobSucceeded, v1.DeployUp, ""},
		"the same spec is no rerun":                   {`{"type":"deploy","updatePolicy":"Rerun","deploy":` + old + `}`, http.StatusOK, v1.JobSucceeded, v1.DeployUp, ""},
		"nor is one that does not mention the cancel": {`{"type":"deploy","deploy":` + old + `}`, http.StatusOK, v1.JobSucceeded, v1.DeployUp, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			stored := f.job(t, "acme", "done", canceledEnd)
			body := strings.Replace(jobManifest("done", tc.spec), `"metadata":{`, fmt.Sprintf(`"metadata":{"resourceVersion":%q,`, stored.ResourceVersion), 1)
			got := f.want(t, request{method: http.MethodPut, path: jobsPath + "/done", body: body}, tc.code, tc.says)
			if tc.code != http.StatusOK {
				return
			}
			if job := decodeJob(t, got); job.Status.Phase != tc.phase || job.Spec.Deploy.Verb != tc.verb {
				t.Errorf("phase %s, verb %s, want %s, %s", job.Status.Phase, job.Spec.Deploy.Verb, tc.phase, tc.verb)
			}
		})
	}
}

// countedStore counts the objects that are read.
type countedStore struct {
	store.Store
	gets atomic.Int64
}

func (c *countedStore) Get(ctx context.Context, key store.Key) (store.Record, error) {
	c.gets.Add(1)
	return c.Store.Get(ctx, key)
}

// TestAChainOfJobsIsWalkedOnceAndNotFar: a chain of 9,000 jobs, made from its end so that
// each is accepted, costs a new job at its front a hundred reads and a message of a line;
// other changes of its jobs cost none.
func TestAChainOfJobsIsWalkedOnceAndNotFar(t *testing.T) {
	const length = 9000
	f := newFixture(t)
	jobs := make([]v1.Object, length)
	for i := range jobs {
		jobs[i] = &v1.Job{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("chain-", i), Namespace: "acme"},
			Spec:       v1.JobSpec{Type: v1.JobTypeAPICall, DependsOn: []v1.JobDependency{{Name: fmt.Sprint("chain-", i+1)}}},
			Status:     v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
		}
	}
	if _, err := f.store.Create(t.Context(), jobs...); err != nil {
		t.Fatal(err)
	}
	counted := &countedStore{Store: f.store}
	api, err := server.New(server.Options{Store: counted, Logs: f.archive, Events: f.events, Log: logr.Discard(), Authenticator: auth.Loopback{Credentials: auth.OperatorToken(operatorToken)}})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	defer listening.Close()
	f.url = listening.URL
	body := f.want(t, request{method: http.MethodPost, path: jobsPath, body: jobManifest("front", `{"type":"api_call","dependsOn":[{"name":"chain-0"}]}`)}, http.StatusUnprocessableEntity)
	if n := counted.gets.Swap(0); n > 110 {
		t.Errorf("%d objects were read", n)
	}
	if len(body) > 2000 || !strings.Contains(body, "more than 100 jobs that have not finished: front → chain-0 → chain-1") {
		t.Errorf("the answer has %d bytes: %.300s", len(body), body)
	}
	f.want(t, request{method: http.MethodPost, path: jobsPath, body: jobManifest("chain-9000", `{"type":"api_call"}`)}, http.StatusCreated)
	counted.gets.Store(0)
	f.want(t, request{method: http.MethodPatch, path: jobsPath + "/chain-0", body: `{"spec":{"cancel":true}}`, header: map[string]string{"Content-Type": "application/merge-patch+json"}}, http.StatusOK)
	if n := counted.gets.Load(); n > 10 {
		t.Errorf("%d objects were read for a cancel", n)
	}
}

func TestDependenciesThatLeadBackAreRefused(t *testing.T) {
	f := newFixture(t)
	depends := func(name, on string) request {
		return request{method: http.MethodPost, path: jobsPath, body: jobManifest(name, fmt.Sprintf(`{"type":"api_call","dependsOn":[{"name":%q}]}`, on))}
	}
	f.want(t, depends("a", "b"), http.StatusCreated)
	f.want(t, depends("b", "c"), http.StatusCreated)
	f.want(t, depends("c", "a"), http.StatusUnprocessableEntity, `spec.dependsOn: Invalid value: \"a\": leads back to this job: c → a → b → c`)
	f.want(t, depends("c", "d"), http.StatusCreated)
	f.want(t, request{
		method: http.MethodPatch, path: jobsPath + "/c", body: `{"spec":{"dependsOn":[{"name":"b"}]}}`,
		header: map[string]string{"Content-Type": "application/merge-patch+json"},
	}, http.StatusUnprocessableEntity, "c → b → c")
	// A job that has ended waits for nobody any more.
	f.job(t, "acme", "e", func(j *v1.Job) {
		finished(j)
		j.UID = ""
		j.Spec.DependsOn = []v1.JobDependency{{Name: "g"}}
	})
	f.want(t, depends("g", "e"), http.StatusCreated)
}

func TestAFullQueueRefusesMore(t *testing.T) {
	f := newFixture(t)
	record, err := f.store.Get(t.Context(), store.Key{Kind: v1.KindWorkspace, Name: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	ws, err := record.Workspace()
	if err != nil {
		t.Fatal(err)
	}
	ws.Spec.MaxQueued = new(int32(1))
	if _, err := f.store.Update(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	post := request{method: http.MethodPost, path: jobsPath, body: jobManifest("one", `{"type":"api_call"}`)}
	f.want(t, post, http.StatusCreated)
	post.body = jobManifest("two", `{"type":"api_call"}`)
	f.want(t, post, http.StatusTooManyRequests, "workspace acme has 1 queued jobs, its spec.maxQueued is 1")
	f.want(t, request{method: http.MethodPost, path: "/api/jobs", body: `{"type":"api_call","payload":{}}`, header: workspace("acme")}, http.StatusTooManyRequests, "maxQueued")
	f.want(t, request{method: http.MethodPost, path: "/api/jobs", body: `{"type":"api_call","payload":{}}`, header: workspace("other")}, http.StatusAccepted)
}

// worker answers what a test gives it; anything else is a nil dereference.
type worker struct {
	server.Explainer
	server.Planner
	server.RevisionHistory
	server.ProjectKeeper
	server.MCPServers
}

// fullCapacity is an Explainer that has every job wait for capacity.
type fullCapacity struct{}

func (fullCapacity) Blockers(_ context.Context, j *v1.Job) ([]v1.Blocker, error) {
	return []v1.Blocker{{Kind: v1.BlockedByCapacity, Message: "of " + j.Name}}, nil
}

func (fullCapacity) Explain(_ context.Context, j *v1.Job) (*v1.JobExplanation, error) {
	return &v1.JobExplanation{Name: j.Name, Advice: "wait"}, nil
}

func TestExplainAndBlockersComeFromTheController(t *testing.T) {
	f := newFixture(t)
	f.job(t, "acme", "waits", nil)
	api, err := server.New(server.Options{
		Store: f.store, Logs: f.archive, Log: logr.Discard(),
		Worker: worker{Explainer: fullCapacity{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	defer listening.Close()
	f.url = listening.URL
	f.want(t, request{method: http.MethodGet, path: jobsPath + "/waits/explain"}, http.StatusOK, `"advice":"wait"`)
	f.want(t, request{method: http.MethodGet, path: jobsPath + "/none/explain"}, http.StatusNotFound)
	f.want(t, request{method: http.MethodGet, path: jobsPath + "/waits"}, http.StatusOK, `"blockedBy":[{"kind":"Capacity","message":"of waits"}]`)
}
