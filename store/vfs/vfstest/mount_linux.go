package vfstest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobwright.dev/store/vfs"
)

// Mount makes d the filesystem at dir for every process of the machine, through FUSE:
// so a real program can be given a disk that fails, or forgets what it did not sync. The
// test must not touch anything below dir itself, nor start a program in it, but by
// programs that go there: it would wait for its own answer. It returns what
// unmounts it; the end of the test does too. Where FUSE cannot be had the test is
// skipped, or fails when JOBWRIGHT_REQUIRE_COMPONENTS is 1 and it runs as root.
func Mount(t *testing.T, d *Disk, dir string) (unmount func()) {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d", fd, os.Getuid(), os.Getgid())
		if err = unix.Mount("jobwright-test", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
			_ = unix.Close(fd)
		}
	}
	if err != nil {
		if os.Getenv("JOBWRIGHT_REQUIRE_COMPONENTS") == "1" && os.Getuid() == 0 {
			t.Fatalf("mount a FUSE filesystem: %v", err)
		}
		t.Skipf("needs Linux with /dev/fuse, and to be root: %v", err)
	}
	if err := d.MkdirAll("/"); err != nil {
		t.Fatal(err)
	}
	m := &mounted{
		d: d, fd: fd, ids: map[string]uint64{"/": rootID}, nodes: map[uint64]*node{rootID: {path: "/"}}, last: rootID,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.serve()
	}()
	done := false
	unmount = func() {
		if done {
			return
		}
		done = true
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
		<-ended
		_ = unix.Close(fd)
	}
	t.Cleanup(unmount)
	return unmount
}

// The requests of the FUSE protocol that are answered; <linux/fuse.h> has them all and
// the shapes of their bodies.
const (
	fuseLookup, fuseForget, fuseGetattr, fuseSetattr            = 1, 2, 3, 4
	fuseMkdir, fuseUnlink, fuseRmdir, fuseRename                = 9, 10, 11, 12
	fuseOpen, fuseRead, fuseWrite, fuseStatfs                   = 14, 15, 16, 17
	fuseRelease, fuseFsync, fuseFlush, fuseInit                 = 18, 20, 25, 26
	fuseOpendir, fuseReaddir, fuseReleasedir, fuseFsyncdir      = 27, 28, 29, 30
	fuseCreate, fuseInterrupt, fuseBatchForget, fuseRenameFlags = 35, 36, 42, 45

	rootID       = 1
	fuseInHeader = 40
	// maxWrite is the largest write that comes in one request.
	maxWrite = 1 << 20
	// directIO: nothing is cached by the kernel, so that the disk sees every access.
	directIO = 1
	// Flags of an initialisation.
	bigWrites, manyPages = 1 << 5, 1 << 22
	// What of a setattr is set.
	setSize, setMtime = 1 << 3, 1 << 5
	// fsyncDatasync is the flag that makes an fsync an fdatasync.
	fsyncDatasync = 1
)

// mounted answers the kernel's requests about one disk, one after the other.
type mounted struct {
	d     *Disk
	fd    int
	nodes map[uint64]*node
	ids   map[string]uint64
	last  uint64
}

// node is a file or folder that the kernel knows by a number. A file's node stays with
// its content when its name goes to another.
type node struct {
	path string
	file vfs.File // nil: a folder
}

var order = binary.LittleEndian

// request is one request; body is what stands behind the header.
type request struct {
	opcode uint32
	unique uint64
	node   uint64
	body   []byte
}

// words are the zero-terminated names at offset at of the body.
func (r request) words(at int) []string { return strings.Split(string(r.body[at:]), "\x00") }

func (m *mounted) serve() {
	buf := make([]byte, maxWrite+1<<16)
	for {
		n, err := unix.Read(m.fd, buf)
		switch {
		case err == nil && n >= fuseInHeader:
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOENT):
			continue
		default:
			return // unmounted
		}
		r := request{opcode: order.Uint32(buf[4:]), unique: order.Uint64(buf[8:]), node: order.Uint64(buf[16:]), body: buf[fuseInHeader:n]}
		switch r.opcode {
		case fuseForget, fuseBatchForget, fuseInterrupt:
			continue // no answer is expected
		}
		reply, err := m.answer(r)
		out := make([]byte, 16, 16+len(reply))
		if err != nil {
			reply = nil
			order.PutUint32(out[4:], uint32(-int32(errnoOf(err))))
		}
		out = append(out, reply...)
		order.PutUint32(out, uint32(len(out)))
		order.PutUint64(out[8:], r.unique)
		_, _ = unix.Write(m.fd, out) // who asked may be gone
	}
}

// errnoOf is the number that a process gets for err.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.Is(err, fs.ErrNotExist):
		return unix.ENOENT
	case errors.Is(err, fs.ErrExist):
		return unix.EEXIST
	}
	return unix.EIO
}

func (m *mounted) answer(r request) ([]byte, error) {
	switch r.opcode {
	case fuseInit:
		return m.initialise(r), nil
	case fuseStatfs:
		return m.statfs()
	case fuseFlush, fuseRelease, fuseReleasedir:
		return nil, nil
	}
	n := m.nodes[r.node]
	if n == nil {
		return nil, unix.ESTALE
	}
	if n.file != nil {
		return m.onFile(n, r)
	}
	return m.onFolder(n, r)
}

func (*mounted) initialise(r request) []byte {
	out := make([]byte, 64)
	order.PutUint32(out, 7)      // the protocol's version
	order.PutUint32(out[4:], 31) // and what is below it
	order.PutUint32(out[8:], order.Uint32(r.body[8:]))
	order.PutUint32(out[12:], bigWrites|manyPages)
	order.PutUint32(out[20:], maxWrite)
	order.PutUint32(out[24:], 1) // times are exact to the nanosecond
	order.PutUint16(out[28:], maxWrite/4096)
	return out
}

func (m *mounted) statfs() ([]byte, error) {
	free, err := m.d.Free("/")
	if err != nil {
		return nil, err
	}
	out := make([]byte, 80)
	const block = 4096
	for i, v := range []uint64{1 << 30, uint64(free) / block, uint64(free) / block, 1 << 20, 1 << 20} {
		order.PutUint64(out[8*i:], v)
	}
	order.PutUint32(out[40:], block)
	order.PutUint32(out[44:], 255)
	order.PutUint32(out[48:], block)
	return out, nil
}

// onFile answers a request about a file.
func (m *mounted) onFile(n *node, r request) ([]byte, error) {
	switch r.opcode {
	case fuseGetattr:
		return m.attributes(n, r.node)
	case fuseSetattr:
		valid := order.Uint32(r.body)
		if valid&setSize != 0 {
			if err := n.file.Truncate(int64(order.Uint64(r.body[16:]))); err != nil {
				return nil, err
			}
		}
		if valid&setMtime != 0 {
			if err := n.file.SetModTime(time.Unix(int64(order.Uint64(r.body[40:])), int64(order.Uint32(r.body[60:])))); err != nil {
				return nil, err
			}
		}
		return m.attributes(n, r.node)
	case fuseOpen:
		return opened(), nil
	case fuseRead:
		b := make([]byte, order.Uint32(r.body[16:]))
		read, err := n.file.ReadAt(b, int64(order.Uint64(r.body[8:])))
		if read > 0 || errors.Is(err, io.EOF) {
			err = nil
		}
		return b[:read], err
	case fuseWrite:
		data := r.body[40:][:order.Uint32(r.body[16:])]
		written, err := n.file.WriteAt(data, int64(order.Uint64(r.body[8:])))
		if err != nil && written == len(data) { // the crash happens in the middle of it
			written = 0
		}
		if err != nil && written == 0 {
			return nil, err
		}
		return order.AppendUint64(nil, uint64(written)), nil
	case fuseFsync:
		if order.Uint32(r.body[8:])&fsyncDatasync != 0 {
			return nil, n.file.Datasync()
		}
		return nil, n.file.Sync()
	}
	return nil, unix.ENOSYS
}

// opened is the answer to an open: no number, since the node is enough.
func opened() []byte { return order.AppendUint64(make([]byte, 8, 16), directIO) }

// onFolder answers a request about a folder, or about a name in it.
func (m *mounted) onFolder(n *node, r request) ([]byte, error) {
	name := func(at int) string { return path.Join(n.path, r.words(at)[0]) }
	switch r.opcode {
	case fuseGetattr, fuseSetattr:
		return m.attributes(n, r.node)
	case fuseLookup:
		return m.entry(name(0))
	case fuseMkdir:
		if err := m.d.MkdirAll(name(8)); err != nil {
			return nil, err
		}
		return m.entry(name(8))
	case fuseCreate:
		created := name(16)
		if _, err := m.d.Create(created); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		out, err := m.entry(created)
		return append(out, opened()...), err
	case fuseUnlink:
		if err := m.d.Remove(name(0)); err != nil {
			return nil, err
		}
		delete(m.ids, name(0))
		return nil, nil
	case fuseRmdir:
		return nil, m.d.removeDir(name(0))
	case fuseRename:
		return nil, m.rename(n, order.Uint64(r.body), r.words(8))
	case fuseRenameFlags:
		return nil, m.rename(n, order.Uint64(r.body), r.words(16))
	case fuseOpendir:
		return make([]byte, 16), nil
	case fuseReaddir:
		return m.entries(n.path, order.Uint64(r.body[8:]), int(order.Uint32(r.body[16:])))
	case fuseFsyncdir:
		return nil, m.d.SyncDir(n.path)
	}
	return nil, unix.ENOSYS
}

func (m *mounted) rename(from *node, to uint64, words []string) error {
	target := m.nodes[to]
	if target == nil || len(words) < 2 {
		return unix.EINVAL
	}
	oldname, newname := path.Join(from.path, words[0]), path.Join(target.path, words[1])
	if m.d.isDir(oldname) {
		return unix.ENOSYS
	}
	if err := m.d.Rename(oldname, newname); err != nil {
		return err
	}
	delete(m.ids, newname)
	if id, known := m.ids[oldname]; known {
		m.ids[newname] = id
		delete(m.ids, oldname)
	}
	return nil
}

// entry looks a name up.
func (m *mounted) entry(name string) ([]byte, error) {
	id, known := m.ids[name]
	if !known {
		n := &node{path: name}
		if !m.d.isDir(name) {
			f, err := m.d.OpenRead(name)
			if err != nil {
				return nil, err
			}
			n.file = f
		}
		m.last++
		id = m.last
		m.ids[name], m.nodes[id] = id, n
	}
	attr, err := m.attr(m.nodes[id], id)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 40, 40+len(attr)+16)
	order.PutUint64(out, id)
	return append(out, attr...), nil
}

func (m *mounted) attributes(n *node, id uint64) ([]byte, error) {
	attr, err := m.attr(n, id)
	return append(make([]byte, 16), attr...), err
}

func (m *mounted) attr(n *node, id uint64) ([]byte, error) {
	if m.d.Crashed() {
		return nil, ErrCrashed
	}
	out, mode, size, modified := make([]byte, 88), uint32(unix.S_IFDIR|0o700), int64(0), time.Unix(1, 0)
	if n.file != nil {
		var err error
		if size, err = n.file.Size(); err != nil {
			return nil, err
		}
		if modified, err = n.file.ModTime(); err != nil {
			return nil, err
		}
		mode = unix.S_IFREG | 0o600
	}
	order.PutUint64(out, id)
	order.PutUint64(out[8:], uint64(size))
	order.PutUint64(out[16:], uint64(size+511)/512)
	order.PutUint64(out[32:], uint64(modified.Unix()))
	order.PutUint32(out[52:], uint32(modified.Nanosecond()))
	order.PutUint32(out[60:], mode)
	order.PutUint32(out[64:], 1)
	order.PutUint32(out[68:], uint32(os.Getuid()))
	order.PutUint32(out[72:], uint32(os.Getgid()))
	order.PutUint32(out[80:], 4096)
	return out, nil
}

// entries lists a folder from the entry with number from on, in at most limit bytes.
func (m *mounted) entries(dir string, from uint64, limit int) ([]byte, error) {
	names, err := m.d.list(dir)
	if err != nil {
		return nil, err
	}
	var out []byte
	for i := from; i < uint64(len(names)); i++ {
		name := names[i]
		kind := uint32(unix.DT_REG)
		if m.d.isDir(path.Join(dir, name)) {
			kind = unix.DT_DIR
		}
		e := order.AppendUint64(nil, 1<<40+i) // a number that is not zero; lookups give the real one
		e = order.AppendUint64(e, i+1)
		e = order.AppendUint32(e, uint32(len(name)))
		e = order.AppendUint32(e, kind)
		e = append(e, name...)
		for len(e)%8 != 0 {
			e = append(e, 0)
		}
		if len(out)+len(e) > limit {
			break
		}
		out = append(out, e...)
	}
	return out, nil
}

// isDir reports whether there is a folder of that name.
func (d *Disk) isDir(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dirs[name]
}

// list is the names of a folder's files and folders, sorted.
func (d *Disk) list(dir string) ([]string, error) {
	names, err := d.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.crashed {
		return nil, ErrCrashed
	}
	for name := range d.dirs {
		if name != dir && path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

// removeDir removes a folder that is empty.
func (d *Disk) removeDir(name string) error {
	names, err := d.list(name)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return unix.ENOTEMPTY
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.dirs, name)
	return nil
}
