package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

// sieve is a Filter with the hashes of its values.
type sieve struct {
	events.Filter
	want position
}

func (a *Archive) sieve(f events.Filter) sieve {
	return sieve{Filter: f, want: a.hasher.position(f.Workspace, f.Job, f.UID, 0)}
}

// may tells from the index alone whether an event can be selected.
func (s *sieve) may(p position) bool {
	return (s.Workspace == "" || p.workspace == s.want.workspace) && (s.Job == "" || p.job == s.want.job) && (s.UID == "" || p.uid == s.want.uid)
}

// List implements events.Store. It waits until earlier events are written. Files
// that cannot be read are passed over, logged and counted.
func (a *Archive) List(ctx context.Context, f events.Filter) (events.Page, error) {
	views, settled, err := a.snapshot(ctx)
	if err != nil {
		return events.Page{}, fmt.Errorf("list events: %w", err)
	}
	l := lister{sieve: a.sieve(f), archive: a, seen: map[uint32]int{}, last: map[types.UID]int{}, page: events.Page{Seq: settled}}
	for _, v := range slices.Backward(views) {
		if l.page.Before != 0 {
			break
		}
		l.segment(v)
	}
	return l.page, nil
}

// snapshot waits until what was appended is settled and returns the segments as they
// are then.
func (a *Archive) snapshot(ctx context.Context) ([]segment, uint64, error) {
	a.mu.Lock()
	upTo := a.seq
	for a.settled < upTo {
		grown := a.grown
		a.mu.Unlock()
		select {
		case <-grown:
		case <-a.done: // closing writes the rest first
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
		a.mu.Lock()
	}
	defer a.mu.Unlock()
	if a.closed {
		return nil, 0, store.ErrClosed
	}
	views := make([]segment, 0, len(a.segments))
	for _, s := range a.segments {
		views = append(views, *s)
	}
	return views, a.settled, nil
}

// open opens a segment for reading and makes its index where there is none. Both are
// nil when it was dropped meanwhile, or cannot be read, which is counted.
func (a *Archive) open(v segment) (*os.File, []position) {
	if v.size == 0 {
		a.learn(v.first, nil)
		return nil, nil
	}
	file, err := a.root.Open(v.name())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && v.indexed {
		return file, v.index
	}
	var index []position
	var damaged int
	if err == nil {
		index, _, damaged, err = a.hasher.readIndex(file)
	}
	if a.learn(v.first, index) && (damaged > 0 || err != nil) {
		a.damaged(v.name(), damaged, err)
	}
	if err != nil {
		if file != nil {
			file.Close()
		}
		return nil, nil
	}
	return file, index
}

// learn keeps the index of a segment; false: it is known or gone.
func (a *Archive) learn(first uint64, index []position) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.segments, func(s *segment) bool { return s.first == first })
	if i < 0 || a.segments[i].indexed {
		return false
	}
	a.segments[i].index, a.segments[i].indexed = index, true
	return true
}

// unreadable counts and logs a file that could be opened and not read.
func (a *Archive) unreadable(name string, err error) {
	a.metrics.errors.Inc()
	a.Log.Error(err, "events cannot be read and are passed over", "file", name)
}

// lister gathers events from the newest to the oldest.
type lister struct {
	sieve
	archive *Archive
	page    events.Page
	seen    map[uint32]int    // events by the hash of their job's uid
	last    map[types.UID]int // in page.Events: the oldest event of a job so far
}

func (l *lister) segment(v segment) {
	file, index := l.archive.open(v)
	if file == nil {
		return
	}
	defer file.Close()
	lines := window{file: file}
	end := v.size
	for i, p := range slices.Backward(index) {
		seq, lineEnd := v.first+uint64(i), end
		end = int64(p.offset)
		if !l.may(p) || l.seen[p.uid] >= l.archive.PerJob {
			continue
		}
		l.seen[p.uid]++ // also what an earlier page has shown
		if l.Before != 0 && seq >= l.Before {
			continue
		}
		line, err := lines.line(int64(p.offset), lineEnd, v.size, true)
		if err != nil {
			l.archive.unreadable(v.name(), err)
			return
		}
		event, ok := parse(line)
		event.Seq, event.FirstSeq = seq, seq
		if ok && l.Selects(&event) && !l.add(event) {
			l.page.Before = seq + 1
			return
		}
	}
}

// add adds an event that is older than all before; false: the limit is reached.
func (l *lister) add(e events.Event) bool {
	shown := l.page.Events
	if at, ok := l.last[e.UID]; ok && shown[at].Repeats(&e) {
		known := &shown[at]
		known.First, known.FirstSeq = e.Time, e.Seq
		known.Count++
		return true
	}
	if l.Limit > 0 && len(shown) == l.Limit {
		return false
	}
	l.last[e.UID] = len(shown)
	l.page.Events = append(shown, e)
	return true
}
