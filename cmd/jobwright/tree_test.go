package main_test

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestTreeHasTheseAtItsTop: the top level of the repository is fixed; what is new finds
// its place below. Dot-files are left to their tools, and what git ignores to whoever
// has built it.
func TestTreeHasTheseAtItsTop(t *testing.T) {
	want := []string{"Makefile", "README.md", "api", "cmd", "controller", "go.mod", "go.sum", "manifests", "store", "web"}
	ignored, err := os.ReadFile("../../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	builds := func(name string) bool {
		return slices.ContainsFunc(strings.Fields(string(ignored)), func(pattern string) bool {
			match, err := path.Match(strings.Trim(pattern, "/"), name)
			return err == nil && match
		})
	}
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, ".") && !builds(name) {
			got = append(got, name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the top level has %q, want %q: put it below one of these, or into a dot-file", got, want)
	}
}
