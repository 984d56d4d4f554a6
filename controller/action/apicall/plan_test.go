package apicall_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/apicall"
	"jobwright.dev/controller/action/outbound"
)

func TestPlanCallsNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was called", r.Method, r.URL) }))
	t.Cleanup(server.Close)
	withPassword := strings.Replace(server.URL, "http://", "http://me:secret@", 1)
	for name, tc := range map[string]struct {
		private bool
		call    *v1.APICallAction
		want    v1.Plan
	}{
		"a record": {want: v1.Plan{Valid: true, Changes: []v1.PlanChange{{
			Verb: v1.PlanKeep, Kind: "record", Detail: "nothing is called; the job is a record, which succeeds as soon as it may start",
		}}}},
		"a call with a body": {
			private: true, call: &v1.APICallAction{URL: withPassword, Body: &v1.JSON{Raw: []byte(`{"a":1}`)}},
			want: v1.Plan{Valid: true, Changes: []v1.PlanChange{{
				Verb: v1.PlanCall, Kind: "url", Name: "POST " + strings.Replace(withPassword, "secret", "xxxxx", 1), Detail: "a body of 7 bytes, application/json",
			}}},
		},
		"a call without a body": {
			private: true, call: &v1.APICallAction{URL: server.URL},
			want: v1.Plan{Valid: true, Changes: []v1.PlanChange{{Verb: v1.PlanCall, Kind: "url", Name: "GET " + server.URL, Detail: "no body"}}},
		},
		"a private address": {
			call: &v1.APICallAction{URL: server.URL},
			want: v1.Plan{Problems: []string{"spec.apiCall.url: the address 127.0.0.1 is private; start the server with --allow-private-addresses if calls may go there, or allow this host in its --outbound file (allowPrivate)"}},
		},
		"no such host": {
			call: &v1.APICallAction{URL: "http://no..host/"}, // refused by the resolver without asking anyone
			want: v1.Plan{Problems: []string{"spec.apiCall.url: no such host: no..host"}},
		},
		"no URL at all": {
			call: &v1.APICallAction{URL: "nowhere"},
			want: v1.Plan{Problems: []string{"spec.apiCall.url: must be an absolute http or https URL"}},
		},
		"a bad header": {
			call: &v1.APICallAction{URL: server.URL, Headers: map[string]v1.HeaderValue{"a b": {Value: "c"}}},
			want: v1.Plan{Problems: []string{`spec.apiCall.headers[a b]: Invalid value: a header's name is a word, and its value has no control characters, such as a line end`}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			job := &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeAPICall, APICall: tc.call}}
			job.Name = "j"
			planner := apicall.New(apicall.Options{Network: outbound.New(outbound.Options{AllowPrivate: tc.private})})
			got, err := planner.Plan(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPlanThatCannotBeMadeIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	job := &v1.Job{Spec: v1.JobSpec{APICall: &v1.APICallAction{URL: "http://jobwright.invalid/"}}}
	if plan, err := apicall.New(apicall.Options{}).Plan(ctx, job); err == nil {
		t.Errorf("plan %+v", plan)
	}
}
