package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// writer is the state of the one goroutine that writes.
type writer struct {
	*Archive
	file    *os.File // of the last segment; nil: the next batch begins a new one
	failing bool     // the last batch could not be written, and that was logged
}

// linger is how long the writer rests between two batches. A transition pays for waking
// a writer that sleeps, ten times what the event itself costs; while there is much to
// do, only one in a millisecond does so.
const linger = time.Millisecond

// write writes batches until the archive is closed and nothing is pending.
func (a *Archive) write(active *os.File) {
	defer close(a.done)
	w := &writer{Archive: a, file: active}
	var spare batch
	rest := time.NewTimer(linger)
	defer rest.Stop()
	for range a.wake {
		a.mu.Lock()
		taken, closed := a.pending, a.closed
		a.pending = batch{data: spare.data[:0], index: spare.index[:0]}
		a.mu.Unlock()
		if len(taken.index) > 0 {
			w.settle(taken)
		}
		spare = taken
		if closed {
			break // nothing is taken any more
		}
		rest.Reset(linger)
		<-rest.C
	}
	if w.file != nil {
		w.file.Close()
	}
}

// settle writes a batch, or gives it up, and tells who waits.
func (w *writer) settle(b batch) {
	into, err := w.put(b)
	if err != nil {
		w.metrics.errors.Inc()
		w.metrics.dropped.Add(float64(len(b.index)))
		if !w.failing {
			w.Log.Error(err, "events are dropped until they can be written again", "events", len(b.index))
		}
	}
	w.failing = err != nil

	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		for _, p := range b.index {
			p.offset += uint32(into.size)
			into.index = append(into.index, p)
		}
		into.size += int64(len(b.data))
		w.metrics.appended.Add(float64(len(b.index)))
	}
	w.settled = b.first + uint64(len(b.index)) - 1
	close(w.grown)
	w.grown = make(chan struct{})
}

// put appends a batch to the last segment, or to a new one where that is full.
func (w *writer) put(b batch) (*segment, error) {
	if err := w.makeRoom(int64(len(b.data))); err != nil {
		return nil, err
	}
	var last *segment
	if w.file != nil {
		last = w.last()
		if last.size > 0 && last.size+int64(len(b.data)) > w.maxSegment {
			w.file.Close()
			w.file = nil
		}
	}
	if w.file == nil {
		var err error
		if last, err = w.begin(b.first); err != nil {
			return nil, err
		}
	}
	if _, err := w.file.Write(b.data); err != nil {
		// What was written of it is cut off, and the numbers go on in a new segment, so
		// that in each they have no gap.
		err = errors.Join(err, w.file.Truncate(last.size))
		w.file.Close()
		w.file = nil
		w.discardEmpty(last)
		return nil, fmt.Errorf("write events to %s: %w", last.name(), err)
	}
	return last, nil
}

func (w *writer) last() *segment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.segments[len(w.segments)-1]
}

// begin makes a new segment.
func (w *writer) begin(first uint64) (*segment, error) {
	file, err := w.root.OpenFile(segmentName(first), os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin event segment %s: %w", segmentName(first), err)
	}
	w.file = file
	s := &segment{first: first, indexed: true}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.segments = append(w.segments, s)
	return s, nil
}

// discardEmpty removes a segment that nothing could be written to.
func (w *writer) discardEmpty(s *segment) {
	if s.size > 0 || w.root.Remove(s.name()) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.segments = w.segments[:len(w.segments)-1]
}

// makeRoom drops the oldest segments until n more bytes fit.
func (w *writer) makeRoom(n int64) error {
	for {
		oldest := w.beyond(n)
		if oldest == nil {
			return nil
		}
		if err := w.root.Remove(oldest.name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop the oldest events: %w", err)
		}
		w.mu.Lock()
		if len(w.segments) == 1 && w.file != nil {
			w.file.Close()
			w.file = nil
		}
		w.segments = append([]*segment(nil), w.segments[1:]...)
		w.mu.Unlock()
	}
}

// beyond is the oldest segment when n more bytes exceed MaxBytes.
func (w *writer) beyond(n int64) *segment {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.segments {
		n += s.size
	}
	if n <= w.MaxBytes || len(w.segments) == 0 {
		return nil
	}
	return w.segments[0]
}
