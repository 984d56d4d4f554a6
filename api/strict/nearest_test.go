package strict_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
)

// TestAnUnknownFieldNamesTheNearest reads a Job with one field misspelled.
func TestAnUnknownFieldNamesTheNearest(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"two letters the wrong way round":    {"spec: {biuld: {}}", `unknown field "spec.biuld": did you mean "build"?`},
		"a letter that is missing":           {"metadata: {lables: {}}", `unknown field "metadata.lables": did you mean "labels"?`},
		"a field of a field":                 {"spec: {build: {varables: {}}}", `unknown field "spec.build.varables": did you mean "variables"?`},
		"a field of an item of a list":       {"spec: {dependsOn: [{nam: a}]}", `unknown field "spec.dependsOn[0].nam": did you mean "name"?`},
		"another case and a dash":            {"spec: {API-Call: {}}", `unknown field "spec.API-Call": write "apiCall"`},
		"an underscore and a letter missing": {"spec: {back_of_limit: 1}", `unknown field "spec.back_of_limit": did you mean "backoffLimit"?`},
		"a word that is like no field":       {"spec: {bogus: 1}", `unknown field "spec.bogus"`},
		"one letter that is like no field":   {"spec: {q: 1}", `unknown field "spec.q"`},
		"an empty name":                      {`spec: {"": 1}`, `unknown field "spec[]"`},
		"a name longer than any field": {
			"spec: {" + strings.Repeat("build", 100) + ": 1}",
			`unknown field "spec.` + strings.Repeat("build", 20) + `…"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := strict.Unmarshal([]byte("apiVersion: jobwright.dev/v1\nkind: Job\n"+tt.text), new(v1.Job))
			if err == nil {
				t.Fatal("it was taken")
			}
			if diff := cmp.Diff("line 3: "+tt.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestJoinKeepsTheBoundAndTheOrder joins what two steps of reading found.
func TestJoinKeepsTheBoundAndTheOrder(t *testing.T) {
	var text strings.Builder
	for i := range 80 {
		fmt.Fprintf(&text, "n: %d\nunknown%d: 1\n", i, i)
	}
	err := strict.Unmarshal([]byte(text.String()), new(sample))
	if err == nil {
		t.Fatal("it was taken")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != strict.MaxProblems+1 || lines[len(lines)-1] != "and 60 more problems" {
		t.Errorf("%d lines, the last one %q", len(lines), lines[len(lines)-1])
	}
	before := 0
	for _, line := range lines[:len(lines)-1] {
		var at int
		if _, err := fmt.Sscanf(line, "line %d:", &at); err != nil || at < before {
			t.Errorf("%q stands behind line %d", line, before)
		}
		before = at
	}
}

// TestManyUnknownFieldsAreCounted also holds with fields that no message is made of.
func TestManyUnknownFieldsAreCounted(t *testing.T) {
	err := strict.Unmarshal([]byte("{"+members(5_000)+"}"), new(sample))
	if err == nil || !strings.HasSuffix(err.Error(), "and 4900 more problems") {
		t.Errorf("the problems end with %v", err)
	}
}
