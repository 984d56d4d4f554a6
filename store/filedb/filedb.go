// Package filedb keeps small files whole: one way to write a file, for everything in the
// data folder that is no object of the store (identities, tokens, outcomes, revisions).
//
// # Invariants
//
//  1. After any failure a file has its old content or its new one, never a part.
//  2. When Write returns without an error, a crash of the machine takes nothing back: the
//     content was synced, and then the folder that names it, and each folder that was made.
//  3. What an interrupted write leaves has a name of its own, a dot before and digits
//     behind the file's; Sweep removes it.
package filedb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// MaxJSON is the most that ReadJSON reads: no file of the data folder that is kept this
// way is a tenth as large.
const MaxJSON = 16 << 20

// Write makes what write writes the content of a file, readable by its owner alone, and
// returns its size. Folders that are missing are made, for the owner alone.
func Write(path string, write func(io.Writer) error) (size int64, err error) {
	folder := filepath.Dir(path)
	if err := makeFolder(folder); err != nil {
		return 0, err
	}
	pending, err := renameio.NewPendingFile(path, renameio.WithTempDir(folder), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return 0, err
	}
	defer func() {
		if cleanup := pending.Cleanup(); err != nil {
			err = errors.Join(err, cleanup)
		}
	}()
	if err := write(pending); err != nil {
		return 0, err
	}
	info, err := pending.Stat()
	if err != nil {
		return 0, err
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return 0, err
	}
	return info.Size(), syncFolder(folder)
}

// WriteBytes is Write of content that is there already.
func WriteBytes(path string, content []byte) error {
	_, err := Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	return err
}

// WriteJSON is Write of v as JSON.
func WriteJSON(path string, v any) error {
	content, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	return WriteBytes(path, content)
}

// ReadJSON decodes a file; fallback is returned when there is no such file, and beside
// every error.
func ReadJSON[T any](path string, fallback T) (T, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fallback, nil
	}
	if err != nil {
		return fallback, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, MaxJSON+1))
	if err != nil {
		return fallback, err
	}
	if len(content) > MaxJSON {
		return fallback, fmt.Errorf("decode %s: it is larger than %d bytes", filepath.Base(path), MaxJSON)
	}
	var v T
	if err := json.Unmarshal(content, &v); err != nil {
		return fallback, fmt.Errorf("decode %s: %w", filepath.Base(path), err)
	}
	return v, nil
}

// temporary reports whether an interrupted Write has left the file with that name: a dot, a
// name and a number.
func temporary(name string) bool {
	named := strings.TrimRight(name, "0123456789")
	return len(named) < len(name) && len(name) > 2 && name[0] == '.'
}

// Sweep removes what interrupted writes have left in a folder that nobody else has files
// in, and nobody writes to meanwhile. A folder that is missing has nothing.
func Sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && temporary(entry.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(folder, entry.Name())))
		}
	}
	return err
}

// makeFolder makes a folder and those above it that are missing, and syncs the names of
// those that it makes.
func makeFolder(folder string) error {
	if info, err := os.Stat(folder); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(folder)
	if parent != folder {
		if err := makeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
