// Package vfstest has a disk for tests: a filesystem in memory that crashes, fails and
// forgets as it is told. Mount puts it under a real program.
package vfstest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"jobwright.dev/store/vfs"
)

// ErrCrashed is what every call gets once the machine has crashed.
var ErrCrashed = errors.New("the machine has crashed")

// Disk is a filesystem in memory that forgets what was not synced when its machine
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

// Aftermath is what a crash does with that which was not synced.
type Aftermath int

// What a crash may do.
const (
	// Lose all of it.
	Lose Aftermath = iota
	// Keep all of it.
	Keep
	// Tear it: of each write some sectors are kept, of the changes of names a
	// beginning; writes may be carried out twice.
	Tear
)

// AfterCrash is a copy of the disk as the machine finds it when it comes back from a
// crash at this moment.
func (d *Disk) AfterCrash(a Aftermath, random *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := NewDisk()
	after.free = d.free
	for dir := range d.dirs {
		after.dirs[dir] = true
	}
	names := map[string]*inode{}
	maps.Copy(names, d.durable)
	kept := d.renames
	switch a {
	case Lose:
		kept = nil
	case Tear:
		kept = kept[:random.IntN(len(kept)+1)]
	case Keep:
	}
	for _, r := range kept {
		r.apply(names)
	}
	for name, ino := range names {
		content := ino.after(a, random)
		after.names[name] = &inode{name: name, data: content, durable: slices.Clone(content), modified: ino.modified}
		after.durable[name] = after.names[name]
	}
	return after
}

func (r rename) apply(names map[string]*inode) {
	if r.from != "" {
		delete(names, r.from)
	}
	if r.to != "" {
		names[r.to] = r.ino
	}
}

// after is a file's content after a crash.
func (ino *inode) after(a Aftermath, random *rand.Rand) []byte {
	content := slices.Clone(ino.durable)
	if a == Lose {
		return content
	}
	pending := ino.pending
	if a == Tear && len(pending) > 0 && random.IntN(4) == 0 {
		pending = append(slices.Clone(pending), pending[len(pending)-1]) // carried out twice
	}
	for _, w := range pending {
		if a == Keep || w.b == nil {
			content = w.apply(content)
			continue
		}
		const sector = 512
		for at := int64(0); at < int64(len(w.b)); {
			end := min((w.off+at)/sector*sector+sector-w.off, int64(len(w.b)))
			if random.IntN(2) == 0 {
				content = write{w.off + at, w.b[at:end]}.apply(content)
			}
			at = end
		}
	}
	return content
}

func (w write) apply(content []byte) []byte {
	if w.b == nil {
		if int64(len(content)) > w.off {
			return content[:w.off]
		}
		return append(content, make([]byte, w.off-int64(len(content)))...)
	}
	if need := w.off + int64(len(w.b)); int64(len(content)) < need {
		content = append(content, make([]byte, need-int64(len(content)))...)
	}
	copy(content[w.off:], w.b)
	return content
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
		return Fault{}, ErrCrashed
	}
	d.ops++
	d.trace = append(d.trace, op+" "+filepath.Base(name))
	if d.ops == d.crashAt {
		d.crashed = true
		return Fault{Err: ErrCrashed}, ErrCrashed
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
		return nil, ErrCrashed
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

// Lock implements vfs.FS.
func (d *Disk) Lock(name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locks[name] {
		return nil, fmt.Errorf("%w: %s is held by process 1", vfs.ErrLocked, name)
	}
	d.locks[name] = true
	return unlock(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.locks, name)
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
		return 0, ErrCrashed
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
