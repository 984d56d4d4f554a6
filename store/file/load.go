package file

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
)

// loaded is the content of jobs.json beside its objects.
type loaded struct {
	// from is where the journal goes on; zero: at its start.
	from journal.From
	size int64
	// edit is how jobs.json differs from what was written; nil: not at all.
	edit *Edit
	// found: there is a jobs.json.
	found bool
}

// errEdited: the file is not byte for byte what a checkpoint has written.
var errEdited = errors.New("not as it was written")

// load reads jobs.json into the index.
func (m *image) load() (loaded, error) {
	path := filepath.Join(m.dir, snapshotName)
	f, err := m.fsys.OpenRead(path)
	if errors.Is(err, fs.ErrNotExist) {
		return loaded{}, m.checkNew(path)
	}
	if err != nil {
		return loaded{}, err
	}
	size, err := f.Size()
	if err == nil {
		err = m.loadWritten(f, path, size)
	}
	var l loaded
	switch {
	case err == nil:
		l = loaded{from: m.loadedFrom, size: size}
	case errors.Is(err, errEdited):
		m.index, m.visible = newIndex(m.kinds), 0
		l, err = m.loadEdited(f, path, size)
	}
	l.found = true
	return l, errors.Join(err, f.Close())
}

// checkNew makes sure that there is no jobs.json because there never was one.
func (m *image) checkNew(path string) error {
	names, err := m.fsys.ReadDir(filepath.Join(m.dir, journalName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range names {
		if filepath.Ext(name) != filepath.Ext(journal.SegmentName(1)) {
			continue
		}
		if name == journal.SegmentName(1) {
			return nil
		}
		return &journal.Corrupt{
			File: path, Cause: "the file is missing, but the journal (" + name + ") continues one",
			Advice: "put it back, or restore the latest backup",
		}
	}
	return nil
}

// loadWritten reads a file that a checkpoint has written; errEdited when it is not
// such a file any more.
func (m *image) loadWritten(f vfs.File, path string, size int64) error {
	src, err := m.sources.add(path, 0)
	if err != nil {
		return err
	}
	r := &lines{r: bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 1<<20)}
	line, err := r.next()
	if err != nil {
		return err
	}
	rv, ok := parseHead(line)
	if !ok {
		return errEdited
	}
	m.visible = rv
	loader := m.newLoader(size)
	defer loader.finish()
	tail, err := m.loadItems(r, line, src.id, loader)
	if err != nil {
		return err
	}
	c, err := parseTail(tail, r.sum)
	if err != nil {
		return err
	}
	end := r.offset + int64(len(tail))
	if end != size || c.Objects != loader.objects {
		return errEdited
	}
	if c.Format != snapshotFormat {
		return &journal.Corrupt{
			File: path, Offset: r.offset,
			Cause:  newerFormat(c.Format),
			Advice: adviceNewer,
		}
	}
	m.loadedFrom = journal.From{Segment: c.Journal, Sequence: c.Sequence}
	return nil
}

// loadItems reads the lines of objects, which follow the head, and returns the tail.
func (m *image) loadItems(r *lines, head []byte, src uint32, loader *loader) (tail []byte, err error) {
	for line := head; ; {
		r.pass(line)
		if line, err = r.next(); err != nil {
			return nil, err
		}
		if bytes.HasPrefix(line, []byte(tailStart[1:])) {
			return line, nil
		}
		item := bytes.TrimSuffix(line[:len(line)-1], []byte(","))
		if len(item) == 0 && loader.objects == 0 {
			continue // the line of an empty list
		}
		e, err := m.entryOf(item)
		if err != nil {
			return nil, errEdited
		}
		e.moveTo(src, r.offset)
		loader.add(e)
	}
}

// lines reads a file line by line. offset and sum are of the lines that were passed.
type lines struct {
	r      *bufio.Reader
	offset int64
	sum    uint32
}

// next returns the next line with its end; it is valid until the call after. A file that
// ends within a line was edited.
func (l *lines) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		head := bytes.Clone(line)
		line, err = l.r.ReadBytes('\n')
		line = append(head, line...)
	}
	if errors.Is(err, io.EOF) {
		err = errEdited
	}
	return line, err
}

func (l *lines) pass(line []byte) {
	l.sum = journal.ExtendChecksum(l.sum, line)
	l.offset += int64(len(line))
}

// parseHead reads the first line.
func parseHead(line []byte) (rv uint64, ok bool) {
	prefix, suffix, _ := strings.Cut(snapshotHead(0), "0")
	rest, ok := bytes.CutPrefix(line, []byte(prefix))
	if !ok {
		return 0, false
	}
	number, ok := bytes.CutSuffix(rest, []byte(suffix))
	if !ok {
		return 0, false
	}
	rv, err := strconv.ParseUint(string(number), 10, 64)
	return rv, err == nil
}

// parseTail reads the last line; sum is the checksum of all before it.
func parseTail(line []byte, sum uint32) (c checkpoint, err error) {
	body := bytes.TrimPrefix(line, []byte(tailStart[1:]))
	body, ok := bytes.CutSuffix(body, []byte("}\n"))
	at := bytes.LastIndex(line, []byte(checksumStart))
	if !ok || at < 0 || json.Unmarshal(body, &c) != nil {
		return c, errEdited
	}
	sum = journal.ExtendChecksum(sum, line[:at+len(checksumStart)])
	want, err := hex.DecodeString(c.Checksum)
	if err != nil || len(want) != 4 || !bytes.Equal(appendHex(nil, sum), []byte(c.Checksum)) {
		return c, errEdited
	}
	return c, nil
}

// loader puts entries into the index beside the goroutine that reads them.
type loader struct {
	objects int
	batch   []*entry
	batches chan []*entry
	done    chan struct{}
}

func (m *image) newLoader(size int64) *loader {
	const batchSize = 4096
	l := &loader{batch: make([]*entry, 0, batchSize), batches: make(chan []*entry, 4), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for first := true; ; first = false {
			batch, ok := <-l.batches
			if !ok {
				return
			}
			if first && len(batch) == batchSize {
				var bytes int64
				for _, e := range batch {
					bytes += int64(e.size)
				}
				m.index.reserve(batch[batchSize-1].class.kind, int(size/(bytes/batchSize)))
			}
			for _, e := range batch {
				m.index.load(e)
			}
		}
	}()
	return l
}

func (l *loader) add(e *entry) {
	l.objects++
	if l.batch = append(l.batch, e); len(l.batch) == cap(l.batch) {
		l.batches <- l.batch
		l.batch = make([]*entry, 0, cap(l.batch))
	}
}

// finish waits until everything is in the index.
func (l *loader) finish() {
	l.batches <- l.batch
	close(l.batches)
	<-l.done
}

// newerFormat is why a jobs.json of another format is refused, adviceNewer what to do.
func newerFormat(format int) string {
	return fmt.Sprintf("format %d, this version reads format %d", format, snapshotFormat)
}

const adviceNewer = "start the version that wrote it"
