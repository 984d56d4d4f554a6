package v1_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/api/v1/v1test"
)

// TestEveryFieldSurvivesEveryCodec sets every field of every kind.
func TestEveryFieldSurvivesEveryCodec(t *testing.T) {
	for _, kind := range v1.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			full := v1test.Full(kind)
			codec, ok := full.(v1.Codec)
			if !ok {
				t.Fatalf("%s has no generated code; run make generate", kind.Name)
			}
			if unset := zeroes(reflect.ValueOf(full).Elem(), kind.Name); len(unset) > 0 {
				t.Fatalf("not set: %v", unset)
			}
			standard := reference(t, full)
			survives(t, full, "encoding/json, both ways", func(obj v1.Object) error { return json.Unmarshal([]byte(standard), obj) })
			survives(t, full, "encoding/json and DecodeJSON", func(obj v1.Object) error { return v1.DecodeJSON([]byte(standard), obj) })
			generated := assembled(t, full, codec)
			if diff := cmp.Diff(standard, generated); diff != "" {
				t.Errorf("generated code encodes otherwise (-want +got):\n%s", diff)
			}
			survives(t, full, "generated code, both ways, without encoding/json", func(obj v1.Object) error {
				if !obj.(v1.Codec).DecodeCompact([]byte(generated)) {
					return fmt.Errorf("a field of %s is not known", generated)
				}
				return nil
			})
			survives(t, full, "a deep copy", func(obj v1.Object) error {
				reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(full.DeepCopyObject()).Elem())
				return nil
			})
		})
	}
}

// survives decodes into a new object and compares it with full.
func survives(t *testing.T, full v1.Object, codec string, decode func(v1.Object) error) {
	t.Helper()
	got := reflect.New(reflect.TypeOf(full).Elem()).Interface().(v1.Object)
	if err := decode(got); err != nil {
		t.Errorf("%s: %v", codec, err)
	} else if !reflect.DeepEqual(full, got) {
		t.Errorf("%s: %s", codec, cmp.Diff(full, got))
	}
}

// assembled is the JSON of an object from generated parts.
func assembled(t *testing.T, obj v1.Object, codec v1.Codec) string {
	t.Helper()
	var b strings.Builder
	gvk := obj.GetObjectKind().GroupVersionKind()
	fmt.Fprintf(&b, `{"kind":%q,"apiVersion":%q`, gvk.Kind, gvk.GroupVersion())
	for _, part := range []struct {
		name   string
		encode func([]byte) ([]byte, error)
	}{
		{"metadata", func(dst []byte) ([]byte, error) { return v1.AppendMetadata(dst, metaOf(t, obj)) }},
		{"spec", codec.AppendSpec},
		{"status", codec.AppendStatus},
	} {
		text, err := part.encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, `,%q:%s`, part.name, text)
	}
	return b.String() + "}"
}

// zeroes are the fields that are not set.
func zeroes(v reflect.Value, path string) (unset []string) {
	if v.Kind() != reflect.Struct || strings.HasPrefix(v.Type().PkgPath(), "time") {
		return nil
	}
	for i := range v.NumField() {
		field, at := v.Field(i), path+"."+v.Type().Field(i).Name
		if v.Type().Field(i).Tag.Get("json") == "-" {
			continue
		}
		if field.Kind() == reflect.Pointer && !field.IsNil() {
			field = field.Elem()
		}
		if field.IsZero() {
			unset = append(unset, at)
		}
		unset = append(unset, zeroes(field, at)...)
	}
	return unset
}
