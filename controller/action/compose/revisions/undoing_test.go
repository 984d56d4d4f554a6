package revisions_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
)

// TestARollbackUnderWayIsFoundByItsAttempt until it has ended; a record that cannot be read
// is none.
func TestARollbackUnderWayIsFoundByItsAttempt(t *testing.T) {
	s, dir := open(t, 2)
	u := revisions.Undoing{
		Project: "shop", Attempt: "a-1", Revision: 4, Services: []string{"web"}, Remove: []string{"more"},
		Since: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), Drain: time.Second,
		Outcome: action.Outcome{Verdict: action.Failed, Reason: "ContainerFailed", Message: "service web: ended", Facts: action.Facts(nil).With(v1.FactExitCode, 3)},
	}
	if err := s.BeginUndo(u); err != nil {
		t.Fatal(err)
	}
	got, err := s.UndoingBy("a-1")
	if diff := cmp.Diff(u, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := s.UndoingBy("a-2"); !errors.Is(err, revisions.ErrNotFound) {
		t.Errorf("another attempt's: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".undoing", "shop.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UndoingBy("a-1"); !errors.Is(err, revisions.ErrNotFound) {
		t.Errorf("a damaged record: %v", err)
	}
	for range 2 {
		if err := s.EndUndo("shop"); err != nil {
			t.Error(err)
		}
	}
	u.Project = "../escape"
	if err := s.BeginUndo(u); err == nil {
		t.Error("a project outside the folder was taken")
	}
}

// A rollback of another project may end while the folder is read.
func TestARollbackThatEndsMeanwhileHidesNoOther(t *testing.T) {
	dir := t.TempDir()
	s, err := revisions.Open(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.BeginUndo(revisions.Undoing{Project: "shop", Attempt: "a-1", Revision: 2}); err != nil {
		t.Fatal(err)
	}
	// Listed, and not there when it is opened.
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, ".undoing", "blog.json")); err != nil {
		t.Fatal(err)
	}
	if u, err := s.UndoingBy("a-1"); err != nil || u.Project != "shop" {
		t.Errorf("%+v, %v", u, err)
	}
}
