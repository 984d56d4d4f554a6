package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/api/server"
	"jobwright.dev/api/server/auth"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// version is the store's.
func (h *house) version(t testing.TB) uint64 {
	t.Helper()
	page, err := h.store.List(t.Context(), store.ListOptions{Kind: v1.KindWorkspace})
	if err != nil {
		t.Fatal(err)
	}
	return page.ResourceVersion
}

// TestEveryDryRunIsDry tries each row that does more than read.
func TestEveryDryRunIsDry(t *testing.T) {
	h := newHouse(t, nil)
	tried := 0
	for _, route := range h.api.Routes() {
		if route.Method == http.MethodGet || route.Method == "" || route.Verb == auth.Plan {
			continue
		}
		tried++
		has := slices.ContainsFunc(route.Query, func(p server.Parameter) bool { return p.Name == "dryRun" })
		name := "secret"
		if route.Kind.Name == v1.KindWorkspace && route.Verb != auth.Create {
			name = "acme" // without objects, it could be deleted
		} else if route.Verb == auth.Create {
			name = "made"
		}
		for query, wants := range map[string]bool{"dryRun=All": has, "dryRun=All&dryRun=All": has, "dryRun=all": false, "dryRun=All&dryRun=": false, "dryRun=All;x": false} {
			before := h.version(t)
			r := h.request(t, route, "other", name)
			r.path += "?" + query
			response, answer := h.do(t, r)
			if accepted := response.StatusCode < 300; accepted != wants && !strings.Contains(route.Pattern, "retry") || response.StatusCode >= 500 {
				t.Errorf("%s %s: %s %s, want accepted = %v", r.method, r.path, response.Status, answer, wants)
			}
			if after := h.version(t); after != before {
				t.Fatalf("%s %s has changed the store: %s", r.method, r.path, answer)
			}
		}
	}
	if tried < 15 {
		t.Errorf("%d rows do more than read", tried)
	}
}

func TestADryRunMayStandInTheBodyOfADelete(t *testing.T) {
	h := newHouse(t, nil)
	path := groupPath + "/namespaces/other/jobs/secret"
	uid := string(h.secrets[1].UID())
	for body, code := range map[string]int{
		`{"kind":"DeleteOptions","apiVersion":"v1","dryRun":["All"],"propagationPolicy":"Background"}`: http.StatusOK,
		`{"dryRun":["all"]}`: http.StatusBadRequest,
		`{"dryRun":["All"],"preconditions":{"resourceVersion":"1"}}`:    http.StatusConflict,
		`{"dryRun":["All"],"preconditions":{"uid":"` + uid + `"}}`:      http.StatusOK,
		`{"dryRun":["All"],"preconditions":{"uid":"` + uid[1:] + `0"}}`: http.StatusConflict,
	} {
		h.want(t, request{method: http.MethodDelete, path: path, body: body}, code)
		h.want(t, request{method: http.MethodGet, path: path}, http.StatusOK, uid)
	}
	h.want(t, request{method: http.MethodDelete, path: path, body: `{"propagationPolicy":"Background"}`}, http.StatusOK)
	h.want(t, request{method: http.MethodGet, path: path}, http.StatusNotFound)
}

// TestADryRunAnswersWhatWouldBeStored: the same request without it then answers the same,
// but for the version.
func TestADryRunAnswersWhatWouldBeStored(t *testing.T) {
	h := newHouse(t, nil)
	merge := map[string]string{"Content-Type": "application/merge-patch+json"}
	notes, jobs := groupPath+"/namespaces/other/notes/secret", groupPath+"/namespaces/other/jobs/secret"
	for _, tc := range []struct {
		request
		says []string
	}{
		{request{"PATCH", notes, `{"spec":{"text":"new"}}`, merge}, []string{`"text":"new"`, `"generation":2`}},
		{request{"PATCH", notes, `{"metadata":{"labels":{"a":"b"}}}`, merge}, []string{`"a":"b"`, `"generation":2`}},
		{request{"PATCH", notes + "/status", `{"status":{"readers":4,"shown":"computed"}}`, merge}, []string{`"readers":4`, `"generation":2`}},
		{request{"PUT", notes, `{"apiVersion":"jobwright.dev/v1","kind":"Note","metadata":{"name":"secret","resourceVersion":"VERSION"},"spec":{"text":"put","volume":3}}`, nil}, []string{`"text":"put"`, `"generation":3`, `"readers":4`}},
		{request{"PATCH", jobs, `{"spec":{"priority":7}}`, merge}, []string{`"priority":7`, `"generation":2`}},
		{request{"POST", jobs + "/force-finish", `{"phase":"Failed","message":"gone"}`, nil}, []string{`"message":"gone"`, `"generation":3`}},
	} {
		record, err := h.store.Get(t.Context(), h.secrets[map[bool]int{true: 0, false: 1}[strings.HasPrefix(tc.path, notes)]].Key())
		if err != nil {
			t.Fatal(err)
		}
		tc.body = strings.Replace(tc.body, "VERSION", fmt.Sprint(record.ResourceVersion()), 1)
		dry := tc.request
		dry.path += "?dryRun=All"
		would := h.want(t, dry, http.StatusOK, tc.says...)
		is := h.want(t, tc.request, http.StatusOK, tc.says...)
		if diff := cmp.Diff(object(t, is), object(t, would)); diff != "" {
			t.Errorf("%s %s: stored (-) against dry run (+):\n%s", tc.method, tc.path, diff)
		}
	}
}

// object is an object's JSON without its version and the times of now.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var obj map[string]any
	if err := json.Unmarshal([]byte(text), &obj); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	delete(obj["metadata"].(map[string]any), "resourceVersion")
	return obj
}
