package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAWorkerBelongsToItsFolderAndNotToACopy: the copy of a data folder has another worker,
// while the original lies beside it and ever after; a folder that was only moved has not.
func TestAWorkerBelongsToItsFolderAndNotToACopy(t *testing.T) {
	dir := t.TempDir()
	original, moved, copied := filepath.Join(dir, "data"), filepath.Join(dir, "moved"), filepath.Join(dir, "copy")
	if err := os.Mkdir(original, 0o700); err != nil {
		t.Fatal(err)
	}
	identity := func(folder string) (worker, before string) {
		t.Helper()
		worker, before, err := WorkerIdentity(folder)
		if err != nil || worker == "" || strings.Contains(worker, " ") {
			t.Fatalf("%q, %v", worker, err)
		}
		return worker, before
	}
	first, before := identity(original)
	if again, _ := identity(original); again != first || before != "" {
		t.Errorf("the worker is %s, then %s; before a new folder there was %q", first, again, before)
	}
	if err := os.CopyFS(copied, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	second, before := identity(copied)
	if second == first || before != first {
		t.Errorf("the copy's worker is %s, before it %q; the original's is %s", second, before, first)
	}
	if again, before := identity(copied); again != second || before != "" {
		t.Errorf("the copy's worker is %s, then %s; before %q", second, again, before)
	}
	if err := os.Rename(original, moved); err != nil {
		t.Fatal(err)
	}
	if worker, before := identity(moved); worker != first || before != "" {
		t.Errorf("the moved folder's worker is %s, not %s; before %q", worker, first, before)
	}
}

// TestAWorkerOfAnEarlierVersionIsBoundWhereItIsFound: its file has the name alone.
func TestAWorkerOfAnEarlierVersionIsBoundWhereItIsFound(t *testing.T) {
	dir := t.TempDir()
	original, copied := filepath.Join(dir, "data"), filepath.Join(dir, "copy")
	if err := errors.Join(os.Mkdir(original, 0o700), os.WriteFile(filepath.Join(original, workerFile), []byte("host-1234\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if worker, before, err := WorkerIdentity(original); err != nil || worker != "host-1234" || before != "" {
		t.Errorf("%q, before %q, %v", worker, before, err)
	}
	if err := os.CopyFS(copied, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	if worker, before, err := WorkerIdentity(copied); err != nil || worker == "host-1234" || before != "host-1234" {
		t.Errorf("the copy's: %q, before %q, %v", worker, before, err)
	}
}
