package schema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// place is one schema below another.
type place struct {
	at   string
	node any
	// same tells that it is about the same value, and not about a part of it.
	same bool
}

// below are the schemas that a schema is made of.
func below(object map[string]any, at string) []place {
	var places []place
	one := func(word string, same bool) {
		if node, there := object[word]; there {
			places = append(places, place{at + "/" + word, node, same})
		}
	}
	list := func(word string, same bool) {
		for i, element := range listOf(object[word]) {
			places = append(places, place{fmt.Sprintf("%s/%s/%d", at, word, i), element, same})
		}
	}
	named := func(word string, same bool) {
		members, _ := object[word].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			places = append(places, place{at + "/" + word + "/" + name, members[name], same})
		}
	}
	for _, word := range []string{"not", "if", "then", "else"} {
		one(word, true)
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		list(word, true)
	}
	for _, word := range []string{"dependentSchemas", "dependencies"} {
		named(word, true)
	}
	for _, word := range []string{"items", "additionalItems", "additionalProperties", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties"} {
		one(word, false)
	}
	for _, word := range []string{"prefixItems", "items"} {
		list(word, false)
	}
	for _, word := range []string{"properties", "patternProperties", "$defs", "definitions"} {
		named(word, false)
	}
	return places
}

// repair replaces words of OpenAPI by their meaning, and leaves out the parts that cannot be
// checked.
func (s *Schema) repair(object map[string]any, at string) {
	for _, place := range below(object, at) {
		if node, ok := place.node.(map[string]any); ok {
			delete(node, "$schema") // the whole is of one dialect
			s.repair(node, place.at)
		}
	}
	delete(object, "format")
	for _, word := range []string{"$id", "id"} { // there is nothing else that could be referred to
		if _, ok := object[word].(string); ok {
			delete(object, word)
		}
	}
	for _, word := range []string{"$dynamicRef", "$recursiveRef"} {
		if _, there := object[word]; there {
			delete(object, word)
			s.leaveOut(at+"/"+word, "it is not followed")
		}
	}
	s.repairReference(object, at)
	s.repairPatterns(object, at)
	openAPI(object)
}

func (s *Schema) repairReference(object map[string]any, at string) {
	ref, ok := object["$ref"].(string)
	if !ok {
		return
	}
	_, there := resolve(s.root, ref)
	switch {
	case !strings.HasPrefix(ref, "#"):
		s.leaveOut(at+"/$ref", "it refers to "+quoted(ref)+", and only references within the schema are followed")
	case (ref == "#" || strings.HasPrefix(ref, "#/")) && !there:
		s.leaveOut(at+"/$ref", "it refers to "+quoted(ref)+", which is not there")
	default:
		return
	}
	delete(object, "$ref")
}

// repairPatterns leaves out the patterns that Go's regular expressions do not have.
func (s *Schema) repairPatterns(object map[string]any, at string) {
	if pattern, ok := object["pattern"].(string); ok {
		if _, err := regexp.Compile(pattern); err != nil {
			delete(object, "pattern")
			s.leaveOut(at+"/pattern", err.Error())
		}
	}
	patterns, _ := object["patternProperties"].(map[string]any)
	for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
		if _, err := regexp.Compile(pattern); err != nil {
			delete(patterns, pattern)
			delete(object, "additionalProperties") // it is about those that no pattern names
			delete(object, "unevaluatedProperties")
			s.leaveOut(at+"/patternProperties", err.Error())
		}
	}
}

// openAPI replaces the words of OpenAPI 3.0 that JSON Schema does not have.
func openAPI(object map[string]any) {
	if object["nullable"] == true {
		switch kind := object["type"].(type) {
		case string:
			object["type"] = []any{kind, "null"}
		case []any:
			if !slices.Contains(kind, any("null")) {
				object["type"] = append(slices.Clip(kind), "null")
			}
		}
		if values := listOf(object["enum"]); values != nil && !slices.Contains(values, nil) {
			object["enum"] = append(slices.Clip(values), nil)
		}
		if _, ok := object["type"]; !ok && object["enum"] == nil {
			// Nothing but what it is made of forbids null.
			rest := maps.Clone(object)
			delete(rest, "nullable")
			clear(object)
			object["anyOf"] = []any{map[string]any{"type": "null"}, rest}
			for _, word := range []string{"$schema", "$defs", "definitions"} {
				if kept, ok := rest[word]; ok {
					object[word] = kept // references lead there
					delete(rest, word)
				}
			}
		}
	}
	for exclusive, limit := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if is, ok := object[exclusive].(bool); ok {
			delete(object, exclusive)
			if is && object[limit] != nil {
				object[exclusive] = object[limit]
				delete(object, limit)
			}
		}
	}
}

// without leaves out the part of a schema that the schema of its dialect refuses; false: no
// part could be left out.
func (s *Schema) without(draft any, refused *jsonschema.ValidationError) bool {
	done := false
	var leaves func(*jsonschema.ValidationError)
	seen := map[string]bool{}
	leaves = func(e *jsonschema.ValidationError) {
		if len(e.Causes) > 0 {
			for _, cause := range e.Causes {
				leaves(cause)
			}
			return
		}
		place := "#/" + strings.Join(e.InstanceLocation, "/")
		if len(e.InstanceLocation) == 0 || seen[place] {
			return
		}
		seen[place] = true
		if value, ok := remove(draft, e.InstanceLocation); ok {
			done = true
			s.leaveOut(place, show(nil, value)+" is not what JSON Schema has there")
		}
	}
	leaves(refused)
	return done
}

// remove takes a value out of a document; of a list, with the whole list; of a map of
// schemas, by putting one in its place that everything fits.
func remove(document any, path []string) (removed any, ok bool) {
	parent, _ := follow(document, path[:len(path)-1])
	name := path[len(path)-1]
	switch p := parent.(type) {
	case []any:
		if len(path) == 1 {
			return nil, false
		}
		return remove(document, path[:len(path)-1])
	case map[string]any:
		value, there := p[name]
		if !there {
			return nil, false
		}
		if len(path) > 1 && slices.Contains([]string{"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}, path[len(path)-2]) && value != true {
			p[name] = true
			return value, true
		}
		delete(p, name)
		return value, true
	}
	return nil, false
}

// follow finds the value at a path.
func follow(document any, path []string) (any, bool) {
	for _, token := range path {
		switch node := document.(type) {
		case map[string]any:
			member, ok := node[token]
			if !ok {
				return nil, false
			}
			document = member
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(node) {
				return nil, false
			}
			document = node[i]
		default:
			return nil, false
		}
	}
	return document, true
}

// resolve finds the target of a reference within a schema (RFC 6901).
func resolve(root any, ref string) (any, bool) {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return root, ref == "#"
	}
	path := strings.Split(pointer, "/")
	for i, token := range path {
		path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(unescaped(token))
	}
	return follow(root, path)
}
