package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"jobwright.dev/controller/action/mcp/display"
)

// at is the address of a schema for the library; nothing is there to be loaded.
const at = "jobwright:schema"

// Schema is a tool's input or output schema, ready to validate with.
type Schema struct {
	root  any                // as the server gave it
	rules *jsonschema.Schema // nil: the schema cannot be used
	// Unchecked names the parts of the schema that are not checked, with the reason.
	Unchecked []string
}

// New prepares a schema. One that cannot be used, or only in part, is no error: the
// server checks its arguments too, and a tool is not lost for a pattern that only
// JavaScript understands. Unchecked has the parts that are left out.
func New(from any) *Schema {
	s := new(Schema)
	if err := s.prepare(from); err != nil {
		s.rules = nil
		s.Unchecked = []string{"the whole schema: " + display.Short(err.Error(), display.MaxListed)}
	}
	return s
}

// ForArguments prepares the schema of a tool's arguments, which are an object whatever the
// schema says.
func ForArguments(from any) *Schema {
	data, err := json.Marshal(from)
	if err != nil {
		return New(from)
	}
	root, err := Decode(data)
	rule, ok := root.(map[string]any)
	if err != nil || !ok {
		return New(from)
	}
	kind, there := rule["type"]
	if !there || kind == "object" || slices.Contains(listOf(kind), any("object")) {
		return New(from)
	}
	delete(rule, "type")
	s := New(rule)
	s.leaveOut("#/type", show(nil, kind)+" is not what arguments are, an object")
	return s
}

func (s *Schema) prepare(from any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	if s.root, err = Decode(data); err != nil {
		return err
	}
	if s.root == nil {
		s.root = true // no schema: anything fits
	}
	draft, err := Decode(data) // a copy, to be changed
	if err != nil {
		return err
	}
	switch root := draft.(type) {
	case nil:
		draft = true
	case bool:
	case map[string]any:
		s.dialect(root)
		s.repair(root, "#")
	default:
		return fmt.Errorf("it is %s, and must be an object", typeOf(draft))
	}
	if err := bounded(draft); err != nil {
		return err
	}
	s.rules, err = s.compile(draft)
	return err
}

// maxRepairs bounds how often a schema is compiled anew without a refused part.
const maxRepairs = 100

// compile compiles a schema, and leaves out the parts that the schema of the dialect refuses.
func (s *Schema) compile(draft any) (*jsonschema.Schema, error) {
	for range maxRepairs {
		compiler := jsonschema.NewCompiler()
		compiler.UseLoader(nowhere{})
		if err := compiler.AddResource(at, draft); err != nil {
			return nil, err
		}
		rules, err := compiler.Compile(at)
		refused, ok := errors.AsType[*jsonschema.SchemaValidationError](err)
		if !ok {
			return rules, err
		}
		why, ok := errors.AsType[*jsonschema.ValidationError](refused.Err)
		if !ok || !s.without(draft, why) {
			return nil, err
		}
	}
	return nil, errors.New("more than is worth repairing of it is not as JSON Schema has it")
}

// nowhere loads no schemas.
type nowhere struct{}

// Load implements jsonschema.URLLoader.
func (nowhere) Load(string) (any, error) {
	return nil, errors.New("only references within the schema are followed")
}

// dialect names a dialect that the library knows.
func (s *Schema) dialect(root map[string]any) {
	named, ok := root["$schema"].(string)
	if !ok {
		delete(root, "$schema")
		return
	}
	for mark, address := range map[string]string{
		"2020-12": "https://json-schema.org/draft/2020-12/schema", "2019-09": "https://json-schema.org/draft/2019-09/schema",
		"draft-07": "http://json-schema.org/draft-07/schema#", "draft-06": "http://json-schema.org/draft-06/schema#", "draft-04": "http://json-schema.org/draft-04/schema#",
	} {
		if strings.Contains(named, mark) {
			root["$schema"] = address
			return
		}
	}
	delete(root, "$schema")
	s.leaveOut("#/$schema", "the dialect "+quoted(named)+" is read as 2020-12")
}

func (s *Schema) leaveOut(where, why string) {
	if len(s.Unchecked) < maxViolations {
		s.Unchecked = append(s.Unchecked, display.Short(where, display.MaxListed)+": "+why)
	}
}

// Decode decodes JSON with its numbers as they are written, but for those whose exponent
// is beyond a float64's, which are the nearest float64.
func Decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return tamed(value), nil
}

// Exact is Decode for a value that may be missing, which is null.
func Exact(data []byte) (any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	return Decode(data)
}

// tamed replaces numbers that would not fit into memory as fractions.
func tamed(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = tamed(member)
		}
	case []any:
		for i, element := range v {
			v[i] = tamed(element)
		}
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case json.Number:
		const most = 308
		i := strings.IndexAny(string(v), "eE")
		if i < 0 {
			return v
		}
		if exponent, err := strconv.Atoi(string(v[i+1:])); err == nil && exponent <= most && exponent >= -most {
			return v
		}
		f, _ := strconv.ParseFloat(string(v), 64) // out of range is infinite, or 0
		f = math.Max(-math.MaxFloat64, math.Min(math.MaxFloat64, f))
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return value
}
