package file

import "time"

const (
	// healAfter is how long after a write error the journal is tried again: long enough that
	// a disk which fails now and then is not taken for a good one. Each further try waits
	// twice as long, up to healAtMost.
	healAfter, healAtMost = 5 * time.Second, time.Minute
)

// healLater tries, until it works or the store is closed, to bring writing back after an
// error.
func (s *Store) healLater() {
	wait := healAfter
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for tries := 1; ; tries++ {
		select {
		case <-s.closed:
			return
		case <-timer.C:
		}
		err := s.heal()
		if err == nil {
			s.log.Info("The store takes writes again", "tries", tries)
			return
		}
		if tries&(tries-1) == 0 { // what fails for a day is told a dozen times
			s.log.Error(err, "The store is still read-only", "tries", tries)
		}
		wait = min(2*wait, healAtMost)
		timer.Reset(wait)
	}
}

// heal makes the journal writable again, as the leader that nobody else is meanwhile.
// Batches that were decided in vain have failed before: what is published is what is on
// disk.
func (s *Store) heal() error {
	s.wmu.Lock()
	for s.leading && !s.shut {
		b, _ := s.joinBatch() // it fails, and whoever leads it gives up the lead
		<-b.done
		s.wmu.Lock()
	}
	if s.shut {
		s.wmu.Unlock()
		return nil // the closing store needs no writes
	}
	s.leading = true
	s.wmu.Unlock()
	err := s.journal.Repair()
	if err == nil {
		s.failure.Store(nil)
	}
	s.wmu.Lock()
	next := s.batch
	if next == nil || next.waiters == 0 {
		s.leading = false
		s.wmu.Unlock()
		return err
	}
	s.batch = nil
	s.wmu.Unlock()
	s.leadBatch(next, false)
	return err
}
