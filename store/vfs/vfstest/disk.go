// Package vfstest has a disk for tests: a filesystem in memory that crashes, fails and
// forgets as it is told. Mount puts it under a real program.
package vfstest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"jobwright.dev/store/vfs"
)

// errCrashed is the answer to every call after the machine has crashed.
var errCrashed = errors.New("the machine has crashed")

// Disk is a filesystem in memory that forgets unsynced data when its machine
// crashes, and fails when it is told to. It implements vfs.FS.
//
// Content becomes durable by Sync and Datasync, names by SyncDir; what is not durable
// yet a crash may keep, lose, tear by sectors, or carry out twice.
type Disk struct {
	mu sync.Mutex
	// names as processes see them; durable as they are after a crash.
	names, durable map[string]*inode
	renames        []rename
	dirs           map[string]bool
	locks          map[string]bool
	free           int64

	ops     int
	crashAt int
	crashed bool
	faults  map[int]Fault
	// when fails the operations that it chooses; failed counts what failed, by kind.
	when   func(op, name string) (Fault, bool)
	failed map[string]int
	// Trace names every operation that changes the disk, in order.
	trace []string
}

// Fault is how one operation fails.
type Fault struct {
	Err error
	// Short: half of a write is carried out before it fails.
	Short bool
}

// inode is a file's content, with the name that it has or had last.
type inode struct {
	name          string
	data, durable []byte
	pending       []write
	modified      time.Time
}

// write is a change of content that is not durable yet; a nil b truncates to off.
type write struct {
	off int64
	b   []byte
}

// rename is a change of names that is not durable yet: to is set to ino, from is
// removed; either may be empty.
type rename struct {
	from, to string
	ino      *inode
}

var _ vfs.FS = (*Disk)(nil)

// NewDisk returns an empty disk.
func NewDisk() *Disk {
	return &Disk{
		names: map[string]*inode{}, durable: map[string]*inode{},
		dirs: map[string]bool{}, locks: map[string]bool{}, free: 1 << 40, faults: map[int]Fault{}, failed: map[string]int{},
	}
}

// CrashAt crashes the machine at the n-th operation that changes the disk, counted
// from 1: that operation is under way, none after it happens.
func (d *Disk) CrashAt(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crashAt = n
}

// FailAt makes the n-th operation that changes the disk fail.
func (d *Disk) FailAt(n int, f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults[n] = f
}

// FailWhen makes every operation fail that choose picks by its name (create, write,
// truncate, fsync, fdatasync, rename, remove, syncdir; and read, which changes nothing)
// and that of its file, without the folder. nil ends it.
func (d *Disk) FailWhen(choose func(op, name string) (Fault, bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.when = choose
}

// Failed counts the operations that were made to fail, by their name and error.
func (d *Disk) Failed() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.failed)
}

// SetFree sets what Free answers.
func (d *Disk) SetFree(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free = n
}

// Ops is how many operations have changed the disk so far.
func (d *Disk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops
}

// Trace names these operations.
func (d *Disk) Trace() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.trace)
}

// Crashed reports whether the machine has crashed.
func (d *Disk) Crashed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.crashed
}

// Edit changes the content of a file as damage would: without a trace in its time of
// modification, and durably.
func (d *Disk) Edit(name string, edit func(content []byte) []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ino := d.names[name]
	ino.data = edit(slices.Clone(ino.data))
	ino.durable, ino.pending = slices.Clone(ino.data), nil
}

// Touch sets a file's time of modification, as an editor does.
func (d *Disk) Touch(name string, t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[name].modified = t
}

// Files lists the names of all files, sorted.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := make([]string, 0, len(d.names))
	for name := range d.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Content is a file's content.
func (d *Disk) Content(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.names[name].data)
}

// step counts an operation and answers why it fails. d.mu is held.
func (d *Disk) step(op, name string) (Fault, error) {
	if d.crashed {
		return Fault{}, errCrashed
	}
	d.ops++
	d.trace = append(d.trace, op+" "+filepath.Base(name))
	if d.ops == d.crashAt {
		d.crashed = true
		return Fault{Err: errCrashed}, errCrashed
	}
	if f, ok := d.faults[d.ops]; ok {
		return f, d.fail(f, op, name)
	}
	return d.chosen(op, name)
}

// chosen answers whether FailWhen's choice falls on an operation. d.mu is held.
func (d *Disk) chosen(op, name string) (Fault, error) {
	if d.when == nil {
		return Fault{}, nil
	}
	f, ok := d.when(op, filepath.Base(name))
	if !ok {
		return Fault{}, nil
	}
	return f, d.fail(f, op, name)
}

// fail counts a fault and makes its error.
func (d *Disk) fail(f Fault, op, name string) error {
	kind := fmt.Sprintf("%s: %v", op, f.Err)
	if f.Short && op == "write" {
		kind = "short " + kind
	}
	d.failed[kind]++
	return &fs.PathError{Op: op, Path: name, Err: f.Err}
}
