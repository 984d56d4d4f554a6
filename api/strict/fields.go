package strict

import (
	"fmt"
	"reflect"
	"strings"
)

// fieldsOf are the fields of struct types by their JSON names, found out once for each
// type.
type fieldsOf map[reflect.Type]map[string]reflect.Type

func (f fieldsOf) of(t reflect.Type) map[string]reflect.Type {
	if known, ok := f[t]; ok {
		return known
	}
	known := map[string]reflect.Type{}
	f[t] = known
	f.add(known, t)
	return known
}

// add adds the fields of t to known, which has those of the struct that embeds t.
func (f fieldsOf) add(known map[string]reflect.Type, t reflect.Type) {
	var embedded []reflect.Type
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case field.Tag.Get("json") == "-":
		case field.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			embedded = append(embedded, inner)
		case !field.IsExported():
		case name == "":
			known[field.Name] = field.Type
		default:
			known[name] = field.Type
		}
	}
	for _, inner := range embedded {
		for name, field := range f.of(inner) {
			if _, hidden := known[name]; !hidden {
				known[name] = field
			}
		}
	}
}

// unknown is what is said of a field that there is not, with the one that may be meant.
func unknown(at *path, known map[string]reflect.Type) string {
	message := fmt.Sprintf("unknown field %q", at.String())
	for name := range known {
		if letters(name) == letters(at.name) {
			return message + fmt.Sprintf(": write %q", name)
		}
	}
	return message
}

// letters is a name without case, dashes and underscores, in which writers of manifests
// differ.
func letters(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}
