package events

import (
	"context"
	"fmt"
)

// followMost is how many events Next returns at once.
const followMost = 500

// Follower delivers events as they are written. It is used by one goroutine.
type Follower struct {
	archive *Archive
	sieve   sieve
	after   uint64
}

// Follow returns a follower of what f selects with numbers above after, which is a
// Page's or an Event's Seq; Limit and Before are not used. Repeated events come one by
// one, and PerJob does not bound them.
func (a *Archive) Follow(after uint64, f Filter) *Follower {
	return &Follower{archive: a, sieve: a.sieve(f), after: after}
}

// Seq is the number up to which Next has delivered everything.
func (f *Follower) Seq() uint64 { return f.after }

// Next returns the events that are there, oldest first, or waits for some. It returns
// ErrExpired when the next event is no longer there, ErrClosed after Close, and the
// context's error when ctx ends first.
func (f *Follower) Next(ctx context.Context) ([]Event, error) {
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
		if events := f.read(v); len(events) > 0 {
			return events, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// find returns the segment of the next event, or the channel that is closed when there
// may be one.
func (f *Follower) find() (segment, <-chan struct{}, error) {
	a := f.archive
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return segment{}, nil, ErrClosed
	case f.after > a.settled || len(a.segments) > 0 && f.after+1 < a.segments[0].first:
		return segment{}, nil, ErrExpired
	}
	for _, s := range a.segments {
		if !s.indexed || s.next() > f.after+1 {
			return *s, nil, nil
		}
	}
	f.after = a.settled // what is missing was given up
	return segment{}, a.grown, nil
}

// read reads on in a segment and moves behind what it has read.
func (f *Follower) read(v segment) []Event {
	file, index := f.archive.open(v)
	if file == nil {
		if v.indexed { // else it is now, or dropped
			f.after = max(f.after, v.next()-1)
		}
		return nil
	}
	defer file.Close()
	lines := window{file: file}
	var out []Event
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
		if ok && f.sieve.selects(&event) {
			out = append(out, event)
		}
	}
	return out
}
