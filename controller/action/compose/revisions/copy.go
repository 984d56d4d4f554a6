package revisions

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Copied counts what Copy has copied.
type Copied struct{ Projects, Revisions, Owners int }

// Copy makes the folder to of the folder from of a store that no process has open: revisions
// with the files they hold, owners, and what has begun and not ended. It refuses a folder to
// that is there. The folder appears whole, and is on disk when Copy returns; undo removes it,
// and the folder above it when Copy made that and nothing else is in it. A folder from that
// is missing has nothing to copy.
func Copy(from, to string) (copied Copied, undo func() error, err error) {
	nothing := func() error { return nil }
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return copied, nothing, nil
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return copied, nothing, errors.Join(err, fmt.Errorf("copy revisions: %s is there already; name a new folder", to))
	}
	above := filepath.Dir(to)
	_, before := os.Stat(above)
	remove := func(folder string) error {
		err := os.RemoveAll(folder)
		if errors.Is(before, fs.ErrNotExist) {
			_ = os.Remove(above) // it stays when something else is in it
		}
		return err
	}
	if err := os.MkdirAll(above, 0o700); err != nil {
		return copied, nothing, fmt.Errorf("copy revisions: %w", err)
	}
	pending, err := os.MkdirTemp(above, ".revisions-")
	if err == nil {
		err = copyFolder(from, pending, 0)
	}
	if err == nil {
		copied, err = count(pending)
	}
	if err == nil {
		err = os.Rename(pending, to)
	}
	if err == nil {
		if err = syncFolder(above); err == nil {
			return copied, func() error { return remove(to) }, nil
		}
		pending = to
	}
	return Copied{}, nothing, fmt.Errorf("copy revisions: %w", errors.Join(err, remove(pending)))
}

// keptDepth is how far below the store's folder kept files lie: PROJECT/files/….
const keptDepth = 2

// copyFolder copies what is below a folder into another, which is empty and lies depth
// folders below the store's. A folder gets its rights after what is in it: it may be read-only.
func copyFolder(from, to string, depth int) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		info, err := entry.Info()
		switch {
		case err != nil:
			return err
		case info.IsDir():
			if err = os.Mkdir(target, 0o700); err == nil {
				err = copyFolder(source, target, depth+1)
			}
		case info.Mode().IsRegular():
			err = copyFile(source, target)
		default:
			err = fmt.Errorf("%s is neither a file nor a folder", source)
		}
		if err == nil && depth >= keptDepth {
			err = copyRights(info, target)
		}
		if err != nil {
			return err
		}
	}
	return syncFolder(to)
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return target.Sync()
}

// copyRights gives a kept file the mode and the owner that services read it by. Everything
// else is the server's alone, whatever rights the folder that is copied has got.
func copyRights(info fs.FileInfo, target string) error {
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = os.Chown(target, int(owner.Uid), int(owner.Gid)) // root alone may
	}
	return os.Chmod(target, info.Mode().Perm())
}

func count(dir string) (copied Copied, err error) {
	s := &Store{dir: dir}
	projects, err := s.Projects()
	if err != nil {
		return copied, err
	}
	for _, project := range projects {
		numbers, err := s.Numbers(project)
		if err != nil {
			return copied, err
		}
		if copied.Revisions += len(numbers); len(numbers) > 0 {
			copied.Projects++
		}
	}
	known, err := s.Known()
	for _, project := range known {
		if owner, err := s.Owner(project); err == nil && owner.Workspace != "" {
			copied.Owners++
		}
	}
	return copied, err
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
