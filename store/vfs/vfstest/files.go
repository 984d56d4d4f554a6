package vfstest

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"jobwright.dev/store/vfs"
)

// Create implements vfs.FS.
func (d *Disk) Create(name string) (vfs.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.step("create", name); err != nil {
		return nil, err
	}
	if d.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	ino := &inode{name: name, modified: time.Unix(1, 0)}
	d.names[name] = ino
	d.renames = append(d.renames, rename{to: name, ino: ino})
	return &diskFile{d: d, ino: ino}, nil
}

// Open implements vfs.FS.
func (d *Disk) Open(name string) (vfs.File, error) { return d.OpenRead(name) }

// OpenRead implements vfs.FS.
func (d *Disk) OpenRead(name string) (vfs.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed {
		return nil, errCrashed
	}
	ino := d.names[name]
	if ino == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &diskFile{d: d, ino: ino}, nil
}

// Rename implements vfs.FS.
func (d *Disk) Rename(oldname, newname string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := d.step("rename", oldname)
	if err != nil && !d.crashed {
		return err
	}
	ino := d.names[oldname]
	if ino == nil {
		return &fs.PathError{Op: "rename", Path: oldname, Err: fs.ErrNotExist}
	}
	r := rename{from: oldname, to: newname, ino: ino}
	r.apply(d.names)
	ino.name = newname
	d.renames = append(d.renames, r)
	return err
}

// Remove implements vfs.FS.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if _, err := d.step("remove", name); err != nil {
		return err
	}
	r := rename{from: name}
	r.apply(d.names)
	d.renames = append(d.renames, r)
	return nil
}

// ReadDir implements vfs.FS.
func (d *Disk) ReadDir(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dirs[dir] {
		return nil, &fs.PathError{Op: "readdir", Path: dir, Err: fs.ErrNotExist}
	}
	var names []string
	for name := range d.names {
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

// MkdirAll implements vfs.FS; a folder survives every crash.
func (d *Disk) MkdirAll(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dirs[dir] = true
	return nil
}

// SyncDir implements vfs.FS.
func (d *Disk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.step("syncdir", dir); err != nil {
		return err
	}
	rest := d.renames[:0]
	for _, r := range d.renames {
		if in := filepath.Dir(r.from + r.to); r.from != "" && r.to != "" && filepath.Dir(r.to) == dir || in == dir {
			r.apply(d.durable)
			continue
		}
		rest = append(rest, r)
	}
	d.renames = rest
	return nil
}

// Free implements vfs.FS.
func (d *Disk) Free(string) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.free, nil
}

// Lock implements vfs.FS: the folder's lock, whatever happens to the file.
func (d *Disk) Lock(dir, name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locks[dir] {
		return nil, fmt.Errorf("%w: %s is held by process 1", vfs.ErrLocked, filepath.Join(dir, name))
	}
	d.locks[dir] = true
	return unlock(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.locks, dir)
	}), nil
}

type unlock func()

func (u unlock) Close() error {
	u()
	return nil
}

// diskFile is an open file of a Disk.
type diskFile struct {
	d   *Disk
	ino *inode
}

func (f *diskFile) ReadAt(b []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.crashed {
		return 0, errCrashed
	}
	if _, err := f.d.chosen("read", f.ino.name); err != nil {
		return 0, err
	}
	if off >= int64(len(f.ino.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.ino.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *diskFile) WriteAt(b []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	fault, err := f.d.step("write", f.ino.name)
	switch {
	case err == nil, f.d.crashed && fault.Err != nil:
	case fault.Short:
		b = b[:len(b)/2]
	default:
		return 0, err
	}
	w := write{off, slices.Clone(b)}
	f.ino.data = w.apply(f.ino.data)
	f.ino.pending = append(f.ino.pending, w)
	return len(b), err
}

func (f *diskFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if _, err := f.d.step("truncate", f.ino.name); err != nil {
		return err
	}
	w := write{off: size}
	f.ino.data = w.apply(f.ino.data)
	f.ino.pending = append(f.ino.pending, w)
	return nil
}

func (f *diskFile) Allocate(size int64) error { return f.Truncate(size) }

func (f *diskFile) Sync() error { return f.sync("fsync") }

func (f *diskFile) Datasync() error { return f.sync("fdatasync") }

// sync makes the content durable. When it fails, the pages count as clean, as they do
// on Linux: the content is seen, but no later sync makes it durable.
func (f *diskFile) sync(op string) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if _, err := f.d.step(op, f.ino.name); err != nil {
		if !f.d.crashed {
			f.ino.pending = nil
		}
		return err
	}
	for _, w := range f.ino.pending {
		f.ino.durable = w.apply(f.ino.durable)
	}
	f.ino.pending = nil
	return nil
}

func (f *diskFile) At(name string) (bool, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return f.d.names[name] == f.ino, nil
}

func (f *diskFile) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.ino.data)), nil
}

func (f *diskFile) ModTime() (time.Time, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return f.ino.modified, nil
}

func (f *diskFile) SetModTime(t time.Time) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.ino.modified = t
	return nil
}

func (f *diskFile) Close() error { return nil }
