package seed_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/api/seed"
	v1 "jobwright.dev/api/v1"
)

// TestAJobOfAnOldFileIsShownAsItWas reads jobs of a file and shows them.
func TestAJobOfAnOldFileIsShownAsItWas(t *testing.T) {
	for name, text := range map[string]string{
		"the documentation's": `{"id":"1234567890-abc123","type":"build","workspaceId":"workspace-uuid","createdBy":{"email":"user@example.com","id":"user-uuid"},
			"payload":{"action":"apply_builder","id":"nextjs-api-route","variables":{"ROUTE_NAME":"health"}},
			"status":"succeeded","pct":100,"step":"done","logs":["log line 1","log line 2"],"createdAt":1234567890,"updatedAt":1234567890}`,
		"one that failed": `{"id":"1731000000000-aaaaaa","type":"deploy","workspaceId":"acme","createdBy":null,"payload":{"verb":"up","extraArgs":[]},
			"status":"failed","pct":40,"step":"compose:up","logs":[],"createdAt":1731000000000,"updatedAt":1731000001000}`,
		"a record": `{"id":"1731000000000-bbbbbb","type":"api_call","workspaceId":"acme","createdBy":null,"payload":{"tokens":1.0},
			"status":"canceled","pct":0,"step":"","logs":[],"createdAt":1731000000000,"updatedAt":1731000001000}`,
	} {
		t.Run(name, func(t *testing.T) {
			past, err := seed.ReadFile(v1.Payloads(), []byte("\ufeff{\"jobs\": ["+text+"]}\n"))
			if err != nil {
				t.Fatal(err)
			}
			shown, err := seed.FromJob(v1.Payloads(), past[0].Job, past[0].Job.CreationTimestamp.Time, seed.Log{Lines: past[0].Lines})
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(shown)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decoded(t, text), decoded(t, string(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatOldFilesHold(t *testing.T) {
	base := map[string]any{"id": "1731000000000-AAAAAA", "type": "api_call", "workspaceId": "acme", "status": "queued", "createdAt": 1731000000000}
	for name, tc := range map[string]struct {
		change map[string]any
		want   func(*v1.Job, []string) bool
		fails  string
	}{
		"a name in capitals": {nil, func(j *v1.Job, _ []string) bool { return j.Name == "1731000000000-aaaaaa" }, ""},
		"a job that was running": {map[string]any{"status": "RUNNING"}, func(j *v1.Job, _ []string) bool {
			return j.Status.Phase == v1.JobQueued && j.Status.Reason == v1.ReasonInterrupted
		}, ""},
		"the other spelling of canceled": {map[string]any{"status": "cancelled"}, func(j *v1.Job, _ []string) bool { return j.Status.Phase == v1.JobCanceled }, ""},
		"a share of a percent":           {map[string]any{"status": "failed", "pct": 99.5}, func(j *v1.Job, _ []string) bool { return j.Status.Pct == 99 }, ""},
		"more than all of it":            {map[string]any{"status": "failed", "pct": 1e9}, func(j *v1.Job, _ []string) bool { return j.Status.Pct == 100 }, ""},
		"lines that are no text": {map[string]any{"logs": []any{"a", json.Number("9007199254740993"), map[string]any{"b": nil}, nil, ""}}, func(_ *v1.Job, lines []string) bool {
			return reflect.DeepEqual(lines, []string{"a", "9007199254740993", `{"b":null}`, "null", ""})
		}, ""},
		"a time that is too late":          {map[string]any{"updatedAt": 253402300800000}, nil, "jobs[0]: updatedAt: Invalid value: 253402300800000: must be milliseconds since 1970"},
		"a time before all times":          {map[string]any{"createdAt": -1}, nil, "jobs[0]: createdAt: Invalid value: -1"},
		"an id that is no name":            {map[string]any{"id": "a b"}, nil, "jobs[0]: id: Invalid value: \"a b\""},
		"a creator of another form":        {map[string]any{"createdBy": "ada"}, func(j *v1.Job, _ []string) bool { return j.Spec.CreatedBy == nil }, ""},
		"a status that is none":            {map[string]any{"status": "lost"}, nil, `jobs[0]: status: Unsupported value: "lost": supported values`},
		"a workspace that cannot be one":   {map[string]any{"workspaceId": "a/b"}, nil, `jobs[0]: workspaceId: Invalid value: "a/b"`},
		"a payload that does not fit":      {map[string]any{"type": "deploy", "payload": map[string]any{"verb": "x"}}, nil, "jobs[0]: payload.verb: Unsupported value"},
		"an update that is before it came": {map[string]any{"updatedAt": 5}, func(j *v1.Job, _ []string) bool { return j.Status.LastUpdateTime.UnixMilli() == 1731000000000 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := map[string]any{}
			for _, m := range []map[string]any{base, tc.change} {
				maps.Copy(text, m)
			}
			data, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			file := []byte(`{"jobs": [` + string(data) + `]}`)
			past, err := seed.ReadFile(v1.Payloads(), file)
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("error %v, want %s", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !tc.want(past[0].Job, past[0].Lines) {
				t.Errorf("%+v, %q", past[0].Job, past[0].Lines)
			}
			if again, err := seed.ReadFile(v1.Payloads(), file); err != nil || again[0].Job.UID != past[0].Job.UID {
				t.Errorf("a second import makes another object: %v", err)
			}
		})
	}
}

// TestAFileIsReadWhole: everything in a file counts, and what is wrong with it is said with
// its line and path.
func TestAFileIsReadWhole(t *testing.T) {
	const job = `{"id": "1731000000000-aaaaaa", "type": "api_call", "workspaceId": "acme", "status": "queued", "createdAt": 1731000000000}`
	for name, tt := range map[string]struct{ text, says string }{
		"no jobs":                     {`{"jobs": []}`, ""},
		"an empty file":               {" \n", "jobs: Required value"},
		"null":                        {"null", "jobs: Required value"},
		"an object without jobs":      {"{}", `jobs: Required value: the file must be like {"jobs": [{"id": …}]}`},
		"a list":                      {"[]", "must be a map, not a list"},
		"a file that breaks off":      {"{\"jobs\": [\n" + job + ",\n", "line 3: this is no JSON: the text ends too soon"},
		"a second value":              {"{\"jobs\": []}\n{\"jobs\": [" + job + "]}", "line 2: a second document begins here; only one is read"},
		"text behind the value":       {"{\"jobs\": []}\nx", "line 2: this is no JSON"},
		"a member of the file":        {"{\"jobs\": [],\n\"job\": 1}", `line 2: unknown field "job": did you mean "jobs"?`},
		"a member of a job":           {"{\"jobs\": [\n" + job + ",\n{\"ID\": \"x\"}]}", `line 3: unknown field "jobs[1].ID": write "id"`},
		"a member twice":              {"{\"jobs\": [\n{\"id\": \"a\",\n\"id\": \"b\"}]}", `line 3: jobs[0]: the key "id" is there twice; the first is on line 2`},
		"a member of another type":    {"{\"jobs\": [\n{\"id\": 5}]}", "line 2: jobs[0].id: must be a string, not a number"},
		"a job that is null":          {"{\"jobs\": [\nnull]}", "line 2: jobs[0]: workspaceId: Invalid value"},
		"two that are wrong":          {"{\"jobs\": [\n" + strings.Replace(job, "acme", "A", 1) + ",\n" + strings.Replace(job, "queued", "q", 1) + "]}", "line 3: jobs[1]: status: Unsupported value"},
		"an id twice":                 {"{\"jobs\": [\n" + job + ",\n" + strings.Replace(job, "aaaaaa", "AAAAAA", 1) + "]}", `line 3: jobs[1]: id: Duplicate value: "1731000000000-AAAAAA": it is that of jobs[0] too`},
		"an id in another workspace":  {"{\"jobs\": [\n" + job + ",\n" + strings.Replace(job, "acme", "rival", 1) + "]}", ""},
		"an unknown member of builds": {"{\"jobs\": [\n" + strings.Replace(job, `"api_call"`, `"build", "payload": {"action": "x", "idd": "y"}`, 1) + "]}", `line 2: jobs[0]: payload: unknown field "idd": did you mean "id"?`},
	} {
		t.Run(name, func(t *testing.T) {
			past, err := seed.ReadFile(v1.Payloads(), []byte(tt.text))
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || past != nil) {
				t.Errorf("%d jobs, error %v", len(past), err)
			}
		})
	}
}

func TestAFilesOldestJobIsFirst(t *testing.T) {
	past, err := seed.ReadFile(v1.Payloads(), []byte(`{"jobs": [
		{"id": "b", "type": "api_call", "workspaceId": "acme", "status": "queued", "createdAt": 2},
		{"id": "a", "type": "api_call", "workspaceId": "acme", "status": "queued", "createdAt": 1}]}`))
	if err != nil || len(past) != 2 || past[0].Job.Name != "a" {
		t.Errorf("%+v, %v", past, err)
	}
}
