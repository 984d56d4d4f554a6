package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// chunk is how much a reader reads at once: large enough that an archive is read
// at the disk's speed, small enough for many followers.
const chunk = 256 << 10

// reader reads one job's log.
type reader struct {
	archive *Archive
	name    string
	err     error // of an invalid Ref
	file    *os.File
	offset  int64
}

// Open implements logs.Store.
func (a *Archive) Open(ref logs.Ref) logs.Reader {
	name, err := a.pathOf(ref)
	return &reader{archive: a, name: name, err: err}
}

// Close implements logs.Reader.
func (r *reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// From implements logs.Reader.
func (r *reader) From(_ context.Context, offset int64) error {
	if offset < 0 {
		return fmt.Errorf("read log: %w: offset %d must not be negative", store.ErrInvalid, offset)
	}
	if r.err != nil {
		return r.err
	}
	r.offset = offset
	if offset == 0 {
		return nil
	}
	opened, err := r.open()
	if err != nil || !opened {
		return err
	}
	before := make([]byte, 1)
	if _, err := r.file.ReadAt(before, offset-1); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("read log %s: %w", r.name, err)
	}
	if before[0] == '\n' {
		return nil
	}
	return r.skipLine()
}

func (r *reader) skipLine() error {
	buf := make([]byte, 4<<10)
	for {
		n, err := r.file.ReadAt(buf, r.offset)
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			r.offset += int64(i) + 1
			return nil
		}
		r.offset += int64(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log %s: %w", r.name, err)
		}
	}
}

// Tail implements logs.Reader.
func (r *reader) Tail(_ context.Context, n int) error {
	if n < 0 {
		return fmt.Errorf("read log: %w: a tail of %d lines must not be negative", store.ErrInvalid, n)
	}
	opened, err := r.open()
	if err != nil || !opened {
		return err
	}
	info, err := r.file.Stat()
	if err != nil {
		return fmt.Errorf("read log %s: %w", r.name, err)
	}
	r.offset, err = tailOffset(r.file, info.Size(), n)
	if err != nil {
		return fmt.Errorf("read log %s: %w", r.name, err)
	}
	return nil
}

// Last implements logs.Reader. Of the file it reads at most that many bytes, which times
// and streams count towards.
func (r *reader) Last(ctx context.Context, entries, bytes int) (last []logs.Entry, before bool, err error) {
	if entries < 0 || bytes < 0 {
		return nil, false, fmt.Errorf("read log: %w: the last %d entries and %d bytes: must not be negative", store.ErrInvalid, entries, bytes)
	}
	opened, err := r.open()
	if err != nil || !opened {
		return nil, false, err
	}
	info, err := r.file.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("read log %s: %w", r.name, err)
	}
	size := info.Size()
	least := max(0, size-int64(bytes))
	from, err := tailOffset(io.NewSectionReader(r.file, least, size-least), size-least, entries)
	if err != nil {
		return nil, false, fmt.Errorf("read log %s: %w", r.name, err)
	}
	// From passes over an entry that the bound on bytes has cut.
	if err := r.From(ctx, least+from); err != nil {
		return nil, false, err
	}
	before = r.offset > 0
	for r.offset < size {
		more, err := r.read()
		if err != nil {
			return nil, false, err
		}
		if len(more) == 0 {
			break // a torn last line
		}
		last = append(last, more...)
	}
	return last[max(0, len(last)-entries):], before, nil // more may have come meanwhile
}

// tailOffset is where the last n complete lines of the first size bytes begin.
func tailOffset(file io.ReaderAt, size int64, n int) (int64, error) {
	buf := make([]byte, 64<<10)
	lines := 0
	for end := size; end > 0; {
		start := max(0, end-int64(len(buf)))
		part := buf[:end-start]
		if _, err := file.ReadAt(part, start); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i, p := range slices.Backward(part) {
			if p != '\n' {
				continue
			}
			// A line end closes the line before it; the nth line from the end
			// begins behind the line end number n+1 from the end.
			if lines == n {
				return start + int64(i) + 1, nil
			}
			lines++
		}
		end = start
	}
	return 0, nil
}

// Read implements logs.Reader.
func (r *reader) Read(context.Context) ([]logs.Entry, error) { return r.read() }

func (r *reader) read() ([]logs.Entry, error) {
	opened, err := r.open()
	if err != nil || !opened {
		return nil, err
	}
	for size := chunk; ; size *= 2 {
		buf := make([]byte, size)
		n, err := r.file.ReadAt(buf, r.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read log %s: %w", r.name, err)
		}
		end := bytes.LastIndexByte(buf[:n], '\n') + 1
		if end > 0 || n < size {
			return r.parse(buf[:end]), nil
		}
	}
}

// Next implements logs.Reader.
func (r *reader) Next(ctx context.Context) ([]logs.Entry, error) {
	if r.err != nil {
		return nil, r.err
	}
	for {
		grown := r.archive.wait(r.name) // before the read, so that nothing is missed
		entries, err := r.read()
		if err != nil || len(entries) > 0 {
			r.archive.leave(r.name, grown)
			return entries, err
		}
		select {
		case <-grown.grown:
		case <-r.archive.closed:
			r.archive.leave(r.name, grown)
			return nil, r.archive.ready()
		case <-ctx.Done():
			r.archive.leave(r.name, grown)
			return nil, ctx.Err()
		}
	}
}

func (r *reader) open() (bool, error) {
	if err := errors.Join(r.err, r.archive.ready()); err != nil {
		return false, err
	}
	if r.file != nil {
		return true, nil
	}
	file, err := r.archive.root.Open(r.name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read log %s: %w", r.name, err)
	}
	r.file = file
	return true, nil
}

// parse turns complete lines into entries and moves the offset behind them. What
// is no entry (a line that a crash has torn) is passed over.
func (r *reader) parse(lines []byte) []logs.Entry {
	entries := make([]logs.Entry, 0, bytes.Count(lines, []byte{'\n'}))
	for line := range bytes.Lines(lines) {
		r.offset += int64(len(line))
		stamp, rest, ok := strings.Cut(string(line[:len(line)-1]), " ")
		if !ok {
			continue
		}
		at, err := time.Parse(timeFormat, stamp)
		if err != nil {
			continue
		}
		stream, text, _ := strings.Cut(rest, " ")
		entries = append(entries, logs.Entry{Offset: r.offset, Time: at, Stream: logs.Stream(stream), Text: text})
	}
	return entries
}
