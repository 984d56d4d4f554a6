// Package vfs is the filesystem as an engine sees it: the interface, and the operating
// system behind it. What an engine does to its files is so shown to a disk of a test
// (vfstest), which fails and forgets as it is told.
package vfs

import (
	"errors"
	"io"
	"time"
)

// ErrLocked: another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// FS is the part of a filesystem that a journal and an engine use. Names are paths; errors
// are those of package os, so that errors.Is(err, fs.ErrNotExist) works.
type FS interface {
	// Create makes a new file for reading and writing; it must not exist.
	Create(name string) (File, error)
	// Open opens a file for reading and writing.
	Open(name string) (File, error)
	// OpenRead opens a file for reading only.
	OpenRead(name string) (File, error)
	// Rename replaces newname by oldname, atomically.
	Rename(oldname, newname string) error
	Remove(name string) error
	// ReadDir lists the names of a folder's files, sorted.
	ReadDir(dir string) ([]string, error)
	// MkdirAll makes a folder and those above it, for the owner alone.
	MkdirAll(dir string) error
	// SyncDir makes the entries of a folder durable.
	SyncDir(dir string) error
	// Free is how many bytes an ordinary process may still write below dir.
	Free(dir string) (int64, error)
	// Lock takes the exclusive lock of a folder, and of the file with that name in it,
	// which it creates and writes the process's id into. The folder's lock holds whatever
	// happens to the file; that of the file keeps out versions that know no other. A lock
	// that another process holds is ErrLocked.
	Lock(dir, name string) (io.Closer, error)
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// At reports whether name leads to this file: it does not once the file, or a folder
	// above it, was removed, moved or replaced.
	At(name string) (bool, error)
	Size() (int64, error)
	ModTime() (time.Time, error)
	SetModTime(t time.Time) error
	Truncate(size int64) error
	// Allocate makes the file size bytes of zeros, with its blocks on disk.
	Allocate(size int64) error
	// Sync makes content and metadata durable.
	Sync() error
	// Datasync makes content durable, and the metadata that is needed to read it.
	Datasync() error
}
