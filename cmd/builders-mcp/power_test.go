package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"jobwright.dev/store/vfs/vfstest"
)

// beWriter makes the test's binary a program that applies a builder below the named
// folder.
const beWriter = "BUILDERS_MCP_BE_WRITER"

// powerBuilder is the builder that beWriter applies.
func powerBuilder() applyInput { return applyInput{ID: "quota-check-lib"} }

func applyAsProgram(dir string) int {
	root, err := os.OpenRoot(dir)
	if err == nil {
		defer root.Close()
		err = apply(context.Background(), root, powerBuilder(), silent)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestAPowerCutAfterABuilderTakesNothingBack has a builder write on a disk that forgets
// what was not synced, and cuts the power when the builder has said that it is done.
func TestAPowerCutAfterABuilderTakesNothingBack(t *testing.T) {
	plan, err := newPlan(openRoot(t, t.TempDir()), powerBuilder())
	if err != nil {
		t.Fatal(err)
	}
	dir, disk := t.TempDir(), vfstest.NewDisk()
	unmount := vfstest.Mount(t, disk, dir)
	defer unmount()
	writer := command(t)
	writer.Env = append(os.Environ(), beWriter+"="+dir)
	if out, err := writer.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	after := disk.AfterCrash(vfstest.Lose, nil)
	if len(plan.steps) == 0 {
		t.Fatal("the builder writes nothing")
	}
	for _, s := range plan.steps {
		name := filepath.Join("/", s.path)
		if !slices.Contains(after.Files(), name) {
			t.Errorf("%s is lost", name)
		} else if content := after.Content(name); string(content) != string(s.data) {
			t.Errorf("%s has %d bytes, want %d", name, len(content), len(s.data))
		}
	}
}
