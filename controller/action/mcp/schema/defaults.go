package schema

import (
	"maps"
	"slices"

	"jobwright.dev/controller/action/mcp/display"
)

// Filled is a field that got its default.
type Filled struct {
	Path  []any
	Value any
}

// maxFilled bounds how deep defaults are filled in; schemas may apply to their own parts.
const maxFilled = 32

// Fill gives the fields of an object that the schema both requires and has a default for
// that default, where they are unset; so do the forms of other clients. Fill changes the
// value and returns the added fields. Check tells of a default that does not fit.
func (s *Schema) Fill(value map[string]any) []Filled {
	if s.rules == nil {
		return nil // it may go round
	}
	return s.fill(s.root, value, nil)
}

func (s *Schema) fill(node, value any, path []any) (added []Filled) {
	rule, ok := node.(map[string]any)
	if !ok || len(path) > maxFilled {
		return nil
	}
	if ref, ok := rule["$ref"].(string); ok {
		if target, there := resolve(s.root, ref); there {
			added = append(added, s.fill(target, value, path)...)
		}
	}
	for _, part := range listOf(rule["allOf"]) {
		added = append(added, s.fill(part, value, path)...)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return added
	}
	properties, _ := rule["properties"].(map[string]any)
	for _, required := range listOf(rule["required"]) {
		name, _ := required.(string)
		property, _ := properties[name].(map[string]any)
		fallback, has := s.fallback(property)
		if _, set := object[name]; set || !has || name == "" {
			continue
		}
		fallback = copied(fallback)
		object[name] = fallback
		added = append(added, Filled{append(slices.Clip(path), name), fallback})
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		added = append(added, s.fill(properties[name], object[name], append(slices.Clip(path), name))...)
	}
	return added
}

// copied is a value of the schema's that may be changed.
func copied(value any) any {
	copied, err := Decode([]byte(display.Compact(value)))
	if err != nil {
		return value // it came from JSON
	}
	return copied
}

// fallback is the default of a property, which may stand where it refers to.
func (s *Schema) fallback(property map[string]any) (any, bool) {
	if value, ok := property["default"]; ok {
		return value, true
	}
	ref, _ := property["$ref"].(string)
	target, _ := resolve(s.root, ref)
	referred, _ := target.(map[string]any)
	value, ok := referred["default"]
	return value, ok && ref != ""
}
