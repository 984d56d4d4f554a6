// Package v1test makes objects for tests of everything that has to know every field.
package v1test

import (
	"fmt"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// Full is a new object of kind whose every field is set, each to a value of its own. It
// is decodable, not valid. A field of a new sort makes it panic.
func Full(kind v1.Kind) v1.Object {
	obj := kind.New()
	typed := obj.GetObjectKind().GroupVersionKind()
	n := 0
	fill(reflect.ValueOf(obj).Elem(), &n)
	obj.GetObjectKind().SetGroupVersionKind(typed)
	return obj
}

func fill(v reflect.Value, n *int) {
	*n++
	at := time.Unix(1_700_000_000+int64(*n), 0)
	switch to := v.Addr().Interface().(type) {
	case *v1.JSON:
		to.Raw = fmt.Appendf(nil, `{"n":%d}`, *n)
		return
	case *v1.HeaderValue:
		to.Value = fmt.Sprint("header", *n) // a reference excludes it
		return
	case *metav1.Time:
		to.Time = at
		return
	case *metav1.MicroTime:
		to.Time = at.Add(time.Duration(*n) * time.Microsecond)
		return
	case *metav1.FieldsV1:
		to.SetRawBytes(fmt.Appendf(nil, `{"f:n%d":{}}`, *n))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("x", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	default:
		panic(fmt.Sprintf("v1test: a field of the sort %s", v.Type()))
	}
}
