package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/storetest"
)

// newStore opens a store in a new folder and returns the folder too.
func newStore(t *testing.T) (*file.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := file.Open(dir, file.Options{MinFree: -1, IdleDelay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, dir
}

func create(t *testing.T, s *file.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := s.Create(t.Context(), benchJob(name)); err != nil {
			t.Fatal(err)
		}
	}
}

func contents(t *testing.T, s *file.Store) state {
	t.Helper()
	st, err := stateOf(s)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func reopen(t *testing.T, dir string) *file.Store {
	t.Helper()
	s, err := file.Open(dir, file.Options{MinFree: -1, IdleDelay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestABackupIsOneStateWhileTheStoreIsWrittenTo(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, "a", "b")
	want := contents(t, s)
	version, err := s.List(t.Context(), store.ListOptions{Kind: "Job"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	sum, err := s.Backup(t.Context(), &b)
	if err != nil || sum.Objects != 2 || sum.Bytes != int64(b.Len()) || sum.ResourceVersion != version.ResourceVersion {
		t.Fatalf("%+v, %v", sum, err)
	}
	create(t, s, "c")
	backup, target := filepath.Join(t.TempDir(), "backup.json"), filepath.Join(t.TempDir(), "restored")
	if err := os.WriteFile(backup, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Restore(backup, target, file.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Restore(backup, dir, file.RestoreOptions{}); !errors.Is(err, store.ErrExists) {
		t.Errorf("a restore over a store: %v", err)
	}
	restored := reopen(t, target)
	if got := contents(t, restored); !maps.Equal(got, want) {
		t.Errorf("got %d objects", len(got))
	}
	if _, err := restored.Watch(t.Context(), store.WatchOptions{Kind: "Job", Since: sum.ResourceVersion + 1}); !errors.Is(err, store.ErrExpired) {
		t.Errorf("a watch from a version of the old store: %v", err)
	}
	create(t, restored, "d")
	storetest.Check(t, restored)
}

func TestRestoreReachesEveryVersionOfTheJournal(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, "a")
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	states := map[uint64]state{}
	for i := range 6 {
		create(t, s, fmt.Sprint("j", i))
		if i%2 == 1 {
			if _, err := s.Delete(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: fmt.Sprint("j", i-1)}, store.Preconditions{}); err != nil {
				t.Fatal(err)
			}
		}
		page, err := s.List(t.Context(), store.ListOptions{Kind: "Job"})
		if err != nil {
			t.Fatal(err)
		}
		states[page.ResourceVersion] = contents(t, s)
	}
	if _, err := file.Restore(dir, t.TempDir(), file.RestoreOptions{}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a restore from a store in use: %v", err)
	}
	// A store that was not closed has more than jobs.json.
	copied := copyFolder(t, dir)
	for version, want := range states {
		target := filepath.Join(t.TempDir(), "restored")
		if _, err := file.Restore(copied, target, file.RestoreOptions{Version: version}); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, reopen(t, target)); !maps.Equal(got, want) {
			t.Errorf("version %d: got %d objects, want %d", version, len(got), len(want))
		}
	}
	if _, err := file.Restore(copied, filepath.Join(t.TempDir(), "x"), file.RestoreOptions{Version: 0}); err != nil {
		t.Error(err)
	}
}

// copyFolder copies a data folder as a crash would leave it.
func copyFolder(t *testing.T, dir string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(target, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return target
}

func TestFsckExplainsAStoreAndChangesNothing(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, "a", "b")
	if err := s.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	create(t, s, "c")
	if _, err := s.Delete(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: "a"}, store.Preconditions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Fsck(dir, file.FsckOptions{}, nil); !errors.Is(err, store.ErrLocked) {
		t.Errorf("fsck of a store in use: %v", err)
	}
	copied := copyFolder(t, dir)
	var told []string
	report, err := file.Fsck(copied, file.FsckOptions{}, func(r file.FsckRecord) { told = append(told, r.Operation+" "+r.Object) })
	if err != nil || report.Objects != 2 || report.Records != 2 || report.Clean {
		t.Errorf("%+v, %v", report, err)
	}
	if fmt.Sprint(told) != "[put job acme/c delete job acme/a]" {
		t.Errorf("got %v", told)
	}
	snapshot := filepath.Join(copied, "jobs.json")
	content, err := os.ReadFile(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Replace(content, []byte("builders"), []byte("burglars"), 1)
	// The file's time tells whether it looks edited; the checksums fit in neither case.
	original, err := os.Stat(filepath.Join(dir, "jobs.json"))
	if err != nil {
		t.Fatal(err)
	}
	for untouched, modified := range map[bool]time.Time{true: original.ModTime(), false: time.Now()} {
		if err := errors.Join(os.WriteFile(snapshot, damaged, info.Mode()), os.Chtimes(snapshot, time.Time{}, modified)); err != nil {
			t.Fatal(err)
		}
		if report, err := file.Fsck(copied, file.FsckOptions{}, nil); err != nil || report.Edit == nil || report.Edit.Untouched != untouched || report.Edit.Offset != 0 {
			t.Errorf("fsck of a valid file whose checksums do not fit: %+v, %v", report.Edit, err)
		}
	}
	if err := os.WriteFile(snapshot, bytes.Replace(damaged, []byte(`"kind"`), []byte(`"kink"`), 1), info.Mode()); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Fsck(copied, file.FsckOptions{}, nil); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("fsck of a damaged store: %v", err)
	}
}

func TestABackupBesideAForeignJournalIsRefused(t *testing.T) {
	s, _ := newStore(t)
	create(t, s, "a", "b")
	var b bytes.Buffer
	if _, err := s.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	other, dir := newStore(t)
	create(t, other, "x")
	copied := copyFolder(t, dir)
	if err := os.WriteFile(filepath.Join(copied, "jobs.json"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Open(copied, file.Options{}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("error is %v", err)
	}
}

func TestCompactLeavesNothingInTheJournal(t *testing.T) {
	s, dir := newStore(t)
	create(t, s, "a", "b")
	copied := copyFolder(t, dir)
	if err := file.Compact(copied, file.Options{}); err != nil {
		t.Fatal(err)
	}
	if report, err := file.Fsck(copied, file.FsckOptions{}, nil); err != nil || report.Records != 0 || report.Objects != 2 || !report.Clean {
		t.Errorf("%+v, %v", report, err)
	}
}
