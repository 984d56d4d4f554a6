package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/controller/action/mcp/display"
)

// decoded is a JSON text as plain Go values.
func decoded(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func checked(s *Schema, value any) []string {
	var got []string
	for _, v := range s.Check(value) {
		got = append(got, strings.TrimPrefix(Fields(v.Path), ".")+": "+v.Text)
	}
	return got
}

func TestEveryViolationIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		schema, value string
		want          []string
	}{
		"what fits":             {`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":1,"b":2}`, nil},
		"several at once":       {`{"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","y"]}},"required":["a","b","c"]}`, `{"a":"1","b":"z"}`, []string{`a: Invalid value: "1": must be an integer, not a string`, `b: Unsupported value: "z": supported values: "x", "y"`, `c: Required value`}},
		"required, described":   {`{"required":["a"],"properties":{"a":{"description":"what it is"}}}`, `{}`, []string{"a: Required value: what it is"}},
		"an unknown field":      {`{"properties":{"a":{}},"additionalProperties":false}`, `{"b":1}`, []string{"b: Forbidden: there is no such field; there are: a"}},
		"further fields":        {`{"additionalProperties":{"type":["string","null"]}}`, `{"a":1,"b":null}`, []string{"a: Invalid value: 1: must be a string or null, not an integer: quote it: \"1\""}},
		"a field of no schema":  {`{"properties":{"a":false}}`, `{"a":1}`, []string{"a: Forbidden: nothing may stand here"}},
		"nested":                {`{"properties":{"a":{"properties":{"b":{"items":{"type":"number"}}}}}}`, `{"a":{"b":[1,true,"x"]}}`, []string{"a.b[1]: Invalid value: true: must be a number, not a boolean", `a.b[2]: Invalid value: "x": must be a number, not a string`}},
		"odd names":             {`{"additionalProperties":{"type":"null"}}`, `{"a b":1,"c.d":2}`, []string{`["a b"]: Invalid value: 1: must be null, not an integer`, `["c.d"]: Invalid value: 2: must be null, not an integer`}},
		"text":                  {`{"items":{"minLength":2,"maxLength":3,"pattern":"^[a-z]+$"}}`, `["a","äöüß"]`, []string{`[0]: Invalid value: "a": must have at least 2 characters, not 1`, `[1]: Invalid value: "äöüß": must have at most 3 characters, not 4`, `[1]: Invalid value: "äöüß": must match ^[a-z]+$`}},
		"numbers":               {`{"items":{"minimum":1,"maximum":9,"multipleOf":2}}`, `[0,11]`, []string{"[0]: Invalid value: 0: must be at least 1", "[1]: Invalid value: 11: must be a multiple of 2", "[1]: Invalid value: 11: must be at most 9"}},
		"open intervals":        {`{"items":{"exclusiveMinimum":1,"exclusiveMaximum":2.5}}`, `[1,2.5]`, []string{"[0]: Invalid value: 1: must be greater than 1", "[1]: Invalid value: 2.5: must be less than 2.5"}},
		"lists":                 {`{"properties":{"a":{"minItems":2},"b":{"maxItems":1},"c":{"uniqueItems":true}}}`, `{"a":[1],"b":[1,2],"c":[{"x":1},{"x":1}]}`, []string{"a: Invalid value: must have at least 2 elements, not 1", "b: Too many: must have at most 1 elements, not 2", `c[1]: Duplicate value: {"x":1}`}},
		"a tuple":               {`{"prefixItems":[{"type":"string"}],"items":false}`, `[1,2]`, []string{"[0]: Invalid value: 1: must be a string, not an integer: quote it: \"1\"", "[1]: Forbidden: nothing may stand here"}},
		"a tuple of draft-07":   {`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"string"}],"additionalItems":false}`, `[1,2]`, []string{"[0]: Invalid value: 1: must be a string, not an integer: quote it: \"1\"", "[1]: Forbidden: nothing may stand here"}},
		"a constant":            {`{"properties":{"a":{"const":{"k":1}}}}`, `{"a":2}`, []string{`a: Invalid value: 2: must be {"k":1}`}},
		"numbers of fields":     {`{"properties":{"a":{"minProperties":1},"b":{"maxProperties":1}}}`, `{"a":{},"b":{"x":1,"y":2}}`, []string{"a: Invalid value: must have at least 1 fields, not 0", "b: Too many: must have at most 1 fields, not 2"}},
		"names of fields":       {`{"propertyNames":{"pattern":"^[A-Z]+$"}}`, `{"a":1}`, []string{`a: the name is no good: Invalid value: "a": must match ^[A-Z]+$`}},
		"fields by pattern":     {`{"patternProperties":{"^n_":{"type":"number"}},"additionalProperties":false}`, `{"n_a":"x","m":1}`, []string{"m: Forbidden: there is no such field; there are: none", `n_a: Invalid value: "x": must be a number, not a string`}},
		"what another requires": {`{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, []string{"b: Required value: a is set"}},
		"a reference":           {`{"$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"},"v":{"type":"integer"}}}},"$ref":"#/$defs/n"}`, `{"next":{"next":{"v":"x"}}}`, []string{`next.next.v: Invalid value: "x": must be an integer, not a string`}},
		"all of several":        {`{"allOf":[{"required":["a"]},{"required":["b"]}]}`, `{}`, []string{"a: Required value", "b: Required value"}},
		"one type of several":   {`{"properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}}}`, `{"a":1}`, []string{"a: Invalid value: 1: must be a string, not an integer: quote it: \"1\"; or Invalid value: 1: must be null, not an integer"}},
		"a secret as a number":  {`{"properties":{"a":{"type":"string","writeOnly":true}}}`, `{"a":1}`, []string{"a: Invalid value: (not shown): must be a string, not an integer"}},
		"the nearest of several": {
			`{"oneOf":[{"type":"string"},{"type":"object","required":["x"],"properties":{"x":{"type":"integer"}}}]}`, `{"x":"1"}`,
			[]string{`x: Invalid value: "1": must be an integer, not a string`},
		},
		"too many of several": {`{"oneOf":[{"type":"integer"},{"minimum":1}]}`, `1`, []string{": Invalid value: 1: must fit one of the 2 schemas below oneOf, and fits numbers 1 and 2"}},
		"one of two fields":   {`{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{}`, []string{": Required value: a or b"}},
		"a condition":         {`{"if":{"properties":{"k":{"const":1}}},"then":{"required":["a"]},"else":{"required":["b"]}}`, `{"k":2}`, []string{"b: Required value"}},
		"a secret":            {`{"properties":{"p":{"format":"password","minLength":9}}}`, `{"p":"hunter2"}`, []string{"p: Invalid value: (not shown): must have at least 9 characters, not 7"}},
		"a long value":        {`{"type":"object"}`, `"` + strings.Repeat("a", 200) + `"`, []string{`: Invalid value: "` + strings.Repeat("a", 79) + `…: must be an object, not a string`}},
		"nothing is allowed":  {`false`, `1`, []string{": Forbidden: nothing may stand here"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(json.RawMessage(tc.schema))
			if len(s.Unchecked) > 0 {
				t.Errorf("unchecked: %q", s.Unchecked)
			}
			if diff := cmp.Diff(tc.want, checked(s, decoded(t, tc.value))); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNotMoreViolationsThanAPersonReads(t *testing.T) {
	s := New(decoded(t, `{"items":{"type":"string"}}`))
	got := checked(s, decoded(t, "[1"+strings.Repeat(",1", 99)+"]"))
	if len(got) != maxViolations+1 || got[maxViolations] != ": and 50 more" {
		t.Errorf("%d violations, the last one %q", len(got), got[len(got)-1])
	}
}

func TestASchemaThatCannotBeUsedIsNotInTheWay(t *testing.T) {
	for name, tc := range map[string]struct {
		schema, value string
		unchecked     string   // what is said of it
		want          []string // what is checked all the same
	}{
		"a pattern of JavaScript":      {`{"properties":{"a":{"pattern":"^(?!x)"},"b":{"type":"string"}}}`, `{"a":"x","b":1}`, "#/properties/a/pattern: error parsing regexp", []string{"b: Invalid value: 1: must be a string, not an integer: quote it: \"1\""}},
		"names by such a pattern":      {`{"patternProperties":{"^(?=x)":{}},"additionalProperties":false,"required":["y"]}`, `{"x":1}`, "#/patternProperties: error parsing regexp", []string{"y: Required value"}},
		"an older dialect":             {`{"$schema":"http://json-schema.org/draft-06/schema#","type":"object"}`, `1`, "", []string{": Invalid value: 1: must be an object, not an integer"}},
		"no trailing hash":             {`{"$schema":"http://json-schema.org/draft-07/schema","type":"object"}`, `1`, "", []string{": Invalid value: 1: must be an object, not an integer"}},
		"an unknown dialect":           {`{"$schema":"https://example.org/my","type":"object"}`, `1`, `the dialect "https://example.org/my" is read as 2020-12`, []string{": Invalid value: 1: must be an object, not an integer"}},
		"an identity":                  {`{"$id":"some/thing.json","type":"object"}`, `1`, "", []string{": Invalid value: 1: must be an object, not an integer"}},
		"a remote reference":           {`{"properties":{"a":{"$ref":"https://example.org/x.json"}}}`, `{"a":1}`, "only references within the schema are followed", nil},
		"a reference to nothing":       {`{"$ref":"#/$defs/none"}`, `1`, `it refers to "#/$defs/none", which is not there`, nil},
		"a dynamic reference":          {`{"items":{"$dynamicRef":"#x"}}`, `[1]`, "$dynamicRef", nil},
		"it refers to itself":          {`{"$ref":"#"}`, `1`, "# refers to itself", nil},
		"it goes round":                {`{"anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}`, `1`, "refers to itself", nil},
		"it is no schema":              {`{"type":7}`, `1`, "#/type: 7 is not what JSON Schema has there", nil},
		"it is no object":              {`"text"`, `1`, "the whole schema", nil},
		"a limit of draft-04":          {`{"minimum":1,"exclusiveMinimum":true}`, `1`, "", []string{": Invalid value: 1: must be greater than 1"}},
		"there is none":                {`null`, `1`, "", nil},
		"a type that there is none of": {`{"properties":{"a":{"type":"strng"},"b":{"type":"string"}}}`, `{"a":1,"b":1}`, `#/properties/a/type: "strng" is not what JSON Schema has there`, []string{"b: Invalid value: 1: must be a string, not an integer: quote it: \"1\""}},
		"one among several types":      {`{"properties":{"a":{"type":["string","nul"]}}}`, `{"a":1}`, `#/properties/a/type: ["string","nul"] is not what`, nil},
		"a field that is no schema":    {`{"properties":{"a":"string","b":{"type":"string"}},"additionalProperties":false}`, `{"a":1,"b":1}`, `#/properties/a: "string" is not what`, []string{"b: Invalid value: 1: must be a string, not an integer: quote it: \"1\""}},
		"required at the field":        {`{"properties":{"a":{"type":"string","required":true},"b":{"type":"string"}}}`, `{"b":1}`, `#/properties/a/required: true is not what`, []string{"b: Invalid value: 1: must be a string, not an integer: quote it: \"1\""}},
		"several things":               {`{"properties":{"a":{"type":"str"},"b":{"type":"int","minLength":"3"},"c":{"enum":"x"}}}`, `{"a":1,"b":1,"c":1}`, `#/properties/b/minLength: "3" is not what`, nil},
		"no alternatives":              {`{"anyOf":[],"required":["a"]}`, `{}`, "#/anyOf: [] is not what", []string{"a: Required value"}},
		"a multiple of nothing":        {`{"multipleOf":0}`, `1`, "#/multipleOf: 0 is not what", nil},
		"a limit beyond all numbers":   {`{"maximum":1e999999999}`, `1`, "", nil},
		"too many ways":                {doubling(40), `1`, "it applies to one value in too many ways", nil},
		"a nested identity":            {`{"$defs":{"n":{"$id":"n","type":"string"}},"items":{"$ref":"#/$defs/n"}}`, `[1]`, "", []string{"[0]: Invalid value: 1: must be a string, not an integer: quote it: \"1\""}},
		"nullable":                     {`{"properties":{"a":{"type":"string","nullable":true},"b":{"enum":["x"],"nullable":true},"c":{"$ref":"#/$defs/n","nullable":true}},"$defs":{"n":{"type":"integer"}}}`, `{"a":null,"b":null,"c":null}`, "", nil},
		"nullable, and wrong":          {`{"properties":{"a":{"type":"string","nullable":true}}}`, `{"a":1}`, "", []string{"a: Invalid value: 1: must be a string or null, not an integer: quote it: \"1\""}},
		"a format":                     {`{"$schema":"http://json-schema.org/draft-07/schema#","format":"uri"}`, `"no uri"`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(json.RawMessage(tc.schema))
			if got := strings.Join(s.Unchecked, "; "); !strings.Contains(got, tc.unchecked) || (tc.unchecked == "") != (got == "") {
				t.Errorf("unchecked %q, want %q", got, tc.unchecked)
			}
			if diff := cmp.Diff(tc.want, checked(s, decoded(t, tc.value))); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

// doubling is a schema that applies to one value in 2^n ways.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/0","$defs":{`)
	for i := range n {
		fmt.Fprintf(&b, `"%d":{"allOf":[{"$ref":"#/$defs/%d"},{"$ref":"#/$defs/%d"}]},`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `"%d":{}}}`, n)
	return b.String()
}

func TestNumbersAreComparedAsTheyAreWritten(t *testing.T) {
	for name, tc := range map[string]struct {
		schema, value string
		want          []string
	}{
		"cents":                  {`{"multipleOf":0.01}`, `19.99`, nil},
		"no cents":               {`{"multipleOf":0.01}`, `19.995`, []string{": Invalid value: 19.995: must be a multiple of 0.01"}},
		"beyond 2^53":            {`{"maximum":9007199254740992}`, `9007199254740993`, []string{": Invalid value: 9007199254740993: must be at most 9007199254740992"}},
		"equal but for the last": {`{"const":9007199254740993}`, `9007199254740992`, []string{": Invalid value: 9007199254740992: must be 9007199254740993"}},
		"whole, with a point":    {`{"type":"integer"}`, `3.0`, nil},
		"a number of a gigabyte": {`{"minimum":1,"type":"integer"}`, `1e999999999`, nil},
		"as small as that":       {`{"exclusiveMinimum":0}`, `1e-999999999`, []string{": Invalid value: 0: must be greater than 0"}},
		"a third":                {`{"minimum":0.333}`, `0.3`, []string{": Invalid value: 0.3: must be at least 0.333"}},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := Decode([]byte(tc.value))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, checked(New(json.RawMessage(tc.schema)), value)); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFieldsThatAreRequiredGetTheirDefault(t *testing.T) {
	for name, tc := range map[string]struct {
		schema, value, want string
		added               []string
	}{
		"required, with a default":  {`{"required":["a","b","c"],"properties":{"a":{"default":"png"},"b":{"default":false},"c":{}}}`, `{}`, `{"a":"png","b":false}`, []string{".a", ".b"}},
		"not required":              {`{"properties":{"a":{"default":1}}}`, `{}`, `{}`, nil},
		"set already, to null even": {`{"required":["a"],"properties":{"a":{"default":1}}}`, `{"a":null}`, `{"a":null}`, nil},
		"within a field":            {`{"properties":{"o":{"required":["a"],"properties":{"a":{"default":1}}}}}`, `{"o":{}}`, `{"o":{"a":1}}`, []string{".o.a"}},
		"within a default":          {`{"required":["o"],"properties":{"o":{"default":{},"required":["a"],"properties":{"a":{"default":1}}}}}`, `{}`, `{"o":{"a":1}}`, []string{".o", ".o.a"}},
		"by reference":              {`{"$ref":"#/$defs/r","$defs":{"r":{"allOf":[{"required":["a"],"properties":{"a":{"$ref":"#/$defs/d"}}}]},"d":{"default":9007199254740993}}}`, `{}`, `{"a":9007199254740993}`, []string{".a"}},
		"it goes down without end":  {`{"required":["a"],"properties":{"a":{"$ref":"#"}},"default":{}}`, `{}`, "", nil},
		"it goes round":             {`{"allOf":[{"$ref":"#"}],"required":["a"],"properties":{"a":{"default":1}}}`, `{}`, `{}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := Decode([]byte(tc.value))
			if err != nil {
				t.Fatal(err)
			}
			object, _ := value.(map[string]any)
			var added []string
			for _, f := range New(json.RawMessage(tc.schema)).Fill(object) {
				added = append(added, Fields(f.Path))
			}
			if tc.want == "" {
				return // it has an end
			}
			if got := display.Compact(object); got != tc.want {
				t.Errorf("value %s, want %s", got, tc.want)
			}
			if diff := cmp.Diff(tc.added, added); diff != "" {
				t.Errorf("added (-want +got):\n%s", diff)
			}
		})
	}
}

func TestArgumentsAreAnObject(t *testing.T) {
	for schema, unchecked := range map[string]int{`{"type":"object"}`: 0, `{"type":["object","null"]}`: 0, `{}`: 0, `true`: 0, `null`: 0, `{"type":"string"}`: 1, `{"type":[]}`: 1, `"x"`: 1} {
		s := ForArguments(json.RawMessage(schema))
		if len(s.Unchecked) != unchecked || s.Check(map[string]any{"a": 1.0}) != nil {
			t.Errorf("%s: unchecked %q, %v", schema, s.Unchecked, s.Check(map[string]any{"a": 1.0}))
		}
	}
}

// FuzzSchema: no schema of a server and no value of a job brings the process down.
func FuzzSchema(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["b"]}`, `{"a":{"a":1}}`)
	f.Add(`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#"},{"type":"null"}]}}}`, `[1]`)
	f.Add(`{"if":true,"then":false,"uniqueItems":true,"items":[{},{}],"dependencies":{"a":["b"]}}`, `[{},{}]`)
	f.Add(`{"enum":[1.5,null],"const":{},"multipleOf":0,"contains":false,"minContains":0}`, `1e300`)
	f.Fuzz(func(t *testing.T, schema, value string) {
		var s, v any
		if json.Unmarshal([]byte(schema), &s) != nil || json.Unmarshal([]byte(value), &v) != nil {
			return
		}
		prepared := New(s)
		if object, ok := v.(map[string]any); ok {
			prepared.Fill(object)
		}
		prepared.Check(v)
	})
}
