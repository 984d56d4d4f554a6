package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxViolations bounds how many are told at once.
	maxViolations = 50
	// maxShown bounds how much of a wrong value a message repeats.
	maxShown = 80
	// maxListed bounds what a message lists of what would be right.
	maxListed = 1 << 10
)

// Violation is one place of a value that does not fit a schema.
type Violation struct {
	Path []any // names and indexes
	Text string
}

// Check returns everything about a value that does not fit the schema. The library has
// the last word on whether it fits; what it says about why is one thing at a time, with
// the schema's place instead of the value's.
func (s *Schema) Check(value any) []Violation {
	if s.rules == nil {
		return nil
	}
	err := s.rules.Validate(value)
	if err == nil {
		return nil
	}
	found := s.collect(s.root, value, nil)
	if len(found) == 0 {
		return []Violation{{Text: "Invalid value: " + short(err.Error(), maxListed)}}
	}
	if more := len(found) - maxViolations; more > 0 {
		found = append(found[:maxViolations], Violation{Text: fmt.Sprintf("and %d more", more)})
	}
	return found
}

func (s *Schema) collect(node, value any, path []any) []Violation {
	if node == false {
		return []Violation{{path, "Forbidden: nothing may stand here"}}
	}
	rule, ok := node.(map[string]any)
	if !ok {
		return nil
	}
	var found []Violation
	if ref, ok := rule["$ref"].(string); ok {
		if target, err := s.resolve(ref); err == nil {
			found = s.collect(target, value, path)
		}
		if root, ok := s.root.(map[string]any); ok && root["$schema"] == draft7 {
			return found // which passes over all that stands beside a reference
		}
	}
	if wrong := wrongType(rule, value); wrong != "" {
		return append(found, invalid(rule, value, path, wrong))
	}
	found = append(found, wrongValue(rule, value, path)...)
	switch v := value.(type) {
	case string:
		found = append(found, wrongString(rule, v, path)...)
	case float64:
		found = append(found, wrongNumber(rule, v, path)...)
	case []any:
		found = append(found, s.wrongArray(rule, v, path)...)
	case map[string]any:
		found = append(found, s.wrongObject(rule, v, path)...)
	}
	for _, part := range listOf(rule["allOf"]) {
		found = append(found, s.collect(part, value, path)...)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if branches := listOf(rule[word]); len(branches) > 0 {
			found = append(found, s.wrongChoice(branches, value, path)...)
		}
	}
	if condition, ok := rule["if"]; ok {
		word := "then"
		if len(s.collect(condition, value, path)) > 0 {
			word = "else"
		}
		found = append(found, s.collect(rule[word], value, path)...)
	}
	return found
}

// wrongChoice tells what keeps a value from fitting one of several schemas: the one that
// it comes nearest to.
func (s *Schema) wrongChoice(branches []any, value any, path []any) []Violation {
	var near []Violation
	var alternatives []string
	for _, branch := range branches {
		found := s.collect(branch, value, path)
		if len(found) == 0 {
			return nil // as far as can be told here
		}
		about := len(found[0].Path) == len(path) // the value itself, not a part of it
		if !about && (near == nil || len(found) < len(near)) {
			near = found
		}
		if text := found[0].Text; about && !slices.Contains(alternatives, text) {
			alternatives = append(alternatives, text)
		}
	}
	if near != nil || len(alternatives) == 1 && len(branches) == 1 {
		if near == nil {
			near = s.collect(branches[0], value, path)
		}
		return near
	}
	return []Violation{{path, strings.Join(alternatives, "; or ")}}
}

func wrongType(rule map[string]any, value any) string {
	var allowed []string
	switch t := rule["type"].(type) {
	case string:
		allowed = []string{t}
	case []any:
		for _, name := range t {
			allowed = append(allowed, fmt.Sprint(name))
		}
	default:
		return ""
	}
	got := typeOf(value)
	if slices.Contains(allowed, got) || got == "integer" && slices.Contains(allowed, "number") {
		return ""
	}
	words := map[string]string{"integer": "an integer", "object": "an object", "array": "a list", "null": "null"}
	word := func(name string) string {
		if w, ok := words[name]; ok {
			return w
		}
		return "a " + name
	}
	var wanted []string
	for _, name := range allowed {
		wanted = append(wanted, word(name))
	}
	return fmt.Sprintf("must be %s, not %s", strings.Join(wanted, " or "), word(got))
}

func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func wrongValue(rule map[string]any, value any, path []any) []Violation {
	if only, ok := rule["const"]; ok && !equal(only, value) {
		return []Violation{invalid(rule, value, path, "must be "+compact(only))}
	}
	allowed, ok := rule["enum"].([]any)
	if !ok || slices.ContainsFunc(allowed, func(a any) bool { return equal(a, value) }) {
		return nil
	}
	var shown []string
	for _, a := range allowed {
		shown = append(shown, compact(a))
	}
	return []Violation{{path, "Unsupported value: " + show(rule, value) + ": supported values: " + short(strings.Join(shown, ", "), maxListed)}}
}

func wrongString(rule map[string]any, value string, path []any) (found []Violation) {
	n := float64(utf8.RuneCountInString(value))
	if least, ok := rule["minLength"].(float64); ok && n < least {
		found = append(found, invalid(rule, value, path, fmt.Sprintf("must have at least %v characters, not %v", least, n)))
	}
	if most, ok := rule["maxLength"].(float64); ok && n > most {
		found = append(found, invalid(rule, value, path, fmt.Sprintf("must have at most %v characters, not %v", most, n)))
	}
	if pattern, ok := rule["pattern"].(string); ok {
		if expression, err := regexp.Compile(pattern); err == nil && !expression.MatchString(value) {
			found = append(found, invalid(rule, value, path, "must match "+pattern))
		}
	}
	return found
}

func wrongNumber(rule map[string]any, value float64, path []any) (found []Violation) {
	for _, limit := range []struct {
		word, says string
		wrong      func(limit float64) bool
	}{
		{"minimum", "must be at least", func(l float64) bool { return value < l }},
		{"maximum", "must be at most", func(l float64) bool { return value > l }},
		{"exclusiveMinimum", "must be greater than", func(l float64) bool { return value <= l }},
		{"exclusiveMaximum", "must be less than", func(l float64) bool { return value >= l }},
		{"multipleOf", "must be a multiple of", func(l float64) bool { return l > 0 && math.Mod(value, l) != 0 }},
	} {
		if l, ok := rule[limit.word].(float64); ok && limit.wrong(l) {
			found = append(found, invalid(rule, value, path, fmt.Sprintf("%s %s", limit.says, compact(l))))
		}
	}
	return found
}

func (s *Schema) wrongArray(rule map[string]any, value []any, path []any) (found []Violation) {
	n := float64(len(value))
	if least, ok := rule["minItems"].(float64); ok && n < least {
		found = append(found, Violation{path, fmt.Sprintf("Invalid value: must have at least %v elements, not %v", least, n)})
	}
	if most, ok := rule["maxItems"].(float64); ok && n > most {
		found = append(found, Violation{path, fmt.Sprintf("Too many: must have at most %v elements, not %v", most, n)})
	}
	first, rest := listOf(rule["prefixItems"]), rule["items"]
	if list := listOf(rest); list != nil {
		first, rest = list, rule["additionalItems"]
	}
	for i, element := range value {
		below := append(slices.Clip(path), i)
		if rule["uniqueItems"] == true && slices.ContainsFunc(value[:i], func(other any) bool { return equal(other, element) }) {
			found = append(found, Violation{below, "Duplicate value: " + show(nil, element)})
		}
		if i < len(first) {
			found = append(found, s.collect(first[i], element, below)...)
		} else {
			found = append(found, s.collect(rest, element, below)...)
		}
	}
	return found
}

func (s *Schema) wrongObject(rule, value map[string]any, path []any) (found []Violation) {
	properties, _ := rule["properties"].(map[string]any)
	for _, name := range listOf(rule["required"]) {
		name := fmt.Sprint(name)
		if _, there := value[name]; !there {
			text := "Required value"
			if property, ok := properties[name].(map[string]any); ok {
				if says, ok := property["description"].(string); ok {
					text += ": " + short(says, maxShown)
				}
			}
			found = append(found, Violation{append(slices.Clip(path), name), text})
		}
	}
	dependent, _ := rule["dependentRequired"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(value)) {
		below := append(slices.Clip(path), name)
		for _, other := range listOf(dependent[name]) {
			if other, ok := other.(string); ok && value[other] == nil {
				found = append(found, Violation{append(slices.Clip(path), other), "Required value: " + name + " is set"})
			}
		}
		if names, ok := rule["propertyNames"]; ok {
			for _, v := range s.collect(names, name, below) {
				found = append(found, Violation{below, "the name is no good: " + v.Text})
			}
		}
		known := false
		if property, ok := properties[name]; ok {
			known = true
			found = append(found, s.collect(property, value[name], below)...)
		}
		patterns, _ := rule["patternProperties"].(map[string]any)
		for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
			if expression, err := regexp.Compile(pattern); err == nil && expression.MatchString(name) {
				known = true
				found = append(found, s.collect(patterns[pattern], value[name], below)...)
			}
		}
		if known {
			continue
		}
		if rule["additionalProperties"] == false {
			found = append(found, Violation{below, "Forbidden: there is no such field; there are: " + dashed(slices.Sorted(maps.Keys(properties)))})
			continue
		}
		found = append(found, s.collect(rule["additionalProperties"], value[name], below)...)
	}
	n := float64(len(value))
	if least, ok := rule["minProperties"].(float64); ok && n < least {
		found = append(found, Violation{path, fmt.Sprintf("Invalid value: must have at least %v fields, not %v", least, n)})
	}
	if most, ok := rule["maxProperties"].(float64); ok && n > most {
		found = append(found, Violation{path, fmt.Sprintf("Too many: must have at most %v fields, not %v", most, n)})
	}
	return found
}

func invalid(rule map[string]any, value any, path []any, must string) Violation {
	return Violation{path, "Invalid value: " + show(rule, value) + ": " + must}
}

// show is a wrong value as a message repeats it; never one that the schema calls secret.
func show(rule map[string]any, value any) string {
	if rule["writeOnly"] == true || rule["format"] == "password" {
		return "(not shown)"
	}
	return short(compact(value), maxShown)
}

// compact is a value's JSON as a person writes it.
func compact(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// short is the head of a text that may be long.
func short(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

func quoted(text string) string { return show(nil, text) }

func dashed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return short(strings.Join(names, ", "), maxListed)
}

func listOf(value any) []any {
	list, _ := value.([]any)
	return list
}

// equal compares two decoded JSON values.
func equal(a, b any) bool { return compact(a) == compact(b) } // keys are sorted
