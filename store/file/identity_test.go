package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/journal"
)

// TestNothingIsAcknowledgedOnceTheFolderIsGone: what is written to files without a name is
// on no disk, so the first write after the removal already fails.
func TestNothingIsAcknowledgedOnceTheFolderIsGone(t *testing.T) {
	tests := map[string]func(dir string) error{
		"the folder is removed":  os.RemoveAll,
		"the folder is moved":    func(dir string) error { return os.Rename(dir, dir+".away") },
		"the journal is removed": func(dir string) error { return os.RemoveAll(filepath.Join(dir, "journal")) },
		"the journal is moved":   func(dir string) error { return os.Rename(filepath.Join(dir, "journal"), dir+".away") },
		"another folder takes its place": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".away"), os.CopyFS(dir, os.DirFS(dir+".away")))
		},
		"a copy of the segment takes its place": func(dir string) error {
			segment := filepath.Join(dir, "journal", journal.SegmentName(1))
			content, err := os.ReadFile(segment)
			return errors.Join(err, os.Remove(segment), os.WriteFile(segment, content, 0o600))
		},
	}
	for name, gone := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s, err := file.Open(dir, file.Options{})
			if err != nil {
				t.Fatal(err)
			}
			create(t, s, "a")
			if err := gone(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Create(t.Context(), benchJob("b")); !errors.Is(err, store.ErrReadOnly) || !errors.Is(err, journal.ErrGone) {
				t.Errorf("the next write: %v", err)
			}
			if _, err := s.Get(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: "b"}); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("what was not acknowledged is seen: %v", err)
			}
			if _, err := s.Get(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: "a"}); err != nil {
				t.Errorf("what was acknowledged before cannot be read: %v", err)
			}
			_ = s.Close() // there is nowhere to write to
		})
	}
}

// TestTheFolderItselfIsLocked: a lock file that somebody removes, or puts back from a copy,
// lets no second store in.
func TestTheFolderItselfIsLocked(t *testing.T) {
	s, dir := newStore(t)
	for name, change := range map[string]func(lock string) error{
		"removed":  os.Remove,
		"replaced": func(lock string) error { return os.WriteFile(lock, []byte("1\n"), 0o600) },
	} {
		if err := change(filepath.Join(dir, "lock")); err != nil {
			t.Fatal(err)
		}
		if _, err := file.Open(dir, file.Options{}); !errors.Is(err, store.ErrLocked) {
			t.Errorf("a second store, the lock file %s: %v", name, err)
		}
		if _, err := file.Fsck(dir, file.FsckOptions{}, nil); !errors.Is(err, store.ErrLocked) {
			t.Errorf("fsck, the lock file %s: %v", name, err)
		}
	}
	create(t, s, "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reopen(t, dir)
}
