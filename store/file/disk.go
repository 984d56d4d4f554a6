package file

import (
	"context"
	"fmt"
	"sync"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/journal"
)

// diskGuard knows whether there is room for new work. It asks the filesystem at most
// every tenth of a second: at full speed that is a few megabytes.
type diskGuard struct {
	mu    sync.Mutex
	asked time.Time
	err   error
}

const diskGuardPeriod = 100 * time.Millisecond

// takesWrites answers why the store takes no write at all.
func (s *Store) takesWrites(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.Health()
}

// takesWork answers why the store takes no new work.
func (s *Store) takesWork(ctx context.Context) error {
	if err := s.takesWrites(ctx); err != nil {
		return err
	}
	return s.disk.check(s)
}

func (g *diskGuard) check(s *Store) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); now.Sub(g.asked) > diskGuardPeriod {
		g.asked, g.err = now, s.inPlace()
		if g.err != nil || s.opts.MinFree < 0 {
			return g.err
		}
		free, err := s.fsys.Free(s.dir)
		switch {
		case err != nil:
			s.log.Error(err, "The free disk space is unknown")
		case free < s.opts.MinFree:
			g.err = fmt.Errorf("%w: %s has %d MiB free, the limit is %d MiB; free some space or delete finished jobs",
				store.ErrFull, s.dir, free>>20, s.opts.MinFree>>20)
		}
	}
	return g.err
}

// inPlace answers why what is written would not be found by the next start: the current
// segment of the journal is not where it was opened. Each commit looks too; this is for
// those who ask before.
func (s *Store) inPlace() error {
	src := s.sources.ofSegment(s.journal.Segment())
	if src == nil {
		return nil // nothing was written to it yet
	}
	there, err := src.file.At(src.path)
	if err == nil && !there {
		err = fmt.Errorf("%w: %w", store.ErrReadOnly, journal.ErrGone)
	}
	return err
}
