package v1_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/api/v1/v1test"
)

// TestTheOrderOfKeysIsNoChange goes over every JSON value that a spec has, by reflection,
// so that none is left out.
func TestTheOrderOfKeysIsNoChange(t *testing.T) {
	texts := func(text string) *v1.Job {
		kind, _ := v1.KindByName(v1.KindJob)
		job := v1test.Full(kind).(*v1.Job)
		if setJSON(reflect.ValueOf(&job.Spec), text) < 6 {
			t.Fatal("a spec has hardly any JSON values")
		}
		return job
	}
	for name, tc := range map[string]struct{ old, new, want string }{
		"other order, same text":    {`{"b":{"y":1.10,"x":[]},"a":null}`, `{"a":null,"b":{"x":[],"y":1.10}}`, `{"b":{"y":1.10,"x":[]},"a":null}`},
		"another number is another": {`{"b":1.10}`, `{"b":1.1}`, `{"b":1.1}`},
		"another value is another":  {`{"b":1}`, `{"b":2}`, `{"b":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			job, want := texts(tc.new), texts(tc.want)
			v1.PrepareUpdate(job, texts(tc.old))
			if diff := cmp.Diff(want.Spec, job.Spec); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// setJSON sets every JSON value below v, and returns how many there are.
func setJSON(v reflect.Value, text string) (n int) {
	if v.Type() == reflect.TypeFor[v1.JSON]() {
		v.Set(reflect.ValueOf(v1.JSON{Raw: []byte(text)}))
		return 1
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return setJSON(v.Elem(), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				n += setJSON(v.Field(i), text)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += setJSON(v.Index(i), text)
		}
	case reflect.Map:
		if v.Type().Elem() == reflect.TypeFor[v1.JSON]() {
			for _, key := range v.MapKeys() {
				v.SetMapIndex(key, reflect.ValueOf(v1.JSON{Raw: []byte(text)}))
				n++
			}
		}
	default: // holds none
	}
	return n
}
