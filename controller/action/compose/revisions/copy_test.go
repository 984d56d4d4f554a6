package revisions_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/controller/action/compose/revisions"
)

func TestACopyHasRevisionsFilesAndOwnersWithTheirRights(t *testing.T) {
	s, dir := open(t, 3)
	path := filepath.Join(t.TempDir(), "app.conf")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	kept := revisions.Hashed(path, false)
	if err := s.KeepFile("shop", kept); err != nil {
		t.Fatal(err)
	}
	want := shop("acme", "1")
	want.Files = []revisions.File{kept}
	add(t, s, want)
	if err := s.Own("down", "other", time.Now()); err != nil { // it has an owner alone
		t.Fatal(err)
	}
	if err := os.Chmod(s.Path("shop", 1), 0o644); err != nil { // as cp without -p leaves it
		t.Fatal(err)
	}

	to := filepath.Join(t.TempDir(), "new", "revisions")
	copied, undo, err := revisions.Copy(dir, to)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(revisions.Copied{Projects: 1, Revisions: 1, Owners: 2}, copied); diff != "" {
		t.Error(diff)
	}
	there, err := revisions.Open(to, 3)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := there.Last("shop"); err != nil || !got.Same(want) {
		t.Errorf("the revision is %+v, %v", got, err)
	}
	if owner, err := there.Owner("down"); err != nil || owner.Workspace != "other" {
		t.Errorf("the owner is %+v, %v", owner, err)
	}
	for path, want := range map[string]fs.FileMode{
		to: 0o700, filepath.Join(to, "shop"): 0o700, there.Path("shop", 1): 0o600, there.KeptPath("shop", kept): 0o644,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s is %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
	if !there.HasFile("shop", kept) {
		t.Error("the kept file is not whole")
	}

	if _, _, err := revisions.Copy(dir, to); err == nil {
		t.Error("a folder that is there was written into")
	}
	if err := undo(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(to)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("undo left %v", err)
	}
}

func TestACopyThatFailsLeavesNothing(t *testing.T) {
	s, dir := open(t, 3)
	add(t, s, shop("acme", "1"))
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "shop", "2.yaml")); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "new", "revisions")
	if _, _, err := revisions.Copy(dir, to); err == nil {
		t.Error("a link was copied")
	}
	if _, err := os.Stat(filepath.Dir(to)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the copy left %v", err)
	}
	if copied, _, err := revisions.Copy(filepath.Join(dir, "none"), to); err != nil || copied != (revisions.Copied{}) {
		t.Errorf("a folder that is missing: %+v, %v", copied, err)
	}
}

func TestProjectsWithoutAnOwnerAreJudgedOnce(t *testing.T) {
	s, _ := open(t, 3)
	add(t, s, shop("acme", "1"))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := s.Own("mine", "acme", now); err != nil {
		t.Fatal(err)
	}
	if judged, err := s.Judged(); err != nil || judged {
		t.Errorf("judged already: %v, %v", judged, err)
	}
	judged, err := s.Judge(map[string]revisions.Owner{
		"shop": {Workspace: "other", Since: now}, "mine": {Workspace: "other", Since: now}, "lost": {Workspace: "third", Since: now},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"lost"}, judged); diff != "" {
		t.Error(diff)
	}
	for project, want := range map[string]string{"shop": "acme", "mine": "acme", "lost": "third"} {
		if owner, err := s.Owner(project); err != nil || owner.Workspace != want {
			t.Errorf("%s is of %+v, %v, want %s", project, owner, err, want)
		}
	}
	if err := s.Forget("lost"); err != nil {
		t.Fatal(err)
	}
	if err := s.MarkJudged(); err != nil {
		t.Fatal(err)
	}
	if judged, err := s.Judged(); err != nil || !judged {
		t.Errorf("not judged after MarkJudged: %v, %v", judged, err)
	}
	if known, err := s.Known(); err != nil || !cmp.Equal(known, []string{"mine", "shop"}) {
		t.Errorf("known are %v, %v", known, err)
	}
}
