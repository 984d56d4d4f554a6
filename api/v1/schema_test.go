package v1

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// bounds is the part of a CRD's schema that bounds values.
type bounds struct {
	Description          string
	Type                 string
	Properties           map[string]*bounds
	Items                *bounds
	Required             []string
	Enum                 []any
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	MaxItems             *int
	MaxProperties        *int
	Pattern              string
	ListType             string `json:"x-kubernetes-list-type"`
}

func readSchema(t *testing.T, resource string) *bounds {
	t.Helper()
	text, err := os.ReadFile("../../manifests/crd/jobwright.dev_" + resource + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct{ OpenAPIV3Schema *bounds }
			}
		}
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
}

// offence is a value that the schema refuses, at a path below spec.
type offence struct {
	path  []any // string: property, int: index
	rule  string
	value any
}

func (o offence) field() string {
	var b strings.Builder
	b.WriteString("spec")
	for _, step := range o.path {
		if i, ok := step.(int); ok {
			fmt.Fprintf(&b, "[%d]", i)
		} else {
			fmt.Fprintf(&b, ".%s", step)
		}
	}
	return b.String()
}

// offences lists one value for each bound in the schema.
func offences(s *bounds, path []any) []offence {
	var found []offence
	offend := func(rule string, value any) {
		found = append(found, offence{path: slices.Clone(path), rule: rule, value: value})
	}
	if s.Enum != nil {
		offend("enum", "no-such-value")
	}
	if s.Minimum != nil {
		offend("minimum", int64(*s.Minimum)-1)
	}
	if s.Maximum != nil {
		offend("maximum", int64(*s.Maximum)+1)
	}
	if s.MinLength != nil {
		offend("minLength", "")
	}
	if s.MaxLength != nil {
		offend("maxLength", strings.Repeat("a", *s.MaxLength+1))
	}
	if s.Pattern != "" {
		offend("pattern", "-Bad")
	}
	if s.MaxItems != nil {
		var many []any
		for i := range *s.MaxItems + 1 {
			many = append(many, sample(s.Items, i))
		}
		offend("maxItems", many)
	}
	if s.ListType == "set" {
		offend("set", []any{sample(s.Items, 0), sample(s.Items, 0)})
	}
	if s.MaxProperties != nil {
		many := map[string]any{}
		for i := range *s.MaxProperties + 1 {
			many[fmt.Sprintf("k%d", i)] = "v"
		}
		offend("maxProperties", many)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		found = append(found, offences(s.Properties[name], append(slices.Clone(path), name))...)
	}
	if s.Items != nil {
		found = append(found, offences(s.Items, append(slices.Clone(path), 0))...)
	}
	return found
}

// sample is the ith value of the schema's type; it need not keep the bounds.
func sample(s *bounds, i int) any {
	switch s.Type {
	case "integer":
		return 200 + i
	case "object":
		return map[string]any{}
	}
	if s.Enum != nil {
		return s.Enum[i%len(s.Enum)]
	}
	return fmt.Sprintf("a%d", i)
}

// put returns v with value at path, creating what is missing on the way.
func put(v any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	if _, index := path[0].(int); index {
		return []any{put(nil, path[1:], value)}
	}
	m, ok := v.(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	name := path[0].(string)
	m[name] = put(m[name], path[1:], value)
	return m
}

// TestValidationEnforcesTheSchema: every bound that the CRD documents is enforced
// by the Go code too, with the same path.
func TestValidationEnforcesTheSchema(t *testing.T) {
	resources := map[string]func(spec []byte) ([]string, error){
		"jobs": func(spec []byte) ([]string, error) {
			j := newJob(func(j *Job) { j.Spec = JobSpec{} })
			if err := json.Unmarshal(spec, &j.Spec); err != nil {
				return nil, err
			}
			j.Default()
			return messages(ValidateJob(j)), nil
		},
		"workspaces": func(spec []byte) ([]string, error) {
			w := &Workspace{}
			w.Name = "acme"
			if err := json.Unmarshal(spec, &w.Spec); err != nil {
				return nil, err
			}
			return messages(Payloads().validateWorkspace(w)), nil
		},
	}
	for resource, validate := range resources {
		all := offences(readSchema(t, resource), nil)
		if len(all) < 5 {
			t.Errorf("found only %d bounds in the schema of %s", len(all), resource)
		}
		for _, o := range all {
			t.Run(resource+" "+o.field()+" "+o.rule, func(t *testing.T) {
				spec, err := json.Marshal(put(nil, o.path, o.value))
				if err != nil {
					t.Fatal(err)
				}
				got, err := validate(spec)
				if err != nil {
					return // it does not even fit the Go type, e.g. int32
				}
				want := o.field() + ": "
				if o.rule == "set" {
					want = o.field() + "[1]: Duplicate value"
				}
				refused := slices.ContainsFunc(got, func(message string) bool {
					return strings.HasPrefix(message, want) && !strings.HasSuffix(message, ": not supported yet")
				})
				if !refused {
					t.Errorf("%s is accepted; errors are %q", spec, got)
				}
			})
		}
	}
}
