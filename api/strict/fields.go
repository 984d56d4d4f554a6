package strict

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// fieldsOf caches the fields of struct types by their JSON names.
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

// unknown returns the message for a field that does not exist, with the nearest existing
// field.
func unknown(at *path, t reflect.Type, known map[string]reflect.Type) string {
	message := fmt.Sprintf("unknown field %q", at.String())
	like := Nearest(at.name, slices.Sorted(maps.Keys(known)))
	if meant := elsewhere(at.name); t == jobSpec && meant != "" {
		like = meant
	}
	switch {
	case like == "":
		return message
	case letters(like) == letters(at.name):
		return message + fmt.Sprintf(": write %q", like)
	}
	return message + fmt.Sprintf(": did you mean %q?", like)
}

// elsewhere is the field of a job's spec for a name that other systems give it.
func elsewhere(name string) string {
	switch letters(name) {
	case "retries", "maxretries", "retrylimit", "retry":
		return "backoffLimit"
	case "timeout", "timeoutseconds":
		return "attemptTimeoutSeconds"
	case "needs", "dependencies", "after":
		return "dependsOn"
	}
	return ""
}
