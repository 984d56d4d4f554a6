package server

import (
	"maps"

	v1 "jobwright.dev/api/v1"
)

// dropReserved removes metadata that only the server sets. A manifest that was exported
// from an object carries such metadata.
func dropReserved(obj v1.Object) {
	obj.SetLabels(without(obj.GetLabels(), v1.LabelIdempotencyKey))
	obj.SetAnnotations(without(obj.GetAnnotations(), v1.AnnotationIdempotencyRequest))
}

// keepReserved copies the reserved metadata of the stored object into its update.
func keepReserved(obj, old v1.Object) {
	dropReserved(obj)
	if value, ok := old.GetLabels()[v1.LabelIdempotencyKey]; ok {
		obj.SetLabels(with(obj.GetLabels(), v1.LabelIdempotencyKey, value))
	}
	if value, ok := old.GetAnnotations()[v1.AnnotationIdempotencyRequest]; ok {
		obj.SetAnnotations(with(obj.GetAnnotations(), v1.AnnotationIdempotencyRequest, value))
	}
}

// with is a copy of m with one more entry.
func with(m map[string]string, key, value string) map[string]string {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	out[key] = value
	return out
}

// without is m without an entry.
func without(m map[string]string, key string) map[string]string {
	if _, ok := m[key]; !ok {
		return m
	}
	out := maps.Clone(m)
	delete(out, key)
	return out
}
