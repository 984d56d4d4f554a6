package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
	"jobwright.dev/store/storetest/loosetest"
)

const record = `{"type":"api_call","payload":{"n":1}}`

func keyed(ns, key string) map[string]string {
	return map[string]string{"Cookie": workspace(ns)["Cookie"], "Idempotency-Key": key}
}

// count is how many jobs a workspace has.
func (f *fixture) count(t testing.TB, ns string) int {
	t.Helper()
	page, err := f.store.List(t.Context(), store.ListOptions{Kind: v1.KindJob, Namespace: ns})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Items)
}

// same sends a request that must be answered as it was before, and says so.
func (f *fixture) same(t *testing.T, r request, code int, want string) {
	t.Helper()
	response, body := f.do(t, r)
	if response.StatusCode != code || body != want || response.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s %s: %d %sreplayed %q\nwant %d %s", r.method, r.path, response.StatusCode, body, response.Header.Get("Idempotency-Replayed"), code, want)
	}
}

// first sends a request that must create.
func (f *fixture) first(t *testing.T, r request, code int) string {
	t.Helper()
	response, body := f.do(t, r)
	if response.StatusCode != code || response.Header.Get("Idempotency-Replayed") != "" {
		t.Fatalf("%s %s: %d %s", r.method, r.path, response.StatusCode, body)
	}
	return body
}

func TestARequestWithAKeyCreatesOnce(t *testing.T) {
	f := newFixture(t)
	several := `{"jobs":[{"type":"api_call"},{"type":"api_call","payload":{"n":2}}]}`
	generated := strings.Replace(manifest("", `{"type":"api_call"}`), `"name":""`, `"generateName":"once-","labels":{"a":"b"},"annotations":{"c":"<d>"}`, 1)
	yaml := map[string]string{"Content-Type": "application/yaml", "Idempotency-Key": "yaml"}
	for name, tc := range map[string]struct {
		request
		code, jobs int
	}{
		"one job":                          {request{"POST", "/api/jobs", record, keyed("acme", "one")}, 202, 1},
		"several jobs":                     {request{"POST", "/api/jobs", several, keyed("acme", "several")}, 202, 2},
		"an object":                        {request{"POST", base, generated, keyed("acme", "object")}, 201, 1},
		"an object with a name of its own": {request{"POST", base, manifest("named", `{"deploy":{"verb":"up"}}`), keyed("acme", "named")}, 201, 1},
		"a manifest":                       {request{"POST", base, "apiVersion: jobwright.dev/v1\nkind: Job\nmetadata: {name: yaml}\nspec: {type: api_call}\n", yaml}, 201, 1},
		"a workspace":                      {request{"POST", "/apis/jobwright.dev/v1/workspaces", `{"apiVersion":"jobwright.dev/v1","kind":"Workspace","metadata":{"name":"made"}}`, keyed("", "workspace")}, 201, 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := f.count(t, "acme")
			body := f.first(t, tc.request, tc.code)
			f.same(t, tc.request, tc.code, body)
			f.finishAll(t, "acme")
			f.same(t, tc.request, tc.code, body)
			if n := f.count(t, "acme") - before; n != tc.jobs {
				t.Errorf("%d jobs were created, want %d", n, tc.jobs)
			}
		})
	}
}

// finishAll ends every job of a workspace, as a worker would.
func (f *fixture) finishAll(t *testing.T, ns string) {
	t.Helper()
	page, err := f.store.List(t.Context(), store.ListOptions{Kind: v1.KindJob, Namespace: ns, Phases: []v1.JobPhase{v1.JobQueued}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Items {
		job, err := r.Job()
		if err != nil {
			t.Fatal(err)
		}
		uid := job.UID
		finished(job)
		job.UID = uid
		if _, err := f.store.UpdateStatus(t.Context(), job, store.Durable); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatAKeyIsGoodFor(t *testing.T) {
	f := newFixture(t)
	used := keyed("acme", "used")
	body := f.first(t, request{"POST", "/api/jobs", record, used}, 202)
	t.Run("the same JSON value written otherwise is the same request", func(t *testing.T) {
		f.same(t, request{"POST", "/api/jobs", "{ \"payload\": {\"n\": 1},\n \"type\": \"api_call\"}", used}, 202, body)
	})
	t.Run("a key in quotes is the one between them", func(t *testing.T) {
		f.same(t, request{"POST", "/api/jobs", record, keyed("acme", `"used"`)}, 202, body)
	})
	t.Run("another workspace has keys of its own", func(t *testing.T) {
		f.first(t, request{"POST", "/api/jobs", record, keyed("other", "used")}, 202)
	})
	t.Run("another key is another request", func(t *testing.T) {
		f.first(t, request{"POST", "/api/jobs", record, keyed("acme", "Used")}, 202)
	})
	t.Run("a request that was refused has not used its key", func(t *testing.T) {
		f.ask(t, request{"POST", "/api/jobs", `{"type":"bake"}`, keyed("acme", "refused")}, 400)
		f.first(t, request{"POST", "/api/jobs", record, keyed("acme", "refused")}, 202)
	})
	t.Run("a dry run neither uses nor needs a key", func(t *testing.T) {
		dry := request{"POST", base + "?dryRun=All", manifest("dry", deploy), keyed("acme", "dry")}
		f.first(t, dry, 201)
		f.first(t, dry, 201)
		f.first(t, request{"POST", base, manifest("dry", deploy), keyed("acme", "dry")}, 201)
	})
	for name, r := range map[string]request{
		"another payload":  {"POST", "/api/jobs", `{"type":"api_call","payload":{"n":1.0}}`, used},
		"another way in":   {"POST", base, manifest("x", deploy), used},
		"a body cut short": {"POST", "/api/jobs", `{"type":`, used},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			if response, body := f.do(t, r); response.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "Idempotency-Key: another request has used this key to create job acme/") {
				t.Errorf("%d %s", response.StatusCode, body)
			}
		})
	}
	for name, key := range map[string]string{
		"an empty key": "", "a key that is too long": strings.Repeat("k", 256), "a key with a character that is not ASCII": "schlüssel", "a tab": "a\tb",
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			answer := f.ask(t, request{"POST", "/api/jobs", record, keyed("acme", key)}, 400)
			if answer.Error != "bad_request" {
				t.Errorf("error %q", answer.Error)
			}
		})
	}
	t.Run("the longest key is not", func(t *testing.T) {
		f.first(t, request{"POST", "/api/jobs", record, keyed("acme", strings.Repeat("k", 255))}, 202)
	})
}

// TestKeysThatShareALabelStayApart: of 400 keys some have the same value of the label.
func TestKeysThatShareALabelStayApart(t *testing.T) {
	f := newFixture(t)
	const n = 400
	bodies, buckets := make([]string, n), map[string]int{}
	for i := range n {
		bodies[i] = f.first(t, request{"POST", "/api/jobs", record, keyed("acme", fmt.Sprint(i))}, http.StatusAccepted)
	}
	for i := range n {
		f.same(t, request{"POST", "/api/jobs", record, keyed("acme", fmt.Sprint(i))}, http.StatusAccepted, bodies[i])
	}
	page, err := f.store.List(t.Context(), store.ListOptions{Kind: v1.KindJob, Namespace: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Items {
		job, err := r.Job()
		if err != nil {
			t.Fatal(err)
		}
		buckets[job.Labels[v1.LabelIdempotencyKey]]++
	}
	if len(page.Items) != n || len(buckets) == n {
		t.Errorf("%d jobs have %d values; want %d jobs and fewer values", len(page.Items), len(buckets), n)
	}
}

func TestAKeyEndsWithItsJob(t *testing.T) {
	f := newFixture(t)
	several := request{"POST", "/api/jobs", `{"jobs":[{"type":"api_call"},{"type":"api_call"},{"type":"api_call"}]}`, keyed("acme", "k")}
	body := f.first(t, several, 202)
	var answer seedAnswer
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	for i, id := range answer.Result.IDs {
		f.same(t, several, 202, body)
		if _, err := f.store.Delete(t.Context(), store.Key{Kind: v1.KindJob, Namespace: "acme", Name: id}, store.Preconditions{}); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if again := f.first(t, several, 202); again == body {
		t.Error("the jobs were not created anew")
	}
}

// TestOnlyTheServerKeepsKeys: a manifest that was written from an object does not bring
// its key along, and no update takes a key away.
func TestOnlyTheServerKeepsKeys(t *testing.T) {
	f := newFixture(t)
	post := request{"POST", base, manifest("mine", deploy), keyed("acme", "k")}
	body := f.first(t, post, 201)
	var made v1.Job
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatal(err)
	}
	label := made.Labels[v1.LabelIdempotencyKey]
	if label == "" || made.Annotations[v1.AnnotationIdempotencyRequest] == "" {
		t.Fatalf("the object has no key: %s", body)
	}
	forged := made.DeepCopy()
	forged.Name, forged.Annotations = "forged", map[string]string{v1.AnnotationIdempotencyRequest: "{}"}
	text, err := json.Marshal(forged)
	if err != nil {
		t.Fatal(err)
	}
	if answer := f.first(t, request{"POST", base, string(text), nil}, 201); strings.Contains(answer, "idempotency") {
		t.Errorf("a client has set what is the server's: %s", answer)
	}
	merge := map[string]string{"Content-Type": "application/merge-patch+json"}
	for _, patch := range []string{
		`{"metadata":{"labels":null,"annotations":null}}`,
		`{"metadata":{"labels":{"jobwright.dev/idempotency-key":"x"},"annotations":{"jobwright.dev/idempotency-request":null}},"spec":{"priority":3}}`,
	} {
		if response, answer := f.do(t, request{"PATCH", base + "/mine", patch, merge}); response.StatusCode != http.StatusOK || !strings.Contains(answer, label) {
			t.Fatalf("%s: %d %s", patch, response.StatusCode, answer)
		}
	}
	f.same(t, post, 201, body)
}

func TestRequestsWithOneKeyThatComeTogetherMakeOneJob(t *testing.T) {
	f := newFixture(t)
	const n = 32
	bodies := make([]string, n)
	replayed := make([]bool, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			response, body := f.do(t, request{"POST", "/api/jobs", record, keyed("acme", "together")})
			bodies[i], replayed[i] = body, response.Header.Get("Idempotency-Replayed") == "true"
		})
	}
	wg.Wait()
	firsts := 0
	for i := range n {
		if bodies[i] != bodies[0] {
			t.Errorf("answers %s and %s", bodies[0], bodies[i])
		}
		if !replayed[i] {
			firsts++
		}
	}
	if jobs := f.count(t, "acme"); jobs != 1 || firsts != 1 {
		t.Errorf("%d jobs, %d first answers", jobs, firsts)
	}
}

// slowStore holds creations up until they are let go.
type slowStore struct {
	store.Store
	entered, proceed chan struct{}
}

func (s *slowStore) Create(ctx context.Context, objs ...v1.Object) ([]store.Record, error) {
	s.entered <- struct{}{}
	<-s.proceed
	return s.Store.Create(ctx, objs...)
}

// TestAClientThatGaveUpFindsWhatItHasCreated: the answer is lost while the job is on its
// way to the disk, and the request is repeated.
func TestAClientThatGaveUpFindsWhatItHasCreated(t *testing.T) {
	dir := t.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	slow := &slowStore{Store: objects, entered: make(chan struct{}), proceed: make(chan struct{})}
	gone := make(chan struct{})
	url := serveOver(t, slow, dir, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Gives-Up") != "" {
				context.AfterFunc(r.Context(), func() { close(gone) })
			}
			next.ServeHTTP(w, r)
		})
	})
	f := &fixture{url: url}
	ctx, giveUp := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/jobs", strings.NewReader(record))
		if err == nil {
			req.Header.Set("Cookie", "active_workspace=acme")
			req.Header.Set("Idempotency-Key", "k")
			req.Header.Set("X-Gives-Up", "1")
			var response *http.Response
			if response, err = http.DefaultClient.Do(req); err == nil {
				response.Body.Close()
			}
		}
		first <- err
	}()
	<-slow.entered
	giveUp()
	if err := <-first; err == nil {
		t.Fatal("the first request was answered")
	}
	<-gone // the server knows
	slow.proceed <- struct{}{}
	response, body := f.do(t, request{"POST", "/api/jobs", record, keyed("acme", "k")})
	if response.StatusCode != http.StatusAccepted || response.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%d %s, replayed %q", response.StatusCode, body, response.Header.Get("Idempotency-Replayed"))
	}
}

// serveOver serves the API over a store; around stands before it.
func serveOver(t *testing.T, objects store.Store, dir string, around func(http.Handler) http.Handler) string {
	t.Helper()
	archive, err := logfiles.Open(filepath.Join(dir, "logs"), 0)
	if err != nil {
		t.Fatal(err)
	}
	api, err := server.New(server.Options{Store: objects, Logs: archive, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(around(api))
	t.Cleanup(func() {
		listening.Close()
		archive.Close()
	})
	return listening.URL
}

// TestAKeySurvivesARestart repeats requests at servers that come one after the other on
// the same folder.
func TestAKeySurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	var seen []string
	for round := range 3 {
		t.Run(fmt.Sprintf("server %d", round), func(t *testing.T) {
			objects, err := file.Open(dir, file.Options{MinFree: -1})
			if err != nil {
				t.Fatal(err)
			}
			f := &fixture{store: objects, url: serveOver(t, objects, dir, func(h http.Handler) http.Handler { return h })}
			var bodies []string
			for _, body := range []string{record, `{"jobs":[` + record + `,` + record + `]}`} {
				response, answer := f.do(t, request{"POST", "/api/jobs", body, keyed("acme", fmt.Sprint(len(body)))})
				if replayed := response.Header.Get("Idempotency-Replayed") == "true"; response.StatusCode != http.StatusAccepted || replayed != (round > 0) {
					t.Errorf("%d %s, replayed %v", response.StatusCode, answer, replayed)
				}
				bodies = append(bodies, answer)
			}
			if seen == nil {
				seen = bodies
			}
			if diff := cmp.Diff(seen, bodies); diff != "" {
				t.Error(diff)
			}
			if n := f.count(t, "acme"); n != 3 {
				t.Errorf("%d jobs", n)
			}
			if err := objects.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestAWaitForAKeyEndsWithItsClient: who waits for a key leaves when its client does.
func TestAWaitForAKeyEndsWithItsClient(t *testing.T) {
	dir := t.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	slow := &slowStore{Store: objects, entered: make(chan struct{}), proceed: make(chan struct{})}
	url := serveOver(t, slow, dir, func(h http.Handler) http.Handler { return h })
	f := &fixture{url: url}
	done := make(chan int, 1)
	go func() {
		response, _ := f.do(t, request{"POST", "/api/jobs", record, keyed("acme", "k")})
		done <- response.StatusCode
	}()
	<-slow.entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/jobs", strings.NewReader(record))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", "active_workspace=acme")
	req.Header.Set("Idempotency-Key", "k")
	if response, err := http.DefaultClient.Do(req); err == nil {
		response.Body.Close()
		t.Fatalf("answered %d while the key was in use", response.StatusCode)
	}
	slow.proceed <- struct{}{}
	if code := <-done; code != 202 {
		t.Errorf("the first: %d", code)
	}
}

// TestKeysOverAnEngineOfFewFeatures: nothing that a key needs is of the file engine alone.
// Several jobs at once are refused where they cannot be stored all or none.
func TestKeysOverAnEngineOfFewFeatures(t *testing.T) {
	objects := loosetest.New()
	f := &fixture{url: serveOver(t, objects, t.TempDir(), func(h http.Handler) http.Handler { return h })}
	post := request{"POST", "/api/jobs", record, keyed("acme", "k")}
	f.same(t, post, http.StatusAccepted, f.first(t, post, http.StatusAccepted))
	post = request{"POST", base, manifest("x", deploy), keyed("acme", "object")}
	f.same(t, post, http.StatusCreated, f.first(t, post, http.StatusCreated))
	f.ask(t, request{"POST", "/api/jobs", `{"jobs":[` + record + `,` + record + `]}`, workspace("acme")}, http.StatusBadRequest)
	if jobs := f.ask(t, request{"GET", "/api/jobs", "", workspace("acme")}, http.StatusOK).Result.Jobs; len(jobs) != 2 {
		t.Errorf("%d jobs", len(jobs))
	}
}
