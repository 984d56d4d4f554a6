package seed_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jobwright.dev/api/seed"
	v1 "jobwright.dev/api/v1"
)

// created is the one job of a request, as a server would store and read it.
func created(t *testing.T, body string) *v1.Job {
	t.Helper()
	request, err := seed.DecodeCreate([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := request.Objects(v1.Payloads(), "acme", false)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(jobs[0])
	if err != nil {
		t.Fatal(err)
	}
	job := new(v1.Job)
	if err := json.Unmarshal(stored, job); err != nil {
		t.Fatal(err)
	}
	return job
}

func payloadOf(t *testing.T, job *v1.Job) string {
	t.Helper()
	shown, err := seed.FromJob(v1.Payloads(), job, time.UnixMilli(0), seed.Log{})
	if err != nil {
		t.Fatal(err)
	}
	return string(shown.Payload)
}

// decoded keeps numbers as they are written.
func decoded(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestAPayloadIsAnsweredAsItWasSent(t *testing.T) {
	for name, tc := range map[string]struct{ jobType, payload string }{
		"the seed's build":                      {"build", `{"action":"apply_builder","id":"nextjs-api-route","variables":{"ROUTE_NAME":"health"}}`},
		"a build with empty variables":          {"build", `{"action":"apply_builder","id":"quota-check-lib","variables":{}}`},
		"a build with members that say nothing": {"build", `{"server":"","action":"x","id":null,"arguments":null}`},
		"numbers as they are written":           {"build", `{"action":"x","variables":{"a":1.0,"b":1e3,"c":12345678901234567890,"d":-0,"e":0.10}}`},
		"members in another order":              {"build", `{ "variables" : {"b":1,"a":{"z":1,"y":2}}, "action":"x" }`},
		"the seed's deploy":                     {"deploy", `{"verb":"up","composePath":"/srv/app/compose.yml","extraArgs":["-d"]}`},
		"a deploy with empty lists":             {"deploy", `{"verb":"up","services":[],"profiles":[],"extraArgs":[]}`},
		"a call":                                {"api_call", `{"url":"https://example.org","body":{"n":1.50,"a":"<&>"},"expectStatus":[],"timeoutSeconds":30}`},
		"a record with members of its own":      {"api_call", `{"model":"m","tokens":1.0,"nested":[{"a":null},1e400],"method":"GET","URL":"x"}`},
		"a record whose url is null":            {"api_call", `{"url":null,"n":1}`},
		"a url that is written with escapes":    {"api_call", `{"\u0075rl":"https://example.org","expectStatus":[]}`},
		"an empty record":                       {"api_call", `{}`},
		"a record that is null":                 {"api_call", `null`},
	} {
		t.Run(name, func(t *testing.T) {
			job := created(t, `{"type":"`+tc.jobType+`","payload":`+tc.payload+`}`)
			if got := payloadOf(t, job); !reflect.DeepEqual(decoded(t, got), decoded(t, tc.payload)) {
				t.Errorf("got  %s\nsent %s", got, tc.payload)
			}
		})
	}
	t.Run("half a surrogate pair", func(t *testing.T) {
		const payload = `{"action":"x","variables":{"a":"\ud83d"},"id":""}`
		if got := payloadOf(t, created(t, `{"type":"build","payload":`+payload+`}`)); got != payload {
			t.Errorf("got  %s\nsent %s", got, payload)
		}
	})
}

func TestAPayloadThatTheSpecGivesBackIsKeptOnce(t *testing.T) {
	job := created(t, `{"type":"build","payload":{"variables":{"ROUTE_NAME":"health"},"id":"nextjs-api-route","action":"apply_builder"}}`)
	if len(job.Annotations) > 0 {
		t.Errorf("the payload is stored a second time: %v", job.Annotations)
	}
}

func TestAfterAnEditThePayloadIsMadeFromTheSpec(t *testing.T) {
	const sent = `{"action":"x","variables":{}}`
	for name, tc := range map[string]struct {
		edit func(*v1.Job)
		want string
	}{
		"a cancel is no edit of the payload": {func(j *v1.Job) { j.Spec.Cancel = true }, sent},
		"nor is a priority":                  {func(j *v1.Job) { j.Spec.Priority = 7 }, sent},
		"another tool is":                    {func(j *v1.Job) { j.Spec.Build.Action = "y" }, `{"action":"y"}`},
		"so is a variable":                   {func(j *v1.Job) { j.Spec.Build.Variables = map[string]v1.JSON{"a": {Raw: []byte("1")}} }, `{"action":"x","variables":{"a":1}}`},
		"an annotation that is no JSON":      {func(j *v1.Job) { j.Annotations[seed.PayloadAnnotation] = "{" }, `{"action":"x"}`},
		"an annotation of another action":    {func(j *v1.Job) { j.Annotations[seed.PayloadAnnotation] = `{"action":"z"}` }, `{"action":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			job := created(t, `{"type":"build","payload":`+sent+`}`)
			tc.edit(job)
			if got := payloadOf(t, job); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestAnyPayloadIsAnsweredAsItWasSent makes payloads up: records of any JSON, and builds
// with any variables and arguments.
func TestAnyPayloadIsAnsweredAsItWasSent(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?`)
	var value func(depth int) *rapid.Generator[string]
	object := func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			members := rapid.MapOfN(rapid.String(), value(depth-1), 0, 4).Draw(t, "members")
			parts := []string{}
			for name, v := range members {
				if name != "url" {
					parts = append(parts, quoted(name)+" : "+v)
				}
			}
			return "{" + strings.Join(parts, ",") + "}"
		})
	}
	value = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			kinds := 4
			if depth > 0 {
				kinds = 6
			}
			switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
			case 0:
				return "null"
			case 1:
				return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
			case 2:
				return number.Draw(t, "number")
			case 3:
				return quoted(rapid.String().Draw(t, "text"))
			case 4:
				return object(depth).Draw(t, "object")
			}
			return "[" + strings.Join(rapid.SliceOfN(value(depth-1), 0, 4).Draw(t, "list"), ",") + "]"
		})
	}
	rapid.Check(t, func(rt *rapid.T) {
		jobType, payload := "api_call", object(3).Draw(rt, "record")
		if rapid.Bool().Draw(rt, "build") {
			jobType = "build"
			payload = `{"variables":` + object(2).Draw(rt, "variables") + `,"action":"x","id":` + rapid.SampledFrom([]string{`""`, `"y"`, "null"}).Draw(rt, "id") + `}`
		}
		job := created(t, `{"type":"`+jobType+`","payload":`+payload+`}`)
		if got := payloadOf(t, job); !reflect.DeepEqual(decoded(t, got), decoded(t, payload)) {
			rt.Errorf("got  %s\nsent %s", got, payload)
		}
	})
}

func quoted(text string) string {
	out, _ := json.Marshal(text) // a string always encodes
	return string(out)
}
