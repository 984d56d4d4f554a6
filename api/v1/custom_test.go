package v1

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMembersThatAreNoFieldsSurvive(t *testing.T) {
	for name, tc := range map[string]struct{ spec, custom, rule string }{
		"a custom payload":                 {`{"type":"nap","nap":{"a":1,"b":[2.0]}}`, `{"nap":{"a":1,"b":[2.0]}}`, `null`},
		"several, with null and texts":     {`{"b":null,"a":"<&>","priority":3}`, `{"a":"<&>","b":null}`, `null`},
		"a field in other letters is none": {`{"PRIORITY":3,"Build":{"action":"x"}}`, `null`, `null`},
		"a custom criterion":               {`{"failurePolicy":{"rules":[{"action":"Ignore","dream":["x",1]}]}}`, `null`, `{"dream":["x",1]}`},
		"nothing custom":                   {`{"priority":3}`, `null`, `null`},
	} {
		t.Run(name, func(t *testing.T) {
			var spread bytes.Buffer
			if err := json.Indent(&spread, []byte(tc.spec), "", "  "); err != nil {
				t.Fatal(err)
			}
			for form, text := range map[string]string{"compact": tc.spec, "spread": spread.String()} {
				var job Job
				if err := job.DecodeJSON([]byte(`{"metadata":{},"spec":` + text + `}`)); err != nil {
					t.Fatal(err)
				}
				if custom := encoded(t, job.Spec.Custom); custom != tc.custom {
					t.Errorf("%s: custom payloads %s, want %s", form, custom, tc.custom)
				}
				rule := "null"
				if f := job.Spec.FailurePolicy; f != nil {
					rule = encoded(t, f.Rules[0].Custom)
				}
				if rule != tc.rule {
					t.Errorf("%s: custom criteria %s, want %s", form, rule, tc.rule)
				}
				var again JobSpec
				if err := json.Unmarshal([]byte(encoded(t, job.Spec)), &again); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(job.Spec, again); diff != "" {
					t.Errorf("%s: encoded and decoded (-want +got):\n%s", form, diff)
				}
			}
		})
	}
}

// encoded is the JSON of v with <, > and & as they are.
func encoded(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

func TestChangedFieldsOfCustomPayloads(t *testing.T) {
	spec := func(text string) *JobSpec {
		return &JobSpec{Custom: map[string]JSON{"nap": {Raw: []byte(text)}}}
	}
	for name, tc := range map[string]struct {
		now, was *JobSpec
		want     []string
	}{
		"other order of keys":      {spec(`{"a":1,"b":2}`), spec(`{"b":2,"a":1}`), nil},
		"one member differs":       {spec(`{"a":1,"b":2}`), spec(`{"a":1,"b":3}`), []string{"nap.b"}},
		"a member came, one went":  {spec(`{"a":1}`), spec(`{"b":1}`), []string{"nap.a", "nap.b"}},
		"one of them is no object": {spec(`{"a":1}`), spec(`[1]`), []string{"nap"}},
		"the payload came":         {spec(`{"a":1}`), &JobSpec{}, []string{"nap"}},
	} {
		if diff := cmp.Diff(tc.want, changedFields(tc.now, tc.was)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestACustomCriterionIsMet(t *testing.T) {
	for name, tc := range map[string]struct {
		values, fact string
		want         bool
	}{
		"a text":                 {`["falling","flying"]`, "flying", true},
		"another text":           {`["falling"]`, "flying", false},
		"a number as written":    {`[1.0]`, "1.0", true},
		"a boolean":              {`[true]`, "true", true},
		"what cannot be a list":  {`"flying"`, "flying", false},
		"a list of other things": {`[{}]`, "{}", false},
		"an empty list":          {`[]`, "flying", false},
		"a fact that is empty":   {`[""]`, "", false},
	} {
		rule := FailureRule{Custom: map[string]JSON{"dream": {Raw: []byte(tc.values)}}}
		met := true
		for _, c := range CriteriaOf(&rule) {
			met = met && c.Met(&rule, map[Fact]string{"dream": tc.fact})
		}
		if met != tc.want {
			t.Errorf("%s: met %t, want %t", name, met, tc.want)
		}
	}
}
