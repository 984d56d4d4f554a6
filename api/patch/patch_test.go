package patch

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

const object = `{"metadata":{"name":"x","labels":{"team":"web","old":"1"}},"spec":{"priority":1.0,"list":["a","b"],"html":"<&>"}}`

func TestPatches(t *testing.T) {
	for name, test := range map[string]struct {
		parse      func([]byte) (Patch, error)
		patch      string
		want       string
		wrong      string // what the error says
		wrongApply string // what Apply's error says
	}{
		"a merge sets, removes and keeps": {
			parse: Merge, patch: `{"metadata":{"labels":{"old":null,"new":"2"}},"spec":{"list":["c"],"deep":{"er":{"x":null,"y":1}}}}`,
			want: `{"metadata":{"labels":{"new":"2","team":"web"},"name":"x"},"spec":{"deep":{"er":{"y":1}},"html":"<&>","list":["c"],"priority":1.0}}`,
		},
		"a merge of something else": {parse: Merge, patch: `[]`, wrong: "must be an object"},
		"a merge with a tail":       {parse: Merge, patch: `{} {}`, wrong: "more after its end"},
		"a merge that is cut off":   {parse: Merge, patch: `{"a":`, wrong: "no JSON merge patch"},
		"a merge that is too deep":  {parse: Merge, patch: strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1), wrong: "levels deep"},
		"brackets in a string":      {parse: Merge, patch: `{"a":"` + strings.Repeat(`[\"`, 500) + `"}`, want: `"a":"[`},
		"a merge that is too large": {parse: Merge, patch: `{"a":"` + strings.Repeat("x", maxResult) + `"}`, wrongApply: "too large"},
		"operations in order": {
			parse: JSON, patch: `[{"op":"test","path":"/metadata/name","value":"x"},{"op":"copy","from":"/spec/list","path":"/spec/more"},{"op":"add","path":"/spec/more/-","value":"c"},{"op":"remove","path":"/spec/list"}]`,
			want: `"more":["a","b","c"]`,
		},
		"an operation that fails after a copy": {parse: JSON, patch: `[{"op":"copy","from":"/spec/list","path":"/spec/more"},{"op":"test","path":"/metadata/name","value":"y"}]`, wrongApply: "test"},
		"an operation that is none":            {parse: JSON, patch: `[{"op":"frob","path":"/x"}]`, wrong: "frob"},
		"an operation without its value":       {parse: JSON, patch: `[{"op":"replace","path":""}]`, wrong: "replace needs value"},
		"an operation without its path":        {parse: JSON, patch: `[{"op":"remove"}]`, wrong: "remove needs path"},
		"a path that is null":                  {parse: JSON, patch: `[{"op":"remove","path":null}]`, wrong: "remove needs path"},
		"a path that is a number":              {parse: JSON, patch: `[{"op":"remove","path":1}]`, wrong: "no JSON pointer"},
		"a copy from nowhere":                  {parse: JSON, patch: `[{"op":"copy","path":"/x"}]`, wrong: "copy needs from"},
		"no array":                             {parse: JSON, patch: `{}`, wrong: "no JSON patch"},
		"too many operations":                  {parse: JSON, patch: `[` + strings.Repeat(`{"op":"remove","path":"/x"},`, maxOperations) + `{"op":"remove","path":"/x"}]`, wrong: "1001 operations"},
		"too many copies":                      {parse: JSON, patch: `[` + strings.Repeat(`{"op":"copy","from":"/spec","path":"/spec/x"},`, maxCopies) + `{"op":"copy","from":"/spec","path":"/spec/x"}]`, wrong: "copy operations"},
		"a path that is too deep":              {parse: JSON, patch: `[{"op":"add","path":"` + strings.Repeat("/a", maxDepth+1) + `","value":1}]`, wrong: "levels deep"},
		"a source that is too deep":            {parse: JSON, patch: `[{"op":"move","from":"` + strings.Repeat("/a", maxDepth+1) + `","path":"/b"}]`, wrong: "levels deep"},
		"a value that is too deep":             {parse: JSON, patch: `[{"op":"add","path":"/a","value":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}]`, wrong: "levels deep"},
	} {
		t.Run(name, func(t *testing.T) {
			patch, err := test.parse([]byte(test.patch))
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("error is %v, want %q", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := patch.Apply([]byte(object))
			if test.wrongApply != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrongApply) {
					t.Errorf("error is %v, want %q", err, test.wrongApply)
				}
				return
			}
			if err != nil || !strings.Contains(string(got), test.want) {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
		})
	}
}

// TestCopiesThatDoubleAreStopped: a kilobyte of copies is refused once it has made more than
// an object may be, and what it has made until then is bounded too.
func TestCopiesThatDoubleAreStopped(t *testing.T) {
	var operations []string
	for range maxCopies {
		operations = append(operations, `{"op":"copy","from":"/spec/list","path":"/spec/list/-"}`)
	}
	patch, err := JSON([]byte("[" + strings.Join(operations, ",") + "]"))
	if err != nil {
		t.Fatal(err)
	}
	document := []byte(`{"spec":{"list":["` + strings.Repeat("x", 1000) + `"]}}`)
	if got, err := patch.Apply(document); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	reached := 0
	for _, step := range patch.(steps) {
		if len(step) == 0 || len(document) > maxResult {
			break
		}
		if document, err = step.Apply(document); err != nil {
			t.Fatal(err)
		}
		reached = len(document)
	}
	if reached > 2*maxResult+1000 {
		t.Errorf("the patch has made %d bytes before it was stopped", reached)
	}
}

// FuzzMerge compares with the library's merge, and FuzzJSON asks that no patch makes more
// than an object may be.
func FuzzMerge(f *testing.F) {
	for _, patch := range []string{`{}`, `{"spec":null}`, `{"metadata":{"labels":{"a":{"b":null}}}}`, `{"spec":{"priority":1e400}}`, `{"a":[{"b":null}]}`} {
		f.Add(patch)
	}
	f.Fuzz(func(t *testing.T, text string) {
		patch, err := Merge([]byte(text))
		if err != nil {
			return
		}
		got, err := patch.Apply([]byte(object))
		if err != nil {
			t.Fatal(err)
		}
		want, err := jsonpatch.MergePatch([]byte(object), []byte(text))
		if err != nil {
			return // it reads names that are there twice in another way
		}
		mine, err1 := decode(got)
		theirs, err2 := decode(want)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(mine, theirs) && !strings.Contains(text, "null") { // of which it keeps some within what is new
			t.Errorf("%s makes %s, the library %s", text, got, want)
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add(`[{"op":"copy","from":"/spec","path":"/spec/x"},{"op":"move","from":"/spec/x","path":"/y"}]`)
	f.Add(fmt.Sprintf(`[{"op":"add","path":"/spec/list/%d","value":1}]`, 1<<40))
	f.Add(`[{"op":"replace","path":"","value":null},{"op":"test","path":"/a~1b","value":{}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		patch, err := JSON([]byte(text))
		if err != nil {
			return
		}
		if got, err := patch.Apply([]byte(object)); err == nil && len(got) > maxResult {
			t.Errorf("%d bytes", len(got))
		}
	})
}
