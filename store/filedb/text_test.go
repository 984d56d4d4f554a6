package filedb

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadTextNeverHangsOnAPipe(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadText(file, 5); err != nil || string(got) != "12345" {
		t.Errorf("a file of the largest size: %q, %v", got, err)
	}
	if got, err := ReadText(file, 4); err == nil || !strings.Contains(err.Error(), "more than 4 bytes") {
		t.Errorf("a file that is too large: %q, %v", got, err)
	}
	if got, err := ReadText(filepath.Join(dir, "none"), 5); !os.IsNotExist(err) {
		t.Errorf("a file that is missing: %q, %v", got, err)
	}
	if got, err := ReadText(pipe, 5); err != nil || len(got) != 0 {
		t.Errorf("a pipe without a writer: %q, %v", got, err)
	}
	// A reader of the test's own lets the writer open and leave before ReadText comes.
	reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := os.WriteFile(pipe, []byte("words"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadText(pipe, 5); err != nil || string(got) != "words" {
		t.Errorf("a pipe whose writer has gone: %q, %v", got, err)
	}
}
