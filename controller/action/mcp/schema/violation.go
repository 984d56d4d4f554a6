package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"jobwright.dev/controller/action/mcp/display"
)

const (
	// maxViolations bounds how many are told at once.
	maxViolations = 50
)

// Violation is one place of a value that does not fit a schema.
type Violation struct {
	Path []any // names and indexes
	Text string
}

// Check returns everything about a value that does not fit the schema, by path. The value
// is as Decode, or package json, decodes it.
func (s *Schema) Check(value any) []Violation {
	if s.rules == nil {
		return nil
	}
	value = tamed(value)
	err := s.rules.Validate(value)
	if err == nil {
		return nil
	}
	failed, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return []Violation{{Text: "Invalid value: " + display.Short(err.Error(), display.MaxListed)}}
	}
	c := collector{schema: s, value: value}
	found := c.collect(failed)
	slices.SortStableFunc(found, func(a, b Violation) int {
		if order := comparePaths(a.Path, b.Path); order != 0 {
			return order
		}
		return strings.Compare(a.Text, b.Text)
	})
	found = slices.CompactFunc(found, func(a, b Violation) bool { return a.Text == b.Text && slices.Equal(a.Path, b.Path) })
	if more := len(found) - maxViolations; more > 0 {
		found = append(found[:maxViolations], Violation{Text: fmt.Sprintf("and %d more", more)})
	}
	return found
}

// collector makes violations of the library's errors.
type collector struct {
	schema *Schema
	value  any
}

func (c *collector) collect(e *jsonschema.ValidationError) []Violation {
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		return c.causes(e)
	case *kind.AnyOf:
		return c.choice(e)
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			return c.choice(e)
		}
	case *kind.PropertyNames:
		below := append(c.path(e), k.Property)
		var found []Violation
		inner := collector{schema: c.schema, value: k.Property}
		for _, v := range inner.causes(e) {
			found = append(found, Violation{below, "the name is no good: " + v.Text})
		}
		return found
	}
	return c.leaf(e)
}

func (c *collector) causes(e *jsonschema.ValidationError) (found []Violation) {
	for _, cause := range e.Causes {
		found = append(found, c.collect(cause)...)
	}
	return found
}

// path is where in the value an error is: names, and indexes of lists.
func (c *collector) path(e *jsonschema.ValidationError) []any {
	path := make([]any, 0, len(e.InstanceLocation)+1)
	at := c.value
	for _, token := range e.InstanceLocation {
		switch node := at.(type) {
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(node) {
				return append(path, token)
			}
			path, at = append(path, i), node[i]
		case map[string]any:
			path, at = append(path, token), node[token]
		default:
			path = append(path, token)
		}
	}
	return path
}

// choice tells what keeps a value from fitting one of several schemas: the one that it
// comes nearest to.
func (c *collector) choice(e *jsonschema.ValidationError) []Violation {
	path := c.path(e)
	var near []Violation
	var alternatives []string
	for _, branch := range e.Causes {
		found := c.collect(branch)
		if len(found) == 0 {
			continue
		}
		slices.SortStableFunc(found, func(a, b Violation) int { return len(a.Path) - len(b.Path) })
		about := len(found[0].Path) == len(path) // the value itself, not a part of it
		if !about && (near == nil || len(found) < len(near)) {
			near = found
		}
		if text := found[0].Text; about && !slices.Contains(alternatives, text) {
			alternatives = append(alternatives, text)
		}
	}
	if either := required(e, path, c); either != nil {
		return either
	}
	if near != nil {
		return near
	}
	return []Violation{{path, display.Short(strings.Join(alternatives, "; or "), display.MaxListed)}}
}

// required tells of several schemas that each want nothing but one more field; nil: they
// want other things.
func required(e *jsonschema.ValidationError, path []any, c *collector) []Violation {
	var fields []string
	for _, branch := range e.Causes {
		found := c.collect(branch)
		if len(found) != 1 || len(found[0].Path) != len(path)+1 || !strings.HasPrefix(found[0].Text, "Required value") {
			return nil
		}
		if name := fmt.Sprint(found[0].Path[len(path)]); !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	if len(fields) < 2 {
		return nil
	}
	return []Violation{{path, "Required value: " + display.Short(strings.Join(fields, " or "), display.MaxListed)}}
}

// leaf is one thing that is wrong: a field that is missing or one too many, a value that is
// there twice, or a value out of its bounds.
func (c *collector) leaf(e *jsonschema.ValidationError) []Violation {
	path := c.path(e)
	value, _ := follow(c.value, e.InstanceLocation)
	rule := c.rule(e)
	switch k := e.ErrorKind.(type) {
	case *kind.FalseSchema:
		return []Violation{{path, "Forbidden: nothing may stand here"}}
	case *kind.RefCycle:
		return nil // the schema's fault
	case *kind.Required:
		return missing(path, k.Missing, rule, "")
	case *kind.DependentRequired:
		return missing(path, k.Missing, nil, k.Prop+" is set")
	case *kind.Dependency:
		return missing(path, k.Missing, nil, k.Prop+" is set")
	case *kind.AdditionalProperties:
		properties, _ := rule["properties"].(map[string]any)
		var found []Violation
		for _, name := range k.Properties {
			found = append(found, Violation{append(slices.Clip(path), name), "Forbidden: there is no such field; there are: " + names(properties)})
		}
		return found
	case *kind.AdditionalItems:
		list, _ := value.([]any)
		var found []Violation
		for i := max(len(list)-k.Count, 0); i < len(list); i++ {
			found = append(found, Violation{append(slices.Clip(path), i), "Forbidden: nothing may stand here"})
		}
		return found
	case *kind.UniqueItems:
		again := k.Duplicates[1]
		list, _ := value.([]any)
		if again < len(list) {
			value = list[again]
		}
		return []Violation{{append(path, again), "Duplicate value: " + show(nil, value)}}
	}
	return []Violation{{path, outOfBounds(e, rule, value)}}
}

// outOfBounds says in which way a value does not fit its rule.
func outOfBounds(e *jsonschema.ValidationError, rule map[string]any, value any) string {
	invalid := func(format string, values ...any) string {
		return "Invalid value: " + show(rule, value) + ": " + fmt.Sprintf(format, values...)
	}
	count := func(word, format string, values ...any) string {
		return word + ": " + fmt.Sprintf(format, values...)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return invalid("%s", wrongType(ordered(k.Want, rule), value))
	case *kind.Const:
		return invalid("must be %s", display.Short(display.Compact(k.Want), display.MaxListed))
	case *kind.Enum:
		var shown []string
		for _, a := range k.Want {
			shown = append(shown, display.Compact(a))
		}
		return "Unsupported value: " + show(rule, value) + ": supported values: " + display.Short(strings.Join(shown, ", "), display.MaxListed)
	case *kind.MinLength:
		return invalid("must have at least %d characters, not %d", k.Want, k.Got)
	case *kind.MaxLength:
		return invalid("must have at most %d characters, not %d", k.Want, k.Got)
	case *kind.Pattern:
		return invalid("must match %s", display.Short(k.Want, display.MaxListed))
	case *kind.Minimum:
		return invalid("must be at least %s", number(k.Want))
	case *kind.Maximum:
		return invalid("must be at most %s", number(k.Want))
	case *kind.ExclusiveMinimum:
		return invalid("must be greater than %s", number(k.Want))
	case *kind.ExclusiveMaximum:
		return invalid("must be less than %s", number(k.Want))
	case *kind.MultipleOf:
		return invalid("must be a multiple of %s", number(k.Want))
	case *kind.MinItems:
		return count("Invalid value", "must have at least %d elements, not %d", k.Want, k.Got)
	case *kind.MaxItems:
		return count("Too many", "must have at most %d elements, not %d", k.Want, k.Got)
	case *kind.MinProperties:
		return count("Invalid value", "must have at least %d fields, not %d", k.Want, k.Got)
	case *kind.MaxProperties:
		return count("Too many", "must have at most %d fields, not %d", k.Want, k.Got)
	case *kind.Contains:
		return count("Invalid value", "must have an element that fits %s", display.Short(display.Compact(rule["contains"]), display.MaxShown))
	case *kind.MinContains:
		return count("Invalid value", "must have at least %d elements that fit %s, not %d", k.Want, display.Short(display.Compact(rule["contains"]), display.MaxShown), len(k.Got))
	case *kind.MaxContains:
		return count("Too many", "must have at most %d elements that fit %s, not %d", k.Want, display.Short(display.Compact(rule["contains"]), display.MaxShown), len(k.Got))
	case *kind.Not:
		return invalid("must not fit %s", display.Short(display.Compact(rule["not"]), display.MaxShown))
	case *kind.OneOf:
		return invalid("must fit one of the %d schemas below oneOf, and fits numbers %d and %d", len(listOf(rule["oneOf"])), k.Subschemas[0]+1, k.Subschemas[1]+1)
	}
	return "Invalid value: " + display.Short(e.Error(), display.MaxListed)
}

// rule is the schema that an error is about, as the server gave it.
func (c *collector) rule(e *jsonschema.ValidationError) map[string]any {
	_, fragment, _ := strings.Cut(e.SchemaURL, "#")
	found, _ := resolve(c.schema.root, "#"+fragment)
	rule, _ := found.(map[string]any)
	return rule
}

// missing tells of fields that must be there.
func missing(path []any, fields []string, rule map[string]any, because string) (found []Violation) {
	properties, _ := rule["properties"].(map[string]any)
	for _, name := range fields {
		text := "Required value"
		property, _ := properties[name].(map[string]any)
		if says, ok := property["description"].(string); ok && says != "" {
			text += ": " + display.Short(says, display.MaxShown)
		}
		if because != "" {
			text += ": " + because
		}
		found = append(found, Violation{append(slices.Clip(path), name), text})
	}
	return found
}

// number is a number as a person writes it.
func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	if exact, finite := r.FloatPrec(); finite {
		return r.FloatString(exact)
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func wrongType(allowed []string, value any) string {
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
	return fmt.Sprintf("must be %s, not %s", strings.Join(wanted, " or "), word(typeOf(value)))
}

// ordered are types in the order in which the schema has them; what is in none, as null
// of nullable, comes last.
func ordered(types []string, rule map[string]any) []string {
	written := listOf(rule["type"])
	place := func(name string) int {
		if i := slices.Index(written, any(name)); i >= 0 {
			return i
		}
		if name == "null" {
			return len(written) + 1
		}
		return len(written)
	}
	out := slices.Clone(types)
	slices.SortStableFunc(out, func(a, b string) int { return place(a) - place(b) })
	return out
}

func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if r, ok := new(big.Rat).SetString(string(v)); ok && r.IsInt() {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
