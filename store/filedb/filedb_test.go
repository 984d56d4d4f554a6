package filedb_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobwright.dev/store/filedb"
)

type value struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "there", "yet", "file.json")
	fallback := value{Name: "none"}
	if got, err := filedb.ReadJSON(path, fallback); err != nil || got != fallback {
		t.Errorf("before there is a file: %+v, %v", got, err)
	}
	for _, want := range []value{{"first", 1}, {"second", 2}} {
		if err := filedb.WriteJSON(path, want); err != nil {
			t.Fatal(err)
		}
		if got, err := filedb.ReadJSON(path, fallback); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files beside, %v", len(entries)-1, err)
	}
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.json")
	for name, content := range map[string]string{
		"no JSON":      `{"name":`,
		"another type": `{"n":"one"}`,
		"too large":    `{"name":"` + strings.Repeat("x", filedb.MaxJSON) + `"}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := filedb.ReadJSON(path, value{Name: "none"})
		if err == nil || got.Name != "none" || !strings.Contains(err.Error(), "file.json") || strings.Contains(err.Error(), filepath.Dir(path)) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAWriteThatFailsChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := filedb.WriteBytes(path, []byte("whole")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken off")
	_, err := filedb.Write(path, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "whole" {
		t.Errorf("%q, %v", content, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	if err := filedb.WriteBytes(filepath.Join(path, "below"), nil); err == nil {
		t.Error("a file was taken for a folder")
	}
	if err := filedb.WriteJSON(path, func() {}); err == nil {
		t.Error("what is no JSON was written")
	}
}

func TestSweepRemovesWhatIsHalfWritten(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"kept.json", ".kept", "kept1234", ".gone.json5577006791947779410"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".folder1"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := filedb.Sweep(dir); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got := strings.Join(names, " "); got != ".folder1 .kept kept.json kept1234" {
		t.Errorf("left: %s", got)
	}
	if err := filedb.Sweep(filepath.Join(dir, "missing")); err != nil {
		t.Error(err)
	}
}
