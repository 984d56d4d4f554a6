package vfstest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

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
