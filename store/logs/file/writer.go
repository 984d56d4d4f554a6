package file

import (
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"jobwright.dev/store/logs"
)

// timeFormat has microseconds and a fixed width, so that entries align and sort.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// writer appends the output of one attempt to its job's log.
type writer struct {
	archive *Archive
	name    string

	mu      sync.Mutex
	file    *os.File // nil until the first line, and after Close
	size    int64
	dropped int64 // bytes beyond the limit
	err     error // the first write error; later lines are dropped
	closed  bool
	buf     []byte
}

// Writer implements logs.Store. The file is made with the first line, so that a job
// without output has none.
func (a *Archive) Writer(ref logs.Ref) (logs.Writer, error) {
	name, err := a.pathOf(ref)
	if err != nil {
		return nil, err
	}
	return &writer{archive: a, name: name}, nil
}

// Line implements logs.Writer.
func (w *writer) Line(now time.Time, stream logs.Stream, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.err != nil {
		return
	}
	stamp := now.UTC().Format(timeFormat)
	w.buf = w.buf[:0]
	for line := range strings.Lines(ensureLine(text)) {
		line = strings.TrimRight(line, "\r\n")
		for first := true; first || line != ""; first = false {
			var part string
			part, line = cut(line, logs.MaxLine)
			w.buf = appendEntry(w.buf, stamp, stream, part)
		}
	}
	w.append()
}

// ensureLine makes an empty text one empty line.
func ensureLine(text string) string {
	if text == "" {
		return "\n"
	}
	return text
}

// cut splits s after at most limit bytes, never inside a character.
func cut(s string, limit int) (head, tail string) {
	if len(s) <= limit {
		return s, ""
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	if limit == 0 {
		limit = min(len(s), logs.MaxLine)
	}
	return s[:limit], s[limit:]
}

func appendEntry(buf []byte, stamp string, stream logs.Stream, text string) []byte {
	buf = append(buf, stamp...)
	buf = append(buf, ' ')
	buf = append(buf, stream...)
	buf = append(buf, ' ')
	if utf8.ValidString(text) {
		buf = append(buf, text...)
	} else {
		buf = append(buf, strings.ToValidUTF8(text, "\uFFFD")...)
	}
	return append(buf, '\n')
}

// append writes buf, opening the file first where needed.
func (w *writer) append() {
	if w.file == nil {
		if w.err = w.open(); w.err != nil {
			return
		}
	}
	if w.size+int64(len(w.buf)) > w.archive.maxBytes {
		w.dropped += int64(len(w.buf))
		return
	}
	w.write(w.buf)
}

func (w *writer) write(b []byte) {
	n, err := w.file.Write(b)
	w.size += int64(n)
	if err != nil {
		w.err = fmt.Errorf("write log %s: %w", w.name, err)
		return
	}
	w.archive.announce(w.name)
}

// openFile opens a file for appending, and makes it and its folder where they are missing.
func (a *Archive) openFile(name string) (*os.File, error) {
	a.folders.RLock()
	defer a.folders.RUnlock()
	if err := a.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, err
	}
	return a.root.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
}

// open opens the file for appending and ends a line that a crash has torn.
func (w *writer) open() error {
	file, err := w.archive.openFile(w.name)
	if err != nil {
		return fmt.Errorf("open log %s: %w", w.name, err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return fmt.Errorf("open log %s: %w", w.name, err)
	}
	w.file, w.size = file, info.Size()
	if w.size == 0 {
		return nil
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, w.size-1); err != nil {
		return fmt.Errorf("open log %s: %w", w.name, err)
	}
	if last[0] != '\n' {
		w.write([]byte{'\n'})
	}
	return w.err
}

// Close implements logs.Writer. It says in the log how much was dropped over the limit.
func (w *writer) Close(now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.file == nil {
		return w.err
	}
	if w.dropped > 0 && w.err == nil {
		text := fmt.Sprintf("%d bytes of output dropped: the log of a job is limited to %d bytes", w.dropped, w.archive.maxBytes)
		w.write(appendEntry(nil, now.UTC().Format(timeFormat), logs.System, text))
	}
	if err := w.file.Close(); err != nil && w.err == nil {
		w.err = fmt.Errorf("close log %s: %w", w.name, err)
	}
	return w.err
}
