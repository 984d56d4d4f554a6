package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// The dialects that the library validates; others are read as the one that is nearest.
const (
	draft7    = "http://json-schema.org/draft-07/schema#"
	draft2020 = "https://json-schema.org/draft/2020-12/schema"
)

// Schema is a tool's input or output schema, ready to validate with.
type Schema struct {
	root  any                  // as it was read, without what cannot be checked
	rules *jsonschema.Resolved // nil: the schema cannot be used
	// Unchecked says what of the schema is not checked, and why.
	Unchecked []string
}

// New prepares a schema. One that cannot be used, or only in part, is no error: the
// server checks its arguments too, and a tool is not lost for a pattern that only
// JavaScript understands. What is left out stands in Unchecked.
func New(from any) *Schema {
	s := new(Schema)
	if err := s.prepare(from); err != nil {
		s.rules = nil
		s.Unchecked = []string{"the whole schema: " + err.Error()}
	}
	return s
}

func (s *Schema) prepare(from any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &s.root); err != nil {
		return err
	}
	if s.root == nil {
		s.root = true // no schema: anything fits
	}
	if root, ok := s.root.(map[string]any); ok {
		s.dialect(root)
		delete(root, "$id") // there is nothing else that could be referred to
	}
	if err := s.clean(s.root, "#"); err != nil {
		return err
	}
	if err := s.endless(s.root, map[string]bool{}); err != nil {
		return err
	}
	if data, err = json.Marshal(s.root); err != nil {
		return err
	}
	var parsed jsonschema.Schema
	if err := json.Unmarshal(data, &parsed); err != nil {
		return err
	}
	s.rules, err = parsed.Resolve(nil)
	return err
}

// dialect names the dialect that the library knows and that is nearest.
func (s *Schema) dialect(root map[string]any) {
	named, ok := root["$schema"].(string)
	if !ok {
		delete(root, "$schema")
		return
	}
	switch {
	case strings.Contains(named, "2020-12"), strings.Contains(named, "2019-09"):
		root["$schema"] = draft2020
	case strings.Contains(named, "draft-07"), strings.Contains(named, "draft-06"), strings.Contains(named, "draft-04"):
		root["$schema"] = draft7
	default:
		delete(root, "$schema")
		s.leaveOut("#/$schema", "the dialect "+quoted(named)+" is read as 2020-12")
	}
}

func (s *Schema) leaveOut(where, why string) { s.Unchecked = append(s.Unchecked, where+": "+why) }

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

// clean removes patterns that Go's regular expressions do not understand, and refuses
// references that lead out of the schema.
func (s *Schema) clean(node any, at string) error {
	object, ok := node.(map[string]any)
	if !ok {
		return nil
	}
	for _, word := range []string{"$dynamicRef", "$recursiveRef", "$id"} {
		if _, there := object[word]; there {
			return fmt.Errorf("%s has %s, which is not followed", at, word)
		}
	}
	if ref, ok := object["$ref"].(string); ok && ref != "#" && !strings.HasPrefix(ref, "#/") {
		return fmt.Errorf("%s refers to %s, and only references within the schema are followed", at, quoted(ref))
	}
	if pattern, ok := object["pattern"].(string); ok {
		if _, err := regexp.Compile(pattern); err != nil {
			delete(object, "pattern")
			s.leaveOut(at+"/pattern", err.Error())
		}
	}
	if patterns, ok := object["patternProperties"].(map[string]any); ok {
		for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
			if _, err := regexp.Compile(pattern); err != nil {
				delete(patterns, pattern)
				delete(object, "additionalProperties") // it is about those that no pattern names
				s.leaveOut(at+"/patternProperties", err.Error())
			}
		}
	}
	for _, place := range below(object, at) {
		if err := s.clean(place.node, place.at); err != nil {
			return err
		}
	}
	return nil
}

// endless refuses a schema that applies to itself without going down into the value:
// validating with it would never end. done are the references that are known to end.
func (s *Schema) endless(node any, done map[string]bool) error {
	if err := s.loops(node, nil, done); err != nil {
		return err
	}
	object, _ := node.(map[string]any)
	for _, place := range below(object, "") {
		if err := s.endless(place.node, done); err != nil {
			return err
		}
	}
	return nil
}

// loops follows what is about the same value; way are the references on the way here.
func (s *Schema) loops(node any, way []string, done map[string]bool) error {
	object, _ := node.(map[string]any)
	if ref, ok := object["$ref"].(string); ok && !done[ref] {
		if slices.Contains(way, ref) {
			return fmt.Errorf("%s refers to itself", ref)
		}
		target, err := s.resolve(ref)
		if err != nil {
			return err
		}
		if err := s.loops(target, append(slices.Clip(way), ref), done); err != nil {
			return err
		}
		done[ref] = true
	}
	for _, place := range below(object, "") {
		if !place.same {
			continue
		}
		if err := s.loops(place.node, way, done); err != nil {
			return err
		}
	}
	return nil
}

// resolve finds what a reference within the schema means (RFC 6901).
func (s *Schema) resolve(ref string) (any, error) {
	at := s.root
	for i, token := range strings.Split(ref, "/") {
		if i == 0 {
			continue // the #
		}
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch node := at.(type) {
		case map[string]any:
			at = node[token]
		case []any:
			at = nil
			for n, element := range node {
				if fmt.Sprint(n) == token {
					at = element
				}
			}
		default:
			at = nil
		}
		if at == nil {
			return nil, errors.New("it refers to " + quoted(ref) + ", which is not there")
		}
	}
	return at, nil
}
