package vfstest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

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
		return nil, errCrashed
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
		return nil, errCrashed
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
