package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheGeneratedCodeIsCurrent generates it anew from the types.
func TestTheGeneratedCodeIsCurrent(t *testing.T) {
	loaded, err := load("../..")
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(loaded)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../" + output)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("api/v1/%s is not what its types give; run make generate", output)
	}
}

// TestWhatCannotBeGenerated: a field that would be encoded otherwise than encoding/json
// does is refused.
func TestWhatCannotBeGenerated(t *testing.T) {
	for name, tc := range map[string]struct{ fields, refused string }{
		"a field without a name":             {"Text string", "Text has no name in JSON"},
		"an option that is not known":        {"Text string `json:\"text,string\"`", "text: the option string is not known"},
		"a name twice":                       {"A string `json:\"a\"`\nB string `json:\"a\"`", "two fields are called a"},
		"omitzero of what is not compared":   {"A struct{ B []int } `json:\"a,omitzero\"`", "a: omitzero of a struct that cannot be compared"},
		"an array":                           {"A [2]int `json:\"a,omitempty\"`", "a: [2]int is not known"},
		"an embedded map":                    {"Labels", "Labels: only structs can be embedded"},
		"more fields than can be told apart": {manyFields(maxFields + 1), "Spec has more than 64 fields"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			code := `package made

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

type Labels map[string]string

// Thing is made up.
//
// ` + rootMarker + `
type Thing struct {
	metav1.ObjectMeta ` + "`json:\"metadata\"`" + `
	Spec   Spec   ` + "`json:\"spec\"`" + `
	Status Status ` + "`json:\"status\"`" + `
}

type Status struct{}

type Spec struct {
` + tc.fields + `
}
`
			if err := os.WriteFile(filepath.Join(dir, "made.go"), []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			loaded, err := load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := generate(loaded); err == nil || !strings.Contains(err.Error(), tc.refused) {
				t.Errorf("error %v, want %q", err, tc.refused)
			}
		})
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "F%d int `json:\"f%d\"`\n", i, i)
	}
	return b.String()
}
