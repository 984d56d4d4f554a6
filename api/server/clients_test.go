package server_test

import (
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
)

// TestPatternsOfClients are ways in which clients of other job interfaces create, poll,
// page and cancel.
func TestPatternsOfClients(t *testing.T) {
	f := newFixture(t)
	f.job(t, "acme", "1731000000000-aaaaaa", nil)
	f.job(t, "acme", "1731000000000-bbbbbb", finished)
	f.job(t, "other", "1731000000000-cccccc", func(j *v1.Job) { j.UID = "019304a5-7c00-7000-8000-000000000003" })
	cookie := workspace("acme")["Cookie"]
	with := func(pairs ...string) map[string]string {
		header := map[string]string{"Cookie": cookie}
		for i := 0; i < len(pairs); i += 2 {
			header[pairs[i]] = pairs[i+1]
		}
		return header
	}
	for name, tc := range map[string]struct {
		request
		code int
		text string
		head map[string]string
	}{
		"who creates looks for Location and Retry-After":     {request{"POST", "/api/jobs", `{"type":"api_call"}`, with()}, 202, `"id"`, map[string]string{"Retry-After": "1"}},
		"who polls is asked to wait while the job runs":      {request{"GET", "/api/jobs/1731000000000-aaaaaa", "", with()}, 200, `"queued"`, map[string]string{"Retry-After": "1"}},
		"and no longer when it has ended":                    {request{"GET", "/api/jobs/1731000000000-bbbbbb", "", with()}, 200, `"succeeded"`, map[string]string{"Retry-After": ""}},
		"a poll is never answered from a cache":              {request{"GET", "/api/jobs/1731000000000-aaaaaa", "", with("If-None-Match", "*", "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")}, 200, `"queued"`, map[string]string{"Cache-Control": "no-store", "ETag": ""}},
		"a parameter against caches is let through":          {request{"GET", "/api/jobs?_=1731000000000&t=1", "", with()}, 200, `"jobs"`, nil},
		"a path that ends in a slash":                        {request{"GET", "/api/jobs/?limit=1", "", with()}, 200, `"jobs"`, nil},
		"and one that is posted to":                          {request{"POST", "/api/jobs/", `{"type":"api_call"}`, with()}, 202, `"id"`, nil},
		"a media type with its charset":                      {request{"POST", "/api/jobs", `{"type":"api_call"}`, with("Content-Type", "application/json;charset=UTF-8")}, 202, `"id"`, nil},
		"a body without a media type that is said":           {request{"POST", "/api/jobs", `{"type":"api_call"}`, with("Content-Type", "text/plain;charset=UTF-8")}, 415, `use application/json`, nil},
		"a body that begins with a byte order mark":          {request{"POST", "/api/jobs", "\ufeff" + `{"type":"api_call"}`, with()}, 202, `"id"`, nil},
		"a body that is compressed":                          {request{"POST", "/api/jobs", "\x1f\x8b", with("Content-Encoding", "gzip")}, 415, `Content-Encoding "gzip" is not supported`, nil},
		"a job that is canceled by DELETE":                   {request{"DELETE", "/api/jobs/1731000000000-aaaaaa", "", with()}, 405, `POST {\"action\": \"cancel\"}`, map[string]string{"Allow": "GET, HEAD, POST"}},
		"paging by page number":                              {request{"GET", "/api/jobs?page=2&per_page=50", "", with()}, 400, `page: is no parameter of this list, which takes limit, offset, continue and status`, nil},
		"paging by a cursor of another name":                 {request{"GET", "/api/jobs?cursor=x", "", with()}, 400, "cursor: is no parameter", nil},
		"a workspace in the query":                           {request{"GET", "/api/jobs?workspaceId=other", "", with()}, 400, "workspaceId: is no parameter", nil},
		"jobs of one status":                                 {request{"GET", "/api/jobs?status=succeeded", "", with()}, 200, `{"ok":true,"result":{"jobs":[{"id":"1731000000000-bbbbbb"`, nil},
		"a status that is none":                              {request{"GET", "/api/jobs?status=done", "", with()}, 400, `status: Unsupported value: \"done\": supported values: \"queued\", \"running\", \"succeeded\", \"failed\", \"canceled\"`, nil},
		"an array as the body, as Kue takes it":              {request{"POST", "/api/jobs", `[{"type":"api_call"}]`, with()}, 400, "bad JSON", nil},
		"a header in lower case":                             {request{"POST", "/api/jobs", `{"type":"api_call"}`, with("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9326")}, 202, `"id"`, nil},
		"a key on a request that creates nothing is ignored": {request{"GET", "/api/jobs", "", with("Idempotency-Key", "")}, 200, `"jobs"`, nil},
	} {
		t.Run(name, func(t *testing.T) { f.pattern(t, tc.request, tc.code, tc.text, tc.head) })
	}
	t.Run("a key that is reused", func(t *testing.T) {
		f.pattern(t, request{"POST", "/api/jobs", `{"type":"api_call","payload":{"n":1}}`, with("Idempotency-Key", "8e03978e-40d5-43e8-bc93-6894a57f9326")}, 422, `"error":"idempotency_key_reused"`, nil)
	})
	t.Run("Location leads to the job", func(t *testing.T) {
		response, _ := f.do(t, request{"POST", "/api/jobs", `{"type":"api_call"}`, with("Idempotency-Key", "l")})
		again, _ := f.do(t, request{"POST", "/api/jobs", `{"type":"api_call"}`, with("Idempotency-Key", "l")})
		where := response.Header.Get("Location")
		if where == "" || again.Header.Get("Location") != where {
			t.Fatalf("Location %q, then %q", where, again.Header.Get("Location"))
		}
		f.ask(t, request{"GET", where, "", with()}, 200)
	})
}

func (f *fixture) pattern(t *testing.T, r request, code int, text string, head map[string]string) {
	t.Helper()
	response, body := f.do(t, r)
	if response.StatusCode != code || !strings.Contains(body, text) {
		t.Errorf("%d %s\nwant %d with %s", response.StatusCode, body, code, text)
	}
	for name, want := range head {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
