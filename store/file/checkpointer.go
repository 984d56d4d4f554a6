package file

import (
	"errors"
	"sync"
	"time"

	"jobwright.dev/store"
)

const (
	// minJournal is how far the journal may grow at least before jobs.json is
	// rewritten under load: reading as much again takes a third of a second, and
	// rewriting is a fifth of what a store of that size has to do under load.
	minJournal = 128 << 20
	// idleShare bounds what rewriting costs a store that is written to now and then:
	// at most one part in idleShare of the time.
	idleShare = 50
)

// checkpointer decides when jobs.json is rewritten: when the journal has grown as
// large as it, and when nothing was written for a while. A timer runs only while
// there is something to do.
type checkpointer struct {
	mu       sync.Mutex
	timer    *time.Timer
	last     time.Time // of the last write
	took     time.Duration
	covered  int64 // journal.Written at the last checkpoint
	size     int64 // of jobs.json
	stopped  bool
	running  bool
	finished sync.Cond
	// one checkpoint at a time
	writing sync.Mutex
}

// behind is how many bytes of the journal jobs.json does not have.
func (c *checkpointer) behind(s *Store) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.journal.Written() - c.covered
}

// wrote notes a commit and sees to it that jobs.json follows.
func (c *checkpointer) wrote(s *Store) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Now()
	if c.stopped || c.running {
		return
	}
	if s.journal.Written()-c.covered > max(minJournal, c.size) {
		c.start(s)
		return
	}
	if c.timer == nil {
		c.arm(s, c.idleDelay(s))
	}
}

// idleDelay is how long to wait after the last write. c.mu is held.
func (c *checkpointer) idleDelay(s *Store) time.Duration {
	return max(s.opts.IdleDelay, idleShare*c.took)
}

// arm starts the timer. c.mu is held.
func (c *checkpointer) arm(s *Store, d time.Duration) {
	c.timer = time.AfterFunc(d, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.timer = nil
		if c.stopped || c.running {
			return
		}
		if wait := time.Until(c.last.Add(c.idleDelay(s))); wait > 0 {
			c.arm(s, wait)
			return
		}
		c.start(s)
	})
}

// start runs a checkpoint beside the caller. c.mu is held.
func (c *checkpointer) start(s *Store) {
	c.running = true
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	go func() {
		err := s.checkpointIfDirty()
		s.noteCheckpoint(err)
		if err != nil && !errors.Is(err, store.ErrClosed) {
			s.log.Error(err, "jobs.json was not rewritten; the journal holds what is newer", "journalBytes", c.behind(s))
		}
		s.mu.Lock()
		s.events.Shrink()
		s.mu.Unlock()
		if s.opts.Idle != nil && err == nil && c.behind(s) == 0 {
			s.opts.Idle()
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running = false
		if err == nil && c.timer == nil && !c.stopped && s.journal.Written() > c.covered {
			c.arm(s, c.idleDelay(s))
		}
		if c.finished.L != nil {
			c.finished.Broadcast()
		}
	}()
}

// stop waits for a checkpoint under way and prevents others.
func (c *checkpointer) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.finished.L = &c.mu
	for c.running {
		c.finished.Wait()
	}
}
