package schema

import (
	"errors"
	"fmt"
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

// choice returns the violations of the nearest of several schemas of which a value fits none.
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

// rule is the schema that an error is about, as the server gave it.
func (c *collector) rule(e *jsonschema.ValidationError) map[string]any {
	_, fragment, _ := strings.Cut(e.SchemaURL, "#")
	found, _ := resolve(c.schema.root, "#"+fragment)
	rule, _ := found.(map[string]any)
	return rule
}
