package strict_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
)

// sample has a field of every sort.
type sample struct {
	metav1.TypeMeta `json:",inline"`
	Text            string            `json:"text,omitempty"`
	Flag            bool              `json:"flag,omitempty"`
	Count           int32             `json:"count,omitempty"`
	Size            *uint8            `json:"size,omitempty"`
	Factor          float64           `json:"factor,omitempty"`
	At              *metav1.MicroTime `json:"at,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	List            []string          `json:"list,omitempty"`
	Free            v1.JSON           `json:"free,omitzero"`
	Any             any               `json:"any,omitempty"`
	Inner           []*inner          `json:"inner,omitempty"`
	Bytes           []byte            `json:"bytes,omitempty"`
}

type inner struct {
	Name string `json:"name,omitempty"`
}

// TestFreeFieldsLoseNothing reads values where any is taken.
func TestFreeFieldsLoseNothing(t *testing.T) {
	tests := map[string]struct{ text, json, refused string }{
		"a number as it is written":              {text: "12345678901234567890", json: "12345678901234567890"},
		"a version that looks like a number":     {text: "1.10", json: "1.10"},
		"a number with an exponent":              {text: "1e3", json: "1e3"},
		"a negative zero":                        {text: "-0.0", json: "-0.0"},
		"a date is text":                         {text: "2026-12-01", json: `"2026-12-01"`},
		"a time is text":                         {text: "2026-12-01T08:00:00Z", json: `"2026-12-01T08:00:00Z"`},
		"what YAML 1.1 reads to base 60 is text": {text: "12:30:00", json: `"12:30:00"`},
		"a word":                                 {text: "word", json: `"word"`},
		"a quoted word that looks like another":  {text: `"no"`, json: `"no"`},
		"a quoted number":                        {text: "'0123'", json: `"0123"`},
		"text by its tag":                        {text: "!!str 0123", json: `"0123"`},
		"text by the tag that is not specific":   {text: "! 12", json: `"12"`},
		"null in its spellings":                  {text: "[null, ~, Null, NULL, ]", json: "[null,null,null,null]"},
		"true and false in their spellings":      {text: "[true, False, TRUE]", json: "[true,false,true]"},
		"a block of text with CRLF":              {text: "|\r\n  a\r\n  b\r\n", json: `"a\nb\n"`},
		"an alias":                               {text: "[&a {x: 1}, *a]", json: `[{"x":1},{"x":1}]`},
		"a merge key":                            {text: "[&a {x: 1, y1: 2}, {<<: *a, x: 3}]", json: `[{"x":1,"y1":2},{"x":3,"y1":2}]`},
		"merge keys of several maps":             {text: "[&a {x: 1}, &b {x: 2, z: 3}, {<<: [*a, *b]}]", json: `[{"x":1},{"x":2,"z":3},{"x":1,"z":3}]`},
		"no":                                     {text: "no", refused: `free: no is false to some YAML readers and text to others: write false, or quote it: "no"`},
		"On":                                     {text: "On", refused: `free: On is true to some YAML readers and text to others: write true, or quote it: "On"`},
		"y within a list":                        {text: "[a, y]", refused: `free[1]: y is true to some`},
		"leading zeros":                          {text: "0123", refused: "free: 0123 is octal to some YAML readers and decimal to others"},
		"underscores in a number":                {text: "1_000", refused: "free: 1_000 is a number to YAML, and JSON does not write numbers so"},
		"a hexadecimal number":                   {text: "0x1F", refused: "free: 0x1F is a number to YAML"},
		"a binary number":                        {text: "0b11", refused: "free: 0b11 is a number to YAML"},
		"a telephone number":                     {text: "+4930901820", refused: "free: +4930901820 is a number to YAML"},
		"a number without a digit at its start":  {text: ".5", refused: "free: .5 is a number to YAML"},
		"infinity":                               {text: "-.inf", refused: "free: -.inf is a number that JSON does not have"},
		"a number of too many digits":            {text: strings.Repeat("9", 2000), refused: "free: a number of 2000 characters"},
		"the key n":                              {text: "{n: 2}", refused: `free: the key n is false to some YAML readers, not text: quote it: "n"`},
		"the key 1":                              {text: "{1: a}", refused: `free: the key 1 is a number in YAML, not text: quote it: "1"`},
		"the key 0x1F":                           {text: "{0x1F: a}", refused: `free: the key 0x1F is a number in YAML, not text: quote it: "0x1F"`},
		"the key true":                           {text: "{true: a}", refused: `free: the key true is a boolean in YAML, not text: quote it: "true"`},
		"the key ~":                              {text: "{~: a}", refused: `free: the key ~ is null in YAML, not text: quote it: "~"`},
		"no key at all":                          {text: "{: a}", refused: "free: a key is missing before the colon"},
		"a list as a key":                        {text: "{? [a] : b}", refused: "free: a key must be text, not a list"},
		"a key by an alias that is a number":     {text: "[&a 1, {*a : b}]", refused: "free[1]: the key 1 is a number in YAML"},
		"a key twice":                            {text: "{a: 1, a: 2}", refused: `free: the key "a" is there twice`},
		"a key twice, quoted and not":            {text: `{a: 1, "a": 2}`, refused: `free: the key "a" is there twice`},
		"binary data":                            {text: "!!binary aGk=", refused: "free: the tag !!binary is not supported: write the base64 text itself, quoted"},
		"a tag of somebody's own":                {text: "!Ref x", refused: "free: the tag !Ref is not supported: leave it out"},
		"a tag on a map":                         {text: "!!set {a: 1}", refused: "free: the tag !!set is not supported"},
		"a tag that does not fit":                {text: "!!int abc", refused: `free: the tag !!int does not fit "abc"`},
		"an alias within what it names":          {text: "&a [*a]", refused: "free[0]: the alias *a stands within what it names"},
		"a merge key of a word":                  {text: "{<<: a}", refused: "free: a merge key (<<) takes a map or a list of maps, not a string"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var into sample
			err := strict.Unmarshal([]byte("free: "+tt.text), &into)
			check(t, err, tt.refused)
			if tt.refused == "" {
				if diff := cmp.Diff(tt.json, string(into.Free.Raw)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestTypedFields reads values into fields that have a type.
func TestTypedFields(t *testing.T) {
	size := uint8(7)
	tests := map[string]struct {
		text, refused string
		want          sample
	}{
		"all of them in YAML": {
			text: "kind: Sample\ntext: a\nflag: yes\ncount: -3\nsize: 7\nfactor: 1.5\nlabels: {a: b}\nlist: [a, b]\ninner:\n- name: x\nbytes: aGk=\n",
			want: sample{TypeMeta: metav1.TypeMeta{Kind: "Sample"}, Text: "a", Flag: true, Count: -3, Size: &size, Factor: 1.5, Labels: map[string]string{"a": "b"}, List: []string{"a", "b"}, Inner: []*inner{{"x"}}, Bytes: []byte("hi")},
		},
		"the same in JSON with a byte order mark, tabs and CRLF": {
			text: "\ufeff{\r\n\t\"kind\": \"Sample\", \"flag\": true, \"count\": -3}\r\n",
			want: sample{TypeMeta: metav1.TypeMeta{Kind: "Sample"}, Flag: true, Count: -3},
		},
		"an emoji escaped as only JSON does":  {text: `{"text": "\ud83d\ude00"}`, want: sample{Text: "😀"}},
		"null leaves a field unset":           {text: "text: ~\nlabels:\ncount: null\n", want: sample{}},
		"YAML in flow style":                  {text: "{text: a, count: 1}", want: sample{Text: "a", Count: 1}},
		"a number as text":                    {text: "text: 1.10", refused: `text: must be a string, not a number: quote it: "1.10"`},
		"a boolean as a label":                {text: "labels: {a: true}", refused: `labels.a: must be a string, not a boolean: quote it: "true"`},
		"no as a label":                       {text: "labels: {a: no}", refused: `labels.a: no is false to some YAML readers and text to others`},
		"a label with a prefix":               {text: "labels: {a.b/c: 1}", refused: `labels[a.b/c]: must be a string`},
		"text as a boolean":                   {text: "flag: maybe", refused: "flag: must be true or false, not a string"},
		"text as a number":                    {text: `count: "3"`, refused: "count: must be a whole number, not a string"},
		"a number that does not fit":          {text: "count: 2147483648", refused: "count: must be a whole number from -2147483648 to 2147483647, not 2147483648"},
		"a negative size":                     {text: "size: -1", refused: "size: must be a whole number from 0 to 255, not -1"},
		"a fraction as a whole number":        {text: "count: 1.5", refused: "count: must be a whole number, not 1.5"},
		"a float beyond all floats":           {text: "factor: 1e999", refused: "factor: must be a number of at most 1.79769"},
		"a map as a list":                     {text: "list: {a: b}", refused: "list: must be a list, not a map"},
		"a word as a list":                    {text: "list: no", refused: "list: must be a list"},
		"a list as a map":                     {text: "labels: [a]", refused: "labels: must be a map, not a list"},
		"a word as an object of a list":       {text: "inner: [x]", refused: "inner[0]: must be a map, not a string"},
		"a time that is none":                 {text: "at: tomorrow", refused: "at: must be a time as RFC 3339 writes it"},
		"bytes that are not base64":           {text: "bytes: '%'", refused: "bytes: must be a string in base64"},
		"a field in other case":               {text: "KIND: Sample", refused: `unknown field "KIND": write "kind"`},
		"a field with a dash":                 {text: "inner: [{na-me: x}]", refused: `unknown field "inner[0].na-me": write "name"`},
		"a document that is a list":           {text: "[]", refused: "must be a map, not a list"},
		"two documents":                       {text: "text: a\n---\ntext: b", refused: "line 3: a second document begins here"},
		"two JSON values":                     {text: `{"text":"a"} {"text":"b"}`, refused: "a second document begins here"},
		"no UTF-8":                            {text: "text: a\nlist: [\"\xff\"]", refused: "line 2: the text is not UTF-8: byte 0xff"},
		"UTF-16":                              {text: "\xff\xfet\x00", refused: "the text is not UTF-8"},
		"half a surrogate":                    {text: `{"text": "\ud800"}`, refused: "text: has half a surrogate pair"},
		"a pair the wrong way round":          {text: `{"text": "\\\udc00\ud800"}`, refused: "text: has half a surrogate pair"},
		"half a surrogate in a key":           {text: `{"labels": {"\udc00": "a"}}`, refused: "labels: the key"},
		"half a surrogate where any is taken": {text: `{"free": {"a":"\ud83d"}}`, want: sample{Free: v1.JSON{Raw: []byte(`{"a":"\ud83d"}`)}}},
		"a backslash before a u":              {text: `{"text": "\\ud800"}`, want: sample{Text: `\ud800`}},
		"a NUL":                               {text: "text: a\x00b", refused: "this is no YAML: control characters are not allowed"},
		"a tab that indents":                  {text: "inner:\n\t- name: x", refused: "line 2: this is no YAML: found character that cannot start any token"},
		"JSON that breaks off":                {text: `{"text": "a",`, refused: "this is no JSON: the text ends too soon"},
		"JSON with a comma too many":          {text: "{\n\"text\": \"a\",\n\"x\" 1}", refused: "line 3: this is no JSON: "},
		"text with a colon that is unquoted":  {text: "text: a: b", refused: "mapping values are not allowed in this context; text with a colon and a space has to be quoted"},
		"an unknown anchor":                   {text: "text: *a", refused: "unknown anchor 'a' referenced"},
		"a member twice in JSON":              {text: "{\"text\": \"a\",\n\"free\": {\"b\": 1, \"b\": 2},\n\"text\": \"c\"}", refused: "line 2: free: the key \"b\" is there twice; the first is on line 2\nline 3: the key \"text\" is there twice; the first is on line 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var into sample
			err := strict.Unmarshal([]byte(tt.text), &into)
			check(t, err, tt.refused)
			if diff := cmp.Diff(tt.want, into); tt.refused == "" && diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAllProblemsAtOnce also shows that what has no problem is decoded.
func TestAllProblemsAtOnce(t *testing.T) {
	const text = `text: kept
labels:
  a: 1
  n: x
count: many
inner:
- name: y1
  nome: z
- 5
free: {on: 1, deep: [no]}
`
	const want = `line 3: labels.a: must be a string, not a number: quote it: "1"
line 4: labels: the key n is false to some YAML readers, not text: quote it: "n"
line 5: count: must be a whole number, not a string
line 8: unknown field "inner[0].nome": did you mean "name"?
line 9: inner[1]: must be a map, not a number
line 10: free: the key on is true to some YAML readers, not text: quote it: "on"
line 10: free.deep[0]: no is false to some YAML readers and text to others: write false, or quote it: "no"`
	var into sample
	err := strict.Unmarshal([]byte(text), &into)
	if err == nil {
		t.Fatal("nothing was refused")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sample{Text: "kept", Labels: map[string]string{}, Inner: []*inner{{Name: "y1"}, nil}}, into); diff != "" {
		t.Error(diff)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var into sample
	err := strict.Unmarshal([]byte("labels: {"+strings.Repeat("? {}\n ,", 500)+"}"), &into)
	if err == nil || !strings.HasSuffix(err.Error(), "and 400 more problems") {
		t.Errorf("the problems end with %v", err)
	}
}

// TestObject also shows that an unknown field hides no error of validation.
func TestObject(t *testing.T) {
	documents, err := strict.Documents([]byte(`# a comment alone
---
apiVersion: jobwright.dev/v1
kind: Job
metadata: {name: a, namespace: acme}
spec:
  bogus: 1
  build: {action: ""}
  priority: 5000
`))
	if err != nil || len(documents) != 1 {
		t.Fatalf("%d documents, %v", len(documents), err)
	}
	obj, err := documents[0].Object(v1.Kinds())
	if err == nil {
		t.Fatal("nothing was refused")
	}
	const want = `line 7: unknown field "spec.bogus"
line 8: spec.build.action: Required value: name the tool to call
line 9: spec.priority: Invalid value: 5000: must be between -1000 and 1000`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if obj.GetName() != "a" {
		t.Errorf("the object is called %q", obj.GetName())
	}
}

// check compares an error with the beginning, or a part, of what is wanted.
func check(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Fatal(err)
	case want != "" && err == nil:
		t.Fatalf("was taken; it should be refused with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("refused with\n%v\nwant\n%s", err, want)
	}
}
