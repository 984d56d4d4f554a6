package jobfiles_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/controller/action/jobfiles"
)

type note struct {
	Text string `json:"text"`
}

func TestAFileOfAJob(t *testing.T) {
	f := jobfiles.Folder[note]{Dir: filepath.Join(t.TempDir(), "notes"), Suffix: ".json"}
	if got, err := f.Read("u-1"); got != nil || err != nil {
		t.Errorf("before any: %v, %v", got, err)
	}
	for _, text := range []string{"one", "two"} {
		if err := f.Write("u-1", note{text}); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Read("u-1"); err != nil || got == nil || got.Text != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, remove := range []func(types.UID) error{f.Remove, f.RemoveDurably} {
		if err := f.Write("u-1", note{"again"}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second finds none
			if err := remove("u-1"); err != nil {
				t.Errorf("remove: %v", err)
			}
		}
		if got, err := f.Read("u-1"); got != nil || err != nil {
			t.Errorf("after it was removed: %v, %v", got, err)
		}
	}
}

// TestNoFileIsOutsideOfTheFolder: a uid comes from a store that may have been edited.
func TestNoFileIsOutsideOfTheFolder(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []jobfiles.Folder[note]{{Dir: filepath.Join(dir, "notes"), Suffix: ".json"}, {Suffix: ".json"}} {
		for _, uid := range []types.UID{"", "..", "../u", "a/b", "/u"} {
			if err := f.Write(uid, note{"x"}); err != nil {
				t.Errorf("write %q: %v", uid, err)
			}
			if got, err := f.Read(uid); got != nil || err != nil {
				t.Errorf("read %q: %v, %v", uid, got, err)
			}
			if err := errors.Join(f.Remove(uid), f.RemoveDurably(uid)); err != nil {
				t.Errorf("remove %q: %v", uid, err)
			}
		}
	}
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Errorf("there are %v, %v", entries, err)
	}
}

func TestEachAndPurge(t *testing.T) {
	f := jobfiles.Folder[note]{Dir: t.TempDir(), Suffix: ".json"}
	marks := jobfiles.Folder[note]{Dir: f.Dir, Suffix: ".mark"}
	for _, err := range []error{
		f.Write("u-1", note{"one"}), f.Write("u-2", note{"two"}), marks.Write("u-3", note{"three"}),
		os.WriteFile(filepath.Join(f.Dir, "u-4.json"), []byte("{"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	collect := func(uid types.UID, n *note) error {
		seen = append(seen, string(uid)+" "+n.Text)
		return nil
	}
	if err := f.Each(t.Context(), collect); err != nil || !slices.Equal(seen, []string{"u-1 one", "u-2 two"}) {
		t.Errorf("seen %v, %v", seen, err)
	}
	enough := errors.New("enough")
	if err := f.Each(t.Context(), func(types.UID, *note) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("visit failed: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Each(ended, collect); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}

	now := time.Now()
	old := now.Add(-2 * time.Hour)
	for _, name := range []string{"u-1.json", "u-3.mark", "u-4.json"} {
		if err := os.Chtimes(filepath.Join(f.Dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Purge(now, time.Hour); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(f.Dir); len(entries) != 1 || entries[0].Name() != "u-2.json" || err != nil {
		t.Errorf("left %v, %v", entries, err)
	}
	gone := jobfiles.Folder[note]{Dir: filepath.Join(f.Dir, "none")}
	if err := errors.Join(gone.Purge(now, time.Hour), gone.Each(t.Context(), collect)); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
}
