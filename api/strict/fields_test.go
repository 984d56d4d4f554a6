package strict_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/api/v1/v1test"
)

// TestEveryFieldIsRead sets every field of every kind, and reads it from YAML and JSON,
// with generated code and, as a type without it, by reflection.
func TestEveryFieldIsRead(t *testing.T) {
	for _, kind := range v1.Kinds() {
		full := v1test.Full(kind)
		if job, ok := full.(*v1.Job); ok {
			// A client may write what a payload of the kind describes, and no more.
			job.Spec.Custom = nil
			for i := range job.Spec.FailurePolicy.Rules {
				job.Spec.FailurePolicy.Rules[i].Custom = nil
			}
		}
		inYAML, err := yaml.Marshal(full)
		if err != nil {
			t.Fatal(err)
		}
		inJSON, err := json.Marshal(full)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{"YAML": inYAML, "JSON": inJSON} {
			t.Run(kind.Name+" in "+name, func(t *testing.T) {
				documents, err := strict.Documents(text)
				if err != nil {
					t.Fatal(err)
				}
				got, err := documents[0].Object(v1.Kinds())
				if err != nil || !reflect.DeepEqual(full, got) {
					t.Errorf("%v\n%s", err, cmp.Diff(full, got))
				}
				plain := reflect.New(withoutMethods(reflect.TypeOf(full).Elem()))
				if err := documents[0].Decode(plain.Interface()); err != nil {
					t.Fatal(err)
				}
				again, err := json.Marshal(plain.Interface())
				if err != nil || string(again) != string(inJSON) {
					t.Errorf("%v\n%s", err, cmp.Diff(string(inJSON), string(again)))
				}
			})
		}
	}
}

// withoutMethods is a struct type with the fields of t and none of its methods.
func withoutMethods(t reflect.Type) reflect.Type {
	var fields []reflect.StructField
	for field := range t.Fields() {
		if field.Anonymous && field.Tag.Get("json") == ",inline" {
			for inner := range field.Type.Fields() {
				fields = append(fields, inner)
			}
			continue
		}
		field.Anonymous = false
		fields = append(fields, field)
	}
	return reflect.StructOf(fields)
}
