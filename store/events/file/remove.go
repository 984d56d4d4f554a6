package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"jobwright.dev/store/events"
)

// Each implements events.Keeper: it calls visit with the jobs that have events, one segment
// after the other, so that a job may come more than once.
func (a *Archive) Each(ctx context.Context, visit func(events.Ref) error) error {
	views, _, err := a.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("go through events: %w", err)
	}
	for _, v := range views {
		seen := map[events.Ref]bool{}
		a.lines(v, nil, func(e *events.Event, _ []byte, _ int64) bool {
			seen[events.Ref{Workspace: e.Workspace, Job: e.Job, UID: e.UID}] = true
			return ctx.Err() == nil
		})
		for ref := range seen {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := visit(ref); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// Remove implements events.Keeper. A removed event leaves a line of blanks, so that the
// numbers of the others stay.
func (a *Archive) Remove(ctx context.Context, ref events.Ref) error {
	views, _, err := a.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("remove the events of job %s/%s: %w", ref.Workspace, ref.Job, err)
	}
	uid := a.hasher.of(string(ref.UID))
	for _, v := range views {
		if err := a.blank(v, uid, ref); err != nil && !errors.Is(err, fs.ErrNotExist) { // else it was dropped
			return fmt.Errorf("remove the events of job %s/%s from %s: %w", ref.Workspace, ref.Job, v.name(), err)
		}
	}
	return nil
}

// blank overwrites a job's lines in one segment.
func (a *Archive) blank(v segment, uid uint32, ref events.Ref) (err error) {
	var into *os.File
	defer func() {
		if into != nil {
			into.Close()
		}
	}()
	a.lines(v, &uid, func(e *events.Event, line []byte, at int64) bool {
		if e.UID != ref.UID || e.Workspace != ref.Workspace || e.Job != ref.Job {
			return true // of another job, whose hash is the same
		}
		if into == nil {
			if into, err = a.root.OpenFile(v.name(), os.O_WRONLY, 0o600); err != nil {
				return false
			}
		}
		_, err = into.WriteAt(bytes.Repeat([]byte(" "), len(line)), at)
		return err == nil
	})
	return err
}

// lines calls visit with the events of a segment, or with those whose uid has a hash, until
// visit returns false.
func (a *Archive) lines(v segment, uid *uint32, visit func(e *events.Event, line []byte, at int64) bool) {
	if v.indexed && nextOf(v.index, 0, uid) == len(v.index) {
		return
	}
	file, index := a.open(v)
	if file == nil {
		return
	}
	defer file.Close()
	lines := window{file: file}
	for i := nextOf(index, 0, uid); i < len(index); i = nextOf(index, i+1, uid) {
		at, end := int64(index[i].offset), v.size
		if i+1 < len(index) {
			end = int64(index[i+1].offset)
		}
		line, err := lines.line(at, end, v.size, false)
		if err != nil {
			a.unreadable(v.name(), err)
			return
		}
		if event, ok := parse(line); ok && !visit(&event, line, at) {
			return
		}
	}
}

// nextOf is the first place from i on whose uid has that hash, or any; len(index): none has.
func nextOf(index []position, i int, uid *uint32) int {
	if uid == nil {
		return i
	}
	for want := *uid; i < len(index) && index[i].uid != want; {
		i++
	}
	return i
}

// removed reports whether a line is what Remove has left.
func removed(line []byte) bool { return len(line) > 0 && len(bytes.TrimLeft(line, " ")) == 0 }
