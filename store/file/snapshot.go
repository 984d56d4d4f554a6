package file

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/journal"
)

// The parts of jobs.json around the objects; doc.go shows the whole.
const (
	itemSeparator  = ",\n"
	snapshotFormat = 1
	// chunkSize is what one checksum in the checkpoint covers: small enough to say
	// where damage is, large enough that a million objects need a few kilobytes.
	chunkSize = 1 << 20
)

// snapshotHead is what stands before the first object.
func snapshotHead(rv uint64) string {
	return `{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"` + strconv.FormatUint(rv, 10) + `"},"items":[` + "\n"
}

// checkpoint is the last line of jobs.json.
type checkpoint struct {
	// Format is the version of what doc.go shows.
	Format int `json:"format"`
	// Journal is the first segment that is needed, and Sequence the last block in it
	// whose records the file has. 0: the file is a backup, complete in itself.
	Journal  uint64 `json:"journal"`
	Sequence uint64 `json:"sequence"`
	Objects  int    `json:"objects"`
	// Written is also the file's time of modification: as long as they agree, nobody
	// has edited it.
	Written time.Time `json:"written"`
	// Chunks are the checksums of the file's first, second … mebibyte up to the
	// checkpoint, 8 hexadecimal digits each.
	Chunks string `json:"chunks"`
	// Checksum is that of everything before its own digits.
	Checksum string `json:"checksum"`
}

const (
	tailStart     = "\n],\"checkpoint\":"
	checksumStart = `,"checksum":"`
	tailEnd       = "\"}}\n"
)

// snapshotFile is what of a file a snapshot needs.
type snapshotFile interface {
	WriteAt(b []byte, off int64) (int, error)
	Datasync() error
	SetModTime(t time.Time) error
}

// snapshotWriter writes a file from front to back, with the checksums that go into
// its checkpoint.
type snapshotWriter struct {
	file   snapshotFile
	buf    []byte
	offset int64
	sum    uint32
	chunks []byte
	// unsynced is how much was written since the last sync.
	unsynced int64
}

// syncEvery keeps the amount of dirty pages small: what is left of them at the end
// would hold up the commits that the journal makes meanwhile.
const syncEvery = 8 << 20

// flush writes all whole chunks in the buffer; all: the rest too.
func (w *snapshotWriter) flush(all bool) error {
	for len(w.buf) >= chunkSize || all && len(w.buf) > 0 {
		n := min(len(w.buf), chunkSize)
		if _, err := w.file.WriteAt(w.buf[:n], w.offset); err != nil {
			return err
		}
		w.sum = journal.ExtendChecksum(w.sum, w.buf[:n])
		w.chunks = appendHex(w.chunks, journal.Checksum(w.buf[:n]))
		w.offset += int64(n)
		w.buf = append(w.buf[:0], w.buf[n:]...)
		if w.unsynced += int64(n); w.unsynced >= syncEvery {
			w.unsynced = 0
			if err := w.file.Datasync(); err != nil {
				return err
			}
		}
	}
	return nil
}

func appendHex(b []byte, sum uint32) []byte {
	return hex.AppendEncode(b, []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// encodeSnapshot writes v to f and returns the file's size.
func (m *image) encodeSnapshot(ctx context.Context, f snapshotFile, v *view) (int64, error) {
	set := m.sources.acquire()
	defer m.sources.release(set)
	w := &snapshotWriter{file: f, buf: make([]byte, 0, 2*chunkSize)}
	w.buf = append(w.buf, snapshotHead(v.rv)...)
	objects := 0
	ahead := &readAhead{sources: m.sources, set: set}
	for _, kind := range m.kinds {
		c := v.trees[kind.Name].from(nil)
		for e := c.next(); e != nil; e = c.next() {
			encoding, err := ahead.read(e)
			if err != nil {
				return 0, err
			}
			if objects > 0 {
				w.buf = append(w.buf, itemSeparator...)
			}
			w.buf = append(w.buf, encoding...)
			if objects++; objects%1024 == 0 && ctx.Err() != nil {
				return 0, ctx.Err()
			}
			if err := w.flush(false); err != nil {
				return 0, err
			}
		}
	}
	if err := w.flush(true); err != nil {
		return 0, err
	}
	// Filesystems keep times in nanoseconds, some in seconds; microseconds are what
	// most tools that copy files keep.
	written := time.Now().UTC().Truncate(time.Microsecond)
	tail, err := json.Marshal(checkpoint{
		Format: snapshotFormat, Journal: v.segment, Sequence: v.sequence, Objects: objects, Written: written, Chunks: string(w.chunks),
	})
	if err != nil {
		return 0, err
	}
	w.buf = append(w.buf, tailStart...)
	w.buf = append(w.buf, tail[:len(tail)-len(`,"checksum":""}`)]...)
	w.buf = append(w.buf, checksumStart...)
	sum := journal.ExtendChecksum(w.sum, w.buf)
	w.buf = appendHex(w.buf, sum)
	w.buf = append(w.buf, tailEnd...)
	if err := w.flush(true); err != nil {
		return 0, err
	}
	if err := f.SetModTime(written); err != nil {
		return 0, fmt.Errorf("set the time of jobs.json: %w", err)
	}
	return w.offset, nil
}

// replaceSnapshot writes v as the new jobs.json, and returns its size.
func (m *image) replaceSnapshot(v *view) (size int64, err error) {
	temp, final := filepath.Join(m.dir, tempName), filepath.Join(m.dir, snapshotName)
	if err := m.removeTemp(); err != nil {
		return 0, err
	}
	f, err := m.fsys.Create(temp)
	if err != nil {
		return 0, err
	}
	size, err = m.encodeSnapshot(context.Background(), f, v)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = m.fsys.Rename(temp, final)
	}
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w: %w", store.ErrFull, err)
		}
		return 0, errors.Join(err, m.removeTemp())
	}
	return size, m.fsys.SyncDir(m.dir)
}

// removeTemp removes what an interrupted rewrite of jobs.json has left.
func (m *image) removeTemp() error {
	err := m.fsys.Remove(filepath.Join(m.dir, tempName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
