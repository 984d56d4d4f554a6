package file

import (
	"context"
	"fmt"

	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

// followMost is how many events Next returns at once.
const followMost = 500

// follower delivers events as they are written.
type follower struct {
	archive *Archive
	sieve   sieve
	after   uint64
}

// Follow implements events.Store.
func (a *Archive) Follow(after uint64, f events.Filter) events.Follower {
	return &follower{archive: a, sieve: a.sieve(f), after: after}
}

// Seq implements events.Follower.
func (f *follower) Seq() uint64 { return f.after }

// Next implements events.Follower.
func (f *follower) Next(ctx context.Context) ([]events.Event, error) {
	for {
		v, grown, err := f.find()
		if err != nil {
			return nil, fmt.Errorf("follow events after number %d: %w", f.after, err)
		}
		if v.first == 0 {
			select {
			case <-grown:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if found := f.read(v); len(found) > 0 {
			return found, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// find returns the segment of the next event, or the channel that is closed when there
// may be one.
func (f *follower) find() (segment, <-chan struct{}, error) {
	a := f.archive
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return segment{}, nil, store.ErrClosed
	case f.after > a.settled || len(a.segments) > 0 && f.after+1 < a.segments[0].first:
		return segment{}, nil, store.ErrExpired
	}
	for _, s := range a.segments {
		if !s.indexed || s.next() > f.after+1 {
			return *s, nil, nil
		}
	}
	f.after = a.settled // what is missing was given up
	return segment{}, a.grown, nil
}

// read reads on in a segment and advances.
func (f *follower) read(v segment) []events.Event {
	file, index := f.archive.open(v)
	if file == nil {
		if v.indexed { // else it is now, or dropped
			f.after = max(f.after, v.next()-1)
		}
		return nil
	}
	defer file.Close()
	lines := window{file: file}
	var out []events.Event
	from := 0
	if f.after >= v.first {
		from = int(f.after - v.first + 1)
	}
	for i := from; i < len(index) && len(out) < followMost; i++ {
		p, end := index[i], v.size
		if i+1 < len(index) {
			end = int64(index[i+1].offset)
		}
		f.after = v.first + uint64(i)
		if !f.sieve.may(p) {
			continue
		}
		line, err := lines.line(int64(p.offset), end, v.size, false)
		if err != nil {
			f.archive.unreadable(v.name(), err)
			f.after = v.first + uint64(len(index)) - 1
			break
		}
		event, ok := parse(line)
		event.Seq, event.FirstSeq = f.after, f.after
		if ok && f.sieve.Selects(&event) {
			out = append(out, event)
		}
	}
	return out
}
