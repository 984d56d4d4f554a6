package jsonpath_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"jobwright.dev/controller/action/jsonpath"
)

const body = `{"id":9007199254740993,"price":0.10,"big":12345678901234567890.12,"nothing":null,"ok":true,"name":"a.b",
"items":[{"n":"x","v":1},{"n":"y","v":2.5},{"n":"z"},{"n":"w","v":9007199254740993}],"a.b":{"c":[[1,2],[3]]},"empty":[]}`

func TestPaths(t *testing.T) {
	value, err := jsonpath.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"id": "[9007199254740993]", ".id": "[9007199254740993]", "$.id": "[9007199254740993]", "{.id}": "[9007199254740993]", "{$.id}": "[9007199254740993]",
		".price": "[0.10]", ".big": "[12345678901234567890.12]", ".nothing": "[null]", ".ok": "[true]",
		".items[0].n": `["x"]`, ".items[-1].n": `["w"]`, ".items[1:3].n": `["y","z"]`, ".items[::2].n": `["x","z"]`, ".items[2:].n": `["z","w"]`, ".items[:-3].n": `["x"]`,
		".items[*].v": "[1,2.5,9007199254740993]", "..v": "[1,2.5,9007199254740993]", `.a\.b.c[0][1]`: "[2]", `['a\.b'].c[1][0]`: "[3]", ".items[0].*": `["x",1]`,
		`.items[?(@.n=="y")].v`: "[2.5]", `.items[?(@.v>1)].n`: `["y","w"]`, `.items[?(@.v==9007199254740993)].n`: `["w"]`, `.items[?(@.v==1.0)].n`: `["x"]`,
		`.items[?(@.v)].n`: `["x","y","w"]`, `.items[?(@.n!="x")].n`: `["y","z","w"]`, `.items[?(@.v<=2.5)].n`: `["x","y"]`, `.items[?(@.n>="y")].n`: `["y","z"]`,
		".items[?(@.v==9007199254740992)].n": "no element of a list fits the filter", `.items[?(@.v<"a")].n`: "no element of a list fits the filter",
		".none": `there is no "none"`, ".id.x": `there is no "x"`, ".items[9]": "no list with such an index", ".items[-9]": "no list with such an index",
		".id[0]": "no list with such an index", ".empty[*]": "no list with such an index", ".name.*": "there is nothing in it", ".nothing.x": `there is no "x"`, ".items[0:1:0]": "no list with such an index",
		".items[0:9:9223372036854775807].n": `["x"]`,
	} {
		p, err := jsonpath.Parse(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		found, err := p.Find(value)
		if !strings.HasPrefix(want, "[") {
			if !errors.Is(err, jsonpath.ErrNowhere) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, %v; want nowhere: %s", path, found, err, want)
			}
			continue
		}
		if text, encodeErr := json.Marshal(found); err != nil || encodeErr != nil || string(text) != want {
			t.Errorf("%s: %s, %v; want %s", path, text, err, want)
		}
	}
}

func TestPathsThatAreRefused(t *testing.T) {
	for path, want := range map[string]string{
		"{.a": "unclosed", "{.a}{.b}": "one expression", "{.a}b": "one expression", "a{.b}": "unrecognized", "..a..b": "once only", "..a[?(@..b)]": "once only",
		"{range .a[*]}": "range is not supported", "{end}": "end is not supported", ".a[0,1]": "use several paths", ".a['b','c']": "use several paths",
		"{5}": "must lead somewhere", `{"a"}`: "must lead somewhere", ".a[?(@.b==12345678901234567890)]": "more digits", ".a[?(@.b<0.12345678901234567)]": "more digits",
		".a[?(@.b=1)]": "operator", ".a[?(@.b[?(@.c)])]": "", ".a[x]": "invalid array index", `.a[?(@.b=="x)]`: "unterminated", ".a[1": "unterminated",
	} {
		if _, err := jsonpath.Parse(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

func TestNumbersAreEqualWhenTheyAreTheSameNumber(t *testing.T) {
	equal := [][]string{
		{"1", "1.0", "1e0", "10e-1", "0.1E1", "100E-2"},
		{"0", "-0", "0.0", "0e9", "-0.000e-7"},
		{"9007199254740993", "9007199254740993.0", "9.007199254740993e15"},
		{"9007199254740992"},
		{"-1", "-1.00"},
		{"0.1", "1e-1", "0.10"},
		{"0.1000000000000000055"},
		{"1e999999999"},
		{"1e1000000000"},
		{"1e99999999999"},
		{`"1"`},
		{"true"},
		{"false"},
		{"null"},
		{"[1]", "[1.0]"},
		{"[1,2]", "[1, 2.0]"},
		{`{"a":1}`, `{"a":1e0}`},
		{`{"a":2}`},
		{`{"b":1}`},
		{"[]"},
		{"{}"},
	}
	decode := func(text string) any {
		value, err := jsonpath.Decode([]byte(text))
		if err != nil {
			t.Fatal(text, err)
		}
		return value
	}
	for i, group := range equal {
		for j, other := range equal {
			for _, a := range group {
				for _, b := range other {
					if got := jsonpath.Equal(decode(a), decode(b)); got != (i == j) {
						t.Errorf("%s and %s: equal %v", a, b, got)
					}
				}
			}
		}
	}
}

func TestBodiesThatAreNotOneValue(t *testing.T) {
	for text, want := range map[string]string{
		"": "it is empty", " \n": "it is empty", "\ufeff": "it is empty", `{"a":1`: "ends in the middle", "{\"a\":1}\n{\"a\":2}\n": "several values one after another, the second at byte",
		`{"a":1} x`: "there is more, at byte", "<html>": "invalid character '<'", `{"status":"pending","status":"ok"}`: `the member "status" comes twice, so`,
		`{"x":{"a":1,"a":1}}`: `the member "a" comes twice in "x"`, strings.Repeat("[", 1100): "nested deeper than 1000 levels", `{"a":01}`: "invalid character", `[1,]`: "invalid character",
		"nul": "ends in the middle",
	} {
		if value, err := jsonpath.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, %v; want %q", text, value, err, want)
		}
	}
	if value, err := jsonpath.Decode([]byte("\ufeff{\"ok\":true}\n")); err != nil || !jsonpath.Equal(value, map[string]any{"ok": true}) {
		t.Errorf("with a byte order mark: %v, %v", value, err)
	}
}

func FuzzFind(f *testing.F) {
	for _, path := range []string{".items[?(@.v>1)].n", "..v", `['a\.b'].c[-1:0:2]`, "{.items[*].v}", `{.a}{"b"}`, "[?(@.x=='", "{range .a}{end}"} {
		f.Add(path, body)
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		value, err := jsonpath.Decode([]byte(text))
		if err == nil {
			if !jsonpath.Equal(value, value) && !strings.ContainsAny(text, "eE") {
				t.Errorf("%s is not equal to itself", text)
			}
			if _, err := json.Marshal(value); err != nil {
				t.Errorf("%s was decoded and cannot be encoded: %v", text, err)
			}
		}
		p, err := jsonpath.Parse(path)
		if err != nil {
			return
		}
		if found, err := p.Find(value); err == nil && len(found) == 0 {
			t.Errorf("%s found nothing and does not say so", path)
		}
	})
}
