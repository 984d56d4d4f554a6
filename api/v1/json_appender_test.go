package v1_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// fill sets v to something random; depth bounds how deep.
func fill(v reflect.Value, random *rand.Rand) {
	if random.IntN(3) == 0 {
		return // unset
	}
	switch v.Addr().Interface().(type) {
	case *v1.JSON:
		texts := []string{"", `null`, ` {"a" : [1, "<&>", "é"]} `, `"x"`, `3.5`}
		v.Set(reflect.ValueOf(v1.JSON{Raw: []byte(texts[random.IntN(len(texts))])}))
		return
	case *metav1.FieldsV1:
		return // encodes itself, and not everything
	case *time.Time:
		v.Set(reflect.ValueOf(time.Unix(random.Int64N(1<<32), random.Int64N(1e9)).In(time.FixedZone("x", 3600))))
		return
	case *metav1.Time, *metav1.MicroTime:
		fill(v.Field(0), random)
		return
	}
	switch v.Kind() {
	case reflect.String:
		texts := []string{"plain", "", `quo"te\`, "<b>&amp;", "é\u2028", "bad\xff", "\x01\n\x7f"}
		v.SetString(texts[random.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(random.Int64N(1<<31) - 1<<30)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), random)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(3), 3))
		for i := range v.Len() {
			fill(v.Index(i), random)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range random.IntN(4) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, random)
			fill(value, random)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, random)
		}
	default:
		panic("a new kind of field: " + v.Kind().String())
	}
}

func reference(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func TestGeneratedCodeEncodesAsEncodingJSONDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range v1.Kinds() {
		for range 10_000 {
			obj := kind.New()
			value := reflect.ValueOf(obj).Elem()
			for part, encode := range map[string]func([]byte) ([]byte, error){
				"Spec": obj.(v1.Codec).AppendSpec, "Status": obj.(v1.Codec).AppendStatus,
			} {
				fill(value.FieldByName(part), random)
				got, err := encode([]byte("before"))
				if want := reference(t, value.FieldByName(part).Addr().Interface()); err != nil || string(got) != "before"+want {
					t.Fatalf("%s of a %s: %v\n got %s\nwant %s", part, kind.Name, err, got, want)
				}
			}
		}
	}
	for range 1000 {
		labels := map[string]string{}
		fill(reflect.ValueOf(&labels).Elem(), random)
		if got, err := v1.AppendStringMap(nil, labels); err != nil || labels != nil && string(got) != reference(t, labels) {
			t.Fatalf("%v\n got %s\nwant %s", err, got, reference(t, labels))
		}
	}
}

func TestGeneratedCodeRefusesWhatIsNoJSON(t *testing.T) {
	job := v1.Job{Status: v1.JobStatus{Result: &v1.JSON{Raw: []byte("{")}}}
	if _, err := job.AppendStatus(nil); err == nil {
		t.Error("no error")
	}
}

// BenchmarkEncode compares the encoders on the spec and the status of a running job.
func BenchmarkEncode(b *testing.B) {
	job := full()
	b.Run("AppendSpec and AppendStatus", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 4096)
		for b.Loop() {
			out, err := job.AppendSpec(buf[:0])
			if err == nil {
				out, err = job.AppendStatus(out)
			}
			if err != nil || len(out) == 0 {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&job.Spec); err != nil {
				b.Fatal(err)
			}
			if _, err := json.Marshal(&job.Status); err != nil {
				b.Fatal(err)
			}
		}
	})
}
