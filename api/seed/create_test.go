package seed_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/api/seed"
	v1 "jobwright.dev/api/v1"
)

func TestWhatARequestIsRefusedFor(t *testing.T) {
	many := `{"jobs":[` + strings.Repeat(`{"type":"api_call"},`, seed.MaxJobs) + `{"type":"api_call"}]}`
	for name, tc := range map[string]struct{ body, want string }{
		"nothing":                       {``, "the body must be a JSON object"},
		"no object":                     {`[]`, "bad JSON: "},
		"an unknown member":             {`{"type":"api_call","extra":1}`, `bad JSON: unknown field "extra"`},
		"an unknown type":               {`{"type":"bake"}`, `type: Unsupported value: "bake": supported values: "build", "deploy", "api_call"`},
		"a payload that is no object":   {`{"type":"build","payload":[1]}`, "payload: must be an object"},
		"a member of another type":      {`{"type":"deploy","payload":{"action":"x"}}`, `payload: unknown field "action"`},
		"a value that is not supported": {`{"type":"deploy","payload":{"verb":"upp"}}`, `payload.verb: Unsupported value: "upp"`},
		"a required member":             {`{"type":"build","payload":{}}`, "payload.action: Required value: name the tool to call"},
		"no jobs":                       {`{"jobs":[]}`, "jobs: must hold 1 to 1000 jobs, not 0"},
		"too many jobs":                 {many, "jobs: must hold 1 to 1000 jobs, not 1001"},
		"jobs beside a type":            {`{"type":"build","jobs":[{"type":"api_call"}]}`, "jobs: must stand alone"},
		"jobs that are no list":         {`{"jobs":{}}`, "bad JSON: "},
		"jobs in jobs":                  {`{"jobs":[{"jobs":[]}]}`, `unknown field "jobs[0].jobs"`},
		"one of several": {
			`{"jobs":[{"type":"api_call"},{"type":"bake"},{"type":"deploy","payload":{"verb":"upp"}}]}`,
			"jobs[1].type: Unsupported value: \"bake\": supported values: \"build\", \"deploy\", \"api_call\"\njobs[2].payload.verb: Unsupported value: \"upp\"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := seed.DecodeCreate([]byte(tc.body))
			if err == nil {
				_, err = request.Objects(v1.Payloads(), "acme", false)
			}
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v\nwant  %s", err, tc.want)
			}
		})
	}
	t.Run("a thousand times the same mistake is said twenty times", func(t *testing.T) {
		request, err := seed.DecodeCreate([]byte(`{"jobs":[` + strings.Repeat(`{"type":"x"},`, 999) + `{"type":"x"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = request.Objects(v1.Payloads(), "acme", false); err == nil || strings.Count(err.Error(), "Unsupported") != 20 {
			t.Errorf("error %v", err)
		}
	})
}

func TestWhoCreatesAJob(t *testing.T) {
	const body = `{"type":"api_call","createdBy":{"email":"ada@example.org","id":"u1"}}`
	for name, tc := range map[string]struct {
		body    string
		trusted bool
		want    *v1.Creator
		fails   bool
	}{
		"a client that is not trusted is not heard": {body, false, nil, false},
		"nor is it refused":                         {`{"type":"api_call","createdBy":7}`, false, nil, false},
		"the operator says who":                     {body, true, &v1.Creator{Email: "ada@example.org", ID: "u1"}, false},
		"the operator says nothing":                 {`{"type":"api_call","createdBy":{}}`, true, nil, false},
		"the operator says null":                    {`{"type":"api_call","createdBy":null}`, true, nil, false},
		"an unknown member":                         {`{"type":"api_call","createdBy":{"name":"x"}}`, true, nil, true},
		"an address that is too long":               {`{"type":"api_call","createdBy":{"email":"` + strings.Repeat("x", 255) + `"}}`, true, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := seed.DecodeCreate([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			jobs, err := request.Objects(v1.Payloads(), "acme", tc.trusted)
			if (err != nil) != tc.fails {
				t.Fatal(err)
			}
			if err == nil {
				if diff := cmp.Diff(tc.want, jobs[0].Spec.CreatedBy); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestNames(t *testing.T) {
	form := regexp.MustCompile(`^[0-9]{13}-[0-9a-z]{6}$`)
	for _, random := range []uint64{0, 1, 36*36*36*36*36*36 - 2, 1<<64 - 1} {
		names := seed.Names(time.UnixMilli(1731000000000), random, 1000)
		slices.Sort(names)
		if distinct := len(slices.Compact(slices.Clone(names))); distinct != 1000 {
			t.Errorf("random %d: %d names of 1000 are distinct", random, distinct)
		}
		for _, name := range names {
			if !form.MatchString(name) {
				t.Fatalf("random %d: %q", random, name)
			}
		}
	}
	if diff := cmp.Diff([]string{"1731000000000-zzzzzz", "1731000000000-000000"}, seed.Following("1731000000000-zzzzzz", 2)); diff != "" {
		t.Error(diff)
	}
}

func TestAStepIsDoneWhenTheJobHasSucceeded(t *testing.T) {
	for phase, want := range map[v1.JobPhase]string{
		v1.JobQueued: "mcp:run", v1.JobRunning: "mcp:run", v1.JobFailed: "mcp:run", v1.JobCanceled: "mcp:run", v1.JobSucceeded: "done",
	} {
		job := &v1.Job{Status: v1.JobStatus{Phase: phase, Step: "mcp:run"}}
		shown, err := seed.FromJob(v1.Payloads(), job, time.UnixMilli(0), seed.Log{})
		if err != nil || shown.Step != want || shown.Status != strings.ToLower(fmt.Sprint(phase)) {
			t.Errorf("%s: step %q, status %q, %v; want step %q", phase, shown.Step, shown.Status, err, want)
		}
	}
}
