//go:build unix

package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// folderLock is a folder that this process has locked with flock, which the kernel gives
// up when the process dies.
type folderLock struct {
	folder *os.File
	// file is the lock file; nil where there is none.
	file *os.File
}

// Lock implements FS.
func (OS) Lock(dir, name string) (io.Closer, error) {
	l, err := lockFolder(dir, name)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = l.lockFile(f)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// LockRead takes the lock without writing anything, as is needed on a filesystem that is
// read-only.
func (OS) LockRead(dir, name string) (io.Closer, error) {
	l, err := lockFolder(dir, name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = l.lockFile(f)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// lockFolder takes the lock of the folder itself. Network filesystems that lock ranges of
// files in its place cannot lock a folder: there the file's lock has to do.
func lockFolder(dir, name string) (*folderLock, error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	l := &folderLock{folder: folder}
	err = flock(folder)
	switch {
	case errors.Is(err, unix.EBADF), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOTSUP):
	case errors.Is(err, ErrLocked):
		file, openErr := os.Open(filepath.Join(dir, name))
		if openErr == nil {
			defer file.Close()
		}
		return nil, errors.Join(heldBy(dir, file), folder.Close())
	case err != nil:
		return nil, errors.Join(err, folder.Close())
	}
	return l, nil
}

// lockFile takes the lock of f, which Close gives up.
func (l *folderLock) lockFile(f *os.File) error {
	l.file = f
	err := flock(f)
	if errors.Is(err, ErrLocked) {
		return heldBy(f.Name(), f)
	}
	return err
}

// Close implements io.Closer.
func (l *folderLock) Close() error {
	if l.file == nil {
		return l.folder.Close()
	}
	return errors.Join(l.file.Close(), l.folder.Close())
}

func flock(f *os.File) error {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == nil:
			return nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return ErrLocked
		case !errors.Is(err, unix.EINTR):
			return &os.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}

// heldBy is the error for a lock that another process holds, whose id the lock file may
// tell.
func heldBy(path string, file *os.File) error {
	owner := []byte{}
	if file != nil {
		owner, _ = io.ReadAll(io.LimitReader(file, 32))
	}
	if pid := strings.TrimSpace(string(owner)); pid != "" {
		return fmt.Errorf("%w: %s is held by process %s", ErrLocked, path, pid)
	}
	return fmt.Errorf("%w: %s is held by another process", ErrLocked, path)
}

// Identity tells a folder from every copy of it that there is at the same time: its
// device and its inode, as in "2049:131073". A folder that is moved within its filesystem
// keeps it.
func Identity(dir string) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return "", &os.PathError{Op: "stat", Path: dir, Err: err}
	}
	return fmt.Sprintf("%d:%d", st.Dev, st.Ino), nil
}
