package file_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/vfs/vfstest"
)

// TestAfterATransientErrorTheStoreTakesWritesAgain fails a write or a sync of the journal
// for a while. Until it works again the store says so, and nothing is acknowledged;
// afterwards, and after a crash of any kind, there is what was acknowledged and nothing
// else.
func TestAfterATransientErrorTheStoreTakesWritesAgain(t *testing.T) {
	for name, fault := range map[string]struct {
		op    string
		fault vfstest.Fault
	}{
		"a sync":             {"fdatasync", vfstest.Fault{Err: syscall.EIO}},
		"a write":            {"write", vfstest.Fault{Err: syscall.EIO}},
		"a write, half-way":  {"write", vfstest.Fault{Err: syscall.EIO, Short: true}},
		"a write, disk full": {"write", vfstest.Fault{Err: syscall.ENOSPC}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := vfstest.NewDisk()
				s, err := openOn(d)
				if err != nil {
					t.Fatal(err)
				}
				create(t, s, "before")
				d.FailWhen(func(op, name string) (vfstest.Fault, bool) {
					return fault.fault, op == fault.op && filepath.Ext(name) == ".journal"
				})
				if _, err := s.Create(t.Context(), benchJob("lost")); !errors.Is(err, store.ErrReadOnly) {
					t.Errorf("a write that fails: %v", err)
				}
				time.Sleep(time.Hour)
				if err := s.Ready(); !errors.Is(err, store.ErrReadOnly) {
					t.Errorf("after an hour of errors: %v", err)
				}
				d.FailWhen(nil)
				time.Sleep(2 * time.Minute)
				if err := s.Ready(); err != nil {
					t.Errorf("when it works again: %v", err)
				}
				create(t, s, "after")
				for aftermath, crash := range map[string]vfstest.Aftermath{"lose": vfstest.Lose, "keep": vfstest.Keep, "tear": vfstest.Tear} {
					again, err := openOn(d.AfterCrash(crash, rand.New(rand.NewPCG(1, 2))))
					if err != nil {
						t.Errorf("%s: %v", aftermath, err)
						continue
					}
					wantNames(t, again, "before", "after")
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func wantNames(t *testing.T, s *file.Store, names ...string) {
	t.Helper()
	page, err := s.List(t.Context(), store.ListOptions{Kind: "Job"})
	if err != nil || len(page.Items) != len(names) {
		t.Errorf("%d jobs, %v; want %v", len(page.Items), err, names)
	}
	for _, name := range names {
		if _, err := s.Get(t.Context(), store.Key{Kind: "Job", Namespace: "acme", Name: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReadyKnowsWhatKeepsFromNewWork before anybody has tried to write.
func TestReadyKnowsWhatKeepsFromNewWork(t *testing.T) {
	d := vfstest.NewDisk()
	s, err := file.Open(dataDir, file.Options{FS: d, IdleDelay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(); err != nil {
		t.Errorf("a new store: %v", err)
	}
	if err := s.Close(); err != nil || !errors.Is(s.Ready(), store.ErrClosed) {
		t.Errorf("close: %v, then %v", err, s.Ready())
	}
	d.SetFree(1 << 20)
	if s, err = file.Open(dataDir, file.Options{FS: d, IdleDelay: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(); !errors.Is(err, store.ErrFull) {
		t.Errorf("a full disk: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	gone, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	create(t, gone, "a")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := gone.Ready(); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a folder that is gone: %v", err)
	}
	_ = gone.Close() // there is nowhere to write to
}
