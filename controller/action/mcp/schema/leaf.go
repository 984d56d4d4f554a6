package schema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"jobwright.dev/controller/action/mcp/display"
)

// leaf is one thing that is wrong.
func (c *collector) leaf(e *jsonschema.ValidationError) []Violation {
	path := c.path(e)
	value, _ := follow(c.value, e.InstanceLocation)
	rule := c.rule(e)
	switch k := e.ErrorKind.(type) {
	case *kind.RefCycle:
		return nil // the schema's fault
	case *kind.Required:
		return missing(path, k.Missing, rule, "")
	case *kind.DependentRequired:
		return missing(path, k.Missing, nil, k.Prop+" is set")
	case *kind.Dependency:
		return missing(path, k.Missing, nil, k.Prop+" is set")
	case *kind.AdditionalProperties:
		return unknown(path, k.Properties, rule)
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
	if text := amount(e.ErrorKind, rule); text != "" {
		return []Violation{{path, text}}
	}
	if text := unfit(e.ErrorKind, rule, value); text != "" {
		return []Violation{{path, text}}
	}
	return []Violation{{path, "Invalid value: " + display.Short(e.Error(), display.MaxListed)}}
}

// unfit says why a value itself does not fit; empty: this is not known.
func unfit(e jsonschema.ErrorKind, rule map[string]any, value any) string {
	invalid := func(format string, values ...any) string {
		return "Invalid value: " + show(rule, value) + ": " + fmt.Sprintf(format, values...)
	}
	switch k := e.(type) {
	case *kind.FalseSchema:
		return "Forbidden: nothing may stand here"
	case *kind.Type:
		return invalid("%s%s", wrongType(ordered(k.Want, rule), value), wayOut(k.Want, rule, value))
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
	case *kind.Not:
		return invalid("must not fit %s", part(rule, "not"))
	case *kind.OneOf:
		return invalid("must fit one of the %d schemas below oneOf, and fits numbers %d and %d", len(listOf(rule["oneOf"])), k.Subschemas[0]+1, k.Subschemas[1]+1)
	}
	return ""
}

// amount says why a value has too few or too many elements or fields; empty: it is another
// error. The value may be long and is not shown.
func amount(e jsonschema.ErrorKind, rule map[string]any) string {
	switch k := e.(type) {
	case *kind.MinItems:
		return fmt.Sprintf("Invalid value: must have at least %d elements, not %d", k.Want, k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("Too many: must have at most %d elements, not %d", k.Want, k.Got)
	case *kind.MinProperties:
		return fmt.Sprintf("Invalid value: must have at least %d fields, not %d", k.Want, k.Got)
	case *kind.MaxProperties:
		return fmt.Sprintf("Too many: must have at most %d fields, not %d", k.Want, k.Got)
	case *kind.Contains:
		return "Invalid value: must have an element that fits " + part(rule, "contains")
	case *kind.MinContains:
		return fmt.Sprintf("Invalid value: must have at least %d elements that fit %s, not %d", k.Want, part(rule, "contains"), len(k.Got))
	case *kind.MaxContains:
		return fmt.Sprintf("Too many: must have at most %d elements that fit %s, not %d", k.Want, part(rule, "contains"), len(k.Got))
	}
	return ""
}

// part is a part of a schema as a message shows it.
func part(rule map[string]any, name string) string {
	return display.Short(display.Compact(rule[name]), display.MaxShown)
}

// unknown tells of fields that a schema does not have.
func unknown(path []any, fields []string, rule map[string]any) (found []Violation) {
	properties, _ := rule["properties"].(map[string]any)
	for _, name := range fields {
		found = append(found, Violation{append(slices.Clip(path), name), "Forbidden: there is no such field; there are: " + names(properties)})
	}
	return found
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

// wayOut is how a number or a boolean is given where a string is wanted; empty when there is
// no such way, and for a value that is secret.
func wayOut(allowed []string, rule map[string]any, value any) string {
	shown := show(rule, value)
	switch typeOf(value) {
	case "number", "integer", "boolean":
		if slices.Contains(allowed, "string") && shown == display.Compact(value) {
			return fmt.Sprintf(": quote it: %q", shown)
		}
	}
	return ""
}

// ordered are types in the order of the schema; a type that the schema does not list, as null
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
