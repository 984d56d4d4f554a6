package v1

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestDefaultDecidesTheType(t *testing.T) {
	cases := map[string]struct {
		spec JobSpec
		want JobType
	}{
		"build":                   {JobSpec{Build: &BuildAction{}}, JobTypeBuild},
		"deploy":                  {JobSpec{Deploy: &DeployAction{}}, JobTypeDeploy},
		"apiCall":                 {JobSpec{APICall: &APICallAction{}}, JobTypeAPICall},
		"nothing":                 {JobSpec{}, ""},
		"two payloads":            {JobSpec{Build: &BuildAction{}, Deploy: &DeployAction{}}, ""},
		"a type that is set wins": {JobSpec{Type: JobTypeDeploy, Build: &BuildAction{}}, JobTypeDeploy},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			j := &Job{Spec: c.spec}
			j.Default()
			if j.Spec.Type != c.want {
				t.Errorf("type is %q, want %q", j.Spec.Type, c.want)
			}
		})
	}
}

func TestEveryKindMakesEmptyObjectsOfItself(t *testing.T) {
	for _, kind := range Kinds() {
		obj := kind.New()
		if got, want := obj.GetObjectKind().GroupVersionKind(), (schema.GroupVersionKind{Group: Group, Version: Version, Kind: kind.Name}); got != want {
			t.Errorf("New makes %v, want %v", got, want)
		}
		if found, ok := KindByName(kind.Name); !ok || found.Resource != kind.Resource {
			t.Errorf("KindByName(%q) found %v, %v", kind.Name, found, ok)
		}
	}
	if _, ok := KindByName("Pod"); ok {
		t.Error("KindByName found a kind that is not ours")
	}
}

func TestReasonsAreDistinct(t *testing.T) {
	reasons := Reasons()
	slices.Sort(reasons)
	if n := len(slices.Compact(slices.Clone(reasons))); n != len(reasons) {
		t.Errorf("%d of %d reasons are distinct: %v", n, len(reasons), reasons)
	}
}

func TestJSONKeepsItsText(t *testing.T) {
	var a BuildAction
	if err := json.Unmarshal([]byte(`{"action":"x","variables":{"N":9007199254740993,"Z":null,"O":{"b": 1, "a": 2}}}`), &a); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"action":"x","variables":{"N":9007199254740993,"O":{"b":1,"a":2},"Z":null}}`, string(got)); diff != "" {
		t.Errorf("a round trip (-want +got):\n%s", diff)
	}
	value, err := a.Variables["O"].Value()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"a": 2.0, "b": 1.0}, value); diff != "" {
		t.Errorf("Value (-want +got):\n%s", diff)
	}
}

func TestJSONEqual(t *testing.T) {
	cases := map[string]struct {
		a, b string
		want bool
	}{
		"the same text":          {`{"a":1}`, `{"a":1}`, true},
		"another order of keys":  {`{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		"unset is null":          {``, `null`, true},
		"another order of items": {`[1,2]`, `[2,1]`, false},
		"another number":         {`1`, `2`, false},
		"text that is no JSON":   {`{`, `[`, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := raw(c.a).Equal(raw(c.b)); got != c.want {
				t.Errorf("Equal is %t", got)
			}
		})
	}
}
