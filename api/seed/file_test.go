package seed_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

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
			var old seed.FileJob
			if err := json.Unmarshal([]byte(text), &old); err != nil {
				t.Fatal(err)
			}
			job, err := old.Object()
			if err != nil {
				t.Fatal(err)
			}
			lines, err := old.Lines()
			if err != nil {
				t.Fatal(err)
			}
			shown, err := seed.FromJob(job, time.UnixMilli(old.CreatedAt), seed.Log{Lines: lines})
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
		"lines that are no text": {map[string]any{"logs": []any{"a", 1, map[string]any{"b": nil}}}, func(_ *v1.Job, lines []string) bool {
			return reflect.DeepEqual(lines, []string{"a", "1", `{"b":null}`})
		}, ""},
		"a creator of another form":        {map[string]any{"createdBy": "ada"}, func(j *v1.Job, _ []string) bool { return j.Spec.CreatedBy == nil }, ""},
		"a status that is none":            {map[string]any{"status": "lost"}, nil, `status "lost": supported values`},
		"a workspace that cannot be one":   {map[string]any{"workspaceId": "a/b"}, nil, `workspaceId "a/b"`},
		"a payload that does not fit":      {map[string]any{"type": "deploy", "payload": map[string]any{"verb": "x"}}, nil, "verb"},
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
			var old seed.FileJob
			if err := json.Unmarshal(data, &old); err != nil {
				t.Fatal(err)
			}
			job, err := old.Object()
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("error %v, want %s", err, tc.fails)
				}
				return
			}
			lines, problem := old.Lines()
			if err != nil || problem != nil {
				t.Fatal(err, problem)
			}
			if !tc.want(job, lines) {
				t.Errorf("%+v, %q", job, lines)
			}
			if again, err := old.Object(); err != nil || again.UID != job.UID {
				t.Errorf("a second import makes another object: %v", err)
			}
		})
	}
}
