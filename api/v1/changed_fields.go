package v1

import (
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
)

// changedFields lists the fields in which two specs differ, as paths below spec. The payload
// of both specs is compared field by field, so that an error names the changed field. The
// JSON tags are the source, so no field can be missing.
func changedFields(s, was *JobSpec) []string {
	equal := conversion.EqualitiesOrDie(JSON.Equal, func(a, b metav1.Time) bool { return a.Equal(&b) })
	var changed []string
	var compare func(prefix string, a, b reflect.Value)
	compare = func(prefix string, a, b reflect.Value) {
		for i := range a.NumField() {
			x, y := a.Field(i), b.Field(i)
			tag, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
			if tag == "-" {
				continue
			}
			_, payload := ourPayloads().ByField(prefix + tag)
			switch {
			case payload && !x.IsNil() && !y.IsNil():
				compare(prefix+tag+".", x.Elem(), y.Elem())
			case !equal.DeepEqual(x.Interface(), y.Interface()):
				changed = append(changed, prefix+tag)
			}
		}
	}
	compare("", reflect.ValueOf(s).Elem(), reflect.ValueOf(was).Elem())
	return append(changed, changedCustom(s, was)...)
}
