package file

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"jobwright.dev/store"
)

// view is the store at one moment: all that the journal holds up to block sequence,
// which lies in segment or is the last before it.
type view struct {
	trees    map[string]*tree
	rv       uint64
	segment  uint64
	sequence uint64
	// written is what the journal has taken in all when the view was taken.
	written int64
}

// takeView fills v with the visible state. The caller leads, so nothing is written or published
// meanwhile.
func (s *Store) takeView(v *view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.capture(s.index)
	v.rv, v.segment, v.sequence, v.written = s.visible, s.journal.Segment(), s.journal.Sequence(), s.journal.Written()
}

// capture clones the parts of the index that a checkpoint needs.
func (v *view) capture(x *index) {
	v.trees = map[string]*tree{}
	for name, k := range x.kinds {
		v.trees[name] = k.byUID.clone()
	}
}

// objects is how many objects there are.
func (v *view) objects() (n int) {
	for _, t := range v.trees {
		n += t.length
	}
	return n
}

// view takes a view of the store behind everything that was written before.
func (s *Store) view() (*view, error) {
	v := new(view)
	s.wmu.Lock()
	for s.batch != nil && s.batch.checkpoint != nil {
		b, leader := s.joinBatch() // somebody else's; one at a time
		if err := s.waitDurable(context.Background(), b, leader); err != nil {
			return nil, err
		}
		s.wmu.Lock()
	}
	if s.batch == nil {
		s.batch = newBatch()
	}
	s.batch.checkpoint = v
	b, leader := s.joinBatch()
	return v, s.waitDurable(context.Background(), b, leader)
}

// Checkpoint rewrites jobs.json now, whatever the journal holds.
func (s *Store) Checkpoint(ctx context.Context) error {
	if err := s.takesWrites(ctx); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return s.checkpoint()
}

// checkpointIfDirty rewrites jobs.json when the journal holds anything that it does
// not.
func (s *Store) checkpointIfDirty() error {
	s.wmu.Lock()
	unwritten := s.batch != nil
	s.wmu.Unlock()
	if !unwritten && s.checkpoints.behind(s) == 0 {
		return nil
	}
	return s.checkpoint()
}

func (s *Store) checkpoint() error {
	c := &s.checkpoints
	c.writing.Lock()
	defer c.writing.Unlock()
	if f := s.failure.Load(); f != nil {
		return f.err
	}
	start := time.Now()
	if err := s.roomForSnapshot(); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	v, err := s.view()
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	size, err := s.writeSnapshot(v)
	if err != nil {
		s.metrics.writeErrors.Inc()
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := s.journal.RemoveBefore(v.segment); err != nil {
		s.log.Error(err, "Old journal segments stay until the next start")
	}
	took := time.Since(start)
	s.metrics.checkpointSeconds.Observe(took.Seconds())
	c.mu.Lock()
	c.took, c.covered, c.size = took, v.written, size
	c.mu.Unlock()
	s.log.V(1).Info("Rewrote jobs.json", "resourceVersion", v.rv, "bytes", size, "seconds", took.Seconds())
	return nil
}

// roomForSnapshot refuses to begin what a full disk would end.
func (s *Store) roomForSnapshot() error {
	s.checkpoints.mu.Lock()
	need := s.checkpoints.size
	s.checkpoints.mu.Unlock()
	free, err := s.fsys.Free(s.dir)
	if err != nil || s.opts.MinFree < 0 || free > need {
		return err
	}
	return fmt.Errorf("%w: a new jobs.json takes about %d MiB, %s has %d MiB free", store.ErrFull, need>>20, s.dir, free>>20)
}

// writeSnapshot writes v as the new jobs.json and makes its entries point there. It
// returns the file's size.
func (s *Store) writeSnapshot(v *view) (int64, error) {
	size, err := s.replaceSnapshot(v)
	if err != nil {
		return 0, err
	}
	return size, s.adoptSnapshot(v, filepath.Join(s.dir, snapshotName))
}

// adoptSnapshot makes the entries of v point into the new jobs.json, and lets go of
// the files that they pointed to before.
func (s *Store) adoptSnapshot(v *view, path string) error {
	src, err := s.sources.add(path, 0)
	if err != nil {
		return fmt.Errorf("the new jobs.json cannot be read: %w", err)
	}
	offset := int64(len(snapshotHead(v.rv)))
	for _, kind := range s.kinds {
		c := v.trees[kind.Name].from(nil)
		for e := c.next(); e != nil; e = c.next() {
			e.moveTo(src.id, offset)
			e.forget()
			offset += int64(e.size) + int64(len(itemSeparator))
		}
	}
	s.sources.drop(func(old *source) bool {
		return old.segment < v.segment && old.id != src.id
	})
	return nil
}
