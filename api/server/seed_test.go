package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/api/seed"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// seedAnswer is any answer of /api/jobs.
type seedAnswer struct {
	OK     bool
	Error  string
	Result struct {
		ID       string
		IDs      []string
		Job      seed.Job
		Jobs     []seed.Job
		Continue string
	}
}

// ask sends a request to /api/jobs that must be answered with that code.
func (f *fixture) ask(t testing.TB, r request, code int) seedAnswer {
	t.Helper()
	response, body := f.do(t, r)
	var answer seedAnswer
	if err := json.Unmarshal([]byte(body), &answer); err != nil || response.StatusCode != code || answer.OK != (code < 300) {
		t.Fatalf("%s %s: %d %s, %v; want %d", r.method, r.path, response.StatusCode, body, err, code)
	}
	return answer
}

func idsOf(jobs []seed.Job) []string {
	ids := []string{}
	for _, job := range jobs {
		ids = append(ids, job.ID)
	}
	return ids
}

// TestSeveralJobsAreCreatedInOrder: all or none, listed newest first, page by page.
func TestSeveralJobsAreCreatedInOrder(t *testing.T) {
	f := newFixture(t)
	acme := workspace("acme")
	list := func(query string) seedAnswer { return f.ask(t, request{"GET", "/api/jobs" + query, "", acme}, 200) }

	f.ask(t, request{"POST", "/api/jobs", `{"jobs":[{"type":"api_call"},{"type":"bake"}]}`, acme}, 400)
	f.ask(t, request{"POST", "/api/jobs", `{"jobs":[{"type":"bake"}]}`, workspace("untouched")}, 400)
	if jobs := list("").Result.Jobs; len(jobs) != 0 {
		t.Fatalf("a refused request has left %v", idsOf(jobs))
	}
	if _, err := f.store.Get(t.Context(), store.Key{Kind: v1.KindWorkspace, Name: "untouched"}); err == nil {
		t.Error("a refused request has made its workspace")
	}

	const n = 250
	body := `{"jobs":[` + strings.Repeat(`{"type":"api_call","payload":{"n":1}},`, n-1) + `{"type":"api_call","payload":{"n":2}}]}`
	ids := f.ask(t, request{"POST", "/api/jobs", body, acme}, 202).Result.IDs
	if len(ids) != n {
		t.Fatalf("%d ids", len(ids))
	}
	last := f.ask(t, request{"GET", "/api/jobs/" + ids[n-1], "", acme}, 200)
	if got := string(last.Result.Job.Payload); got != `{"n":2}` {
		t.Errorf("the payload of the last is %s", got)
	}

	newest := make([]string, 0, n)
	for i := n - 1; i >= 0; i-- {
		newest = append(newest, ids[i])
	}
	for query, want := range map[string][]string{
		"": newest[:200], "?limit=200": newest[:200], "?limit=3": newest[:3], "?limit=3&offset=3": newest[3:6], "?offset=245": newest[245:],
		"?offset=250": {}, "?offset=100000": {}, "?_=1731000000000": newest[:200],
	} {
		if diff := cmp.Diff(want, idsOf(list(query).Result.Jobs)); diff != "" {
			t.Errorf("%q: %s", query, diff)
		}
	}

	// Jobs that arrive meanwhile shift offsets, and no continue.
	first := list("?limit=100")
	f.ask(t, request{"POST", "/api/jobs", `{"type":"api_call"}`, acme}, 202)
	second := list("?limit=200&continue=" + first.Result.Continue)
	if diff := cmp.Diff(newest, append(idsOf(first.Result.Jobs), idsOf(second.Result.Jobs)...)); diff != "" || second.Result.Continue != "" {
		t.Errorf("continue %q, %s", second.Result.Continue, diff)
	}
}

func TestHowMuchOfItsLogAJobShows(t *testing.T) {
	f := newFixture(t)
	acme := workspace("acme")
	j := f.job(t, "acme", "chatty", nil)
	writer, err := f.archive.Writer(logs.Ref{Workspace: "acme", Job: j.Name, UID: j.UID})
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, job seed.Job, lines int, first, last string, truncated bool) {
		t.Helper()
		if len(job.Logs) != lines || job.Logs[0] != first || job.Logs[lines-1] != last || job.LogsTruncated != truncated {
			t.Errorf("%s: %d lines, %.20q … %.20q, truncated %v; want %d, %q … %q, %v", what,
				len(job.Logs), job.Logs[0], job.Logs[len(job.Logs)-1], job.LogsTruncated, lines, first, last, truncated)
		}
	}
	one := func() seed.Job { return f.ask(t, request{"GET", "/api/jobs/chatty", "", acme}, 200).Result.Job }
	many := func() seed.Job { return f.ask(t, request{"GET", "/api/jobs", "", acme}, 200).Result.Jobs[0] }
	line := func(i int) string { return fmt.Sprintf("line %d", i) }
	for i := range 1001 {
		writer.Line(time.UnixMilli(0), logs.Stream(action.Stdout), line(i))
		switch i + 1 {
		case 20:
			check("twenty in a list", many(), 20, line(0), line(19), false)
		case 21:
			check("twenty-one in a list", many(), 20, line(1), line(20), true)
		case 1000:
			check("a thousand of one", one(), 1000, line(0), line(999), false)
		}
	}
	check("a thousand and one of one", one(), 1000, line(1), line(1000), true)
	for range 100 {
		writer.Line(time.UnixMilli(0), logs.Stream(action.Stdout), strings.Repeat("x", 20_000))
	}
	if err := writer.Close(time.UnixMilli(0)); err != nil {
		t.Fatal(err)
	}
	if job := one(); len(job.Logs) != 52 || !job.LogsTruncated {
		t.Errorf("of a megabyte %d lines of 20,000 are shown", len(job.Logs))
	}
	if job := many(); len(job.Logs) != 1 || !job.LogsTruncated {
		t.Errorf("in a list %d lines of 20,000 are shown", len(job.Logs))
	}
}

// TestWhoMaySayWhoCreatesAJob: the operator alone, on both ways in.
func TestWhoMaySayWhoCreatesAJob(t *testing.T) {
	f := newFixture(t)
	by := &v1.Creator{Email: "ada@example.org", ID: "u1"}
	for name, tc := range map[string]struct {
		authorization string
		want          *v1.Creator
	}{
		"the operator":  {"Bearer " + operatorToken, by},
		"nobody":        {"", nil},
		"a wrong token": {"Bearer x", nil},
	} {
		t.Run(name, func(t *testing.T) {
			header := map[string]string{"Cookie": workspace("acme")["Cookie"], "Authorization": tc.authorization}
			id := f.ask(t, request{"POST", "/api/jobs", `{"type":"api_call","createdBy":{"email":"ada@example.org","id":"u1"}}`, header}, 202).Result.ID
			job := f.ask(t, request{"GET", "/api/jobs/" + id, "", header}, 200).Result.Job
			if diff := cmp.Diff(tc.want, job.CreatedBy); diff != "" {
				t.Errorf("/api/jobs: %s", diff)
			}
			_, body := f.do(t, request{"POST", base, strings.Replace(manifest("", `{"type":"api_call","createdBy":{"email":"ada@example.org","id":"u1"}}`), `"name":""`, `"generateName":"by-"`, 1), header})
			var object v1.Job
			if err := json.Unmarshal([]byte(body), &object); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, object.Spec.CreatedBy); diff != "" {
				t.Errorf("objects: %s", diff)
			}
		})
	}
}

// TestAnAnswerOfTheSeedIsNotCached: a poll must see what is, and HEAD what GET would.
func TestAnAnswerOfTheSeedIsNotCached(t *testing.T) {
	f := newFixture(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		response, body := f.do(t, request{method, "/api/jobs", "", workspace("acme")})
		if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" || (body == "") != (method == http.MethodHead) {
			t.Errorf("%s: %d %v %q", method, response.StatusCode, response.Header, body)
		}
	}
}
