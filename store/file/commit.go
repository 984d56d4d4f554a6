package file

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/journal"
)

// Group commit: while one batch is on its way to the disk, the next one fills.
//
//	enqueue ─► joinBatch ─► waitDurable ─► leadBatch (the leader) ─► append ─► finishBatch
//	 (wmu: version, overlay)      └ the others wait for batch.done     │         ├ publish (mu)
//	                                                                   │         └ batch.done
//	                                                                fdatasync
//
// Only the leader (Store.leading) touches the journal. Writers decide against the overlay,
// which has the changes that readers cannot see yet. A failed batch fails the batch that was
// filled meanwhile too, because its changes were decided on top of the lost ones.

// enqueue assigns c its version, completes and releases its encoding, and adds c to the
// batch. wmu is held. A soft change is published at once when no durable change is under way
// before it; its caller need not wait then.
func (s *Store) enqueue(c change, enc encoding, soft bool) change {
	s.version++
	rv := s.version
	encoded := enc.withVersion(rv)
	enc.release()
	if s.batch == nil {
		s.batch = newBatch()
	}
	b := s.batch
	c.encoding = encoded
	now := pending{rv: rv}
	if c.event == deleted {
		c.e = &entry{uid: c.e.uid, rv: rv, class: c.e.class, name: c.e.name, labels: c.e.labels}
		c.offset = b.block.Add([]byte{opDelete}, deletion(c.e.key(), rv))
	} else {
		now.e = c.e
		c.e.rv, c.e.size, c.e.sum = rv, uint32(len(encoded)), journal.Checksum(encoded)
		c.e.setMem(encoded)
		c.offset = b.block.Add(put, encoded) + len(put)
	}
	if soft && s.onlySoft(b) && s.soft < maxSoft {
		s.soft++
		if !b.flushes {
			b.flushes = true
			time.AfterFunc(softDelay, s.flushSoft)
		}
		s.publish([]change{c})
		c.published = true
	} else {
		s.overlay[c.e.key()] = now
	}
	b.changes = append(b.changes, c)
	return c
}

// onlySoft reports whether nothing durable waits or is under way.
func (s *Store) onlySoft(b *batch) bool { return !s.leading && b.waiters == 0 }

// joinBatch registers the caller as a waiter of the present batch, which holds its change.
// wmu is held and released.
func (s *Store) joinBatch() (b *batch, leader bool) {
	if s.batch == nil {
		s.batch = newBatch()
	}
	b = s.batch
	b.waiters++
	if !s.leading {
		s.leading, leader = true, true
		s.batch = nil
	}
	s.wmu.Unlock()
	return b, leader
}

// waitDurable waits until b is on disk and visible. The leader commits it.
func (s *Store) waitDurable(ctx context.Context, b *batch, leader bool) error {
	if leader {
		s.leadBatch(b, true)
		return b.err
	}
	given := ctx.Done()
	if given == nil { // waiting for one channel takes half the time
		<-b.done
		return b.err
	}
	select {
	case <-b.done:
		return b.err
	case <-given:
		return ctx.Err()
	}
}

// flush waits until everything that was enqueued before it is durable.
func (s *Store) flush() {
	s.wmu.Lock()
	b, leader := s.joinBatch()
	_ = s.waitDurable(context.Background(), b, leader)
}

// leadBatch commits b and then batch after batch, until nobody waits any more. With caller, b
// is the batch of the calling writer, which returns once b is visible; a goroutine leads the
// batches after it. Publishing a batch before the next one is written keeps the disk
// idle for some tens of microseconds, and lets that many more writers join the next one:
// on two cores the fuller batches are worth more (BenchmarkCreate, BenchmarkDrain). Waiting
// on top of that until the writers just woken have joined (runtime.Gosched) took a tenth off
// the commits and 7 % off the processors' time, and cost a tenth of the throughput: the disk
// stood idle.
func (s *Store) leadBatch(b *batch, caller bool) {
	for {
		at, err := s.append(b)
		next := s.finishBatch(b, at, err)
		if next == nil {
			return
		}
		if caller {
			go s.leadBatch(next, false)
			return
		}
		b = next
	}
}

// finishBatch publishes b, or fails it and all that was decided on top of it, and tells its
// waiters. It returns the batch to be written next; nil: nobody leads any more.
func (s *Store) finishBatch(b *batch, at journal.Position, err error) *batch {
	if err == nil {
		s.publishBatch(b, at)
		if b.checkpoint != nil {
			s.takeView(b.checkpoint)
		}
	} else {
		s.failPending(err)
	}
	s.wmu.Lock()
	next := s.batch
	if next == nil || next.waiters == 0 {
		next, s.leading = nil, false
	} else {
		s.batch = nil
	}
	s.wmu.Unlock()
	b.finish(err)
	return next
}

// append writes the batch's block to the journal.
func (s *Store) append(b *batch) (journal.Position, error) {
	if f := s.failure.Load(); f != nil {
		return journal.Position{}, f.err
	}
	if len(b.changes) == 0 && b.block.Count() == 0 {
		return journal.Position{}, nil
	}
	if !s.journal.Fits(b.block) {
		if err := s.rotate(b.block); err != nil {
			return journal.Position{}, err
		}
	}
	start := time.Now()
	at, err := s.journal.Append(b.block)
	if err != nil {
		s.fail(err)
		return at, s.failure.Load().err
	}
	s.metrics.commitSeconds.Observe(time.Since(start).Seconds())
	return at, nil
}

// rotate starts a new segment. It does not break the store when it fails: nothing was
// written to where acknowledged records are.
func (s *Store) rotate(block *journal.Block) error {
	s.wmu.Lock()
	base := s.version
	s.wmu.Unlock()
	if err := s.journal.Rotate(base, block); err != nil {
		s.metrics.writeErrors.Inc()
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w: %w", store.ErrFull, err)
		}
		s.unrotated.Store(&failure{err})
		return err
	}
	s.unrotated.Store(nil)
	return nil
}

// failPending fails the batch that was built on top of a failed one.
func (s *Store) failPending(err error) {
	s.wmu.Lock()
	next := s.batch
	s.batch = nil
	clear(s.overlay)
	s.wmu.Unlock()
	if next != nil {
		next.finish(err)
	}
}

// publishBatch publishes a batch that is on disk, and notes where its encodings lie.
func (s *Store) publishBatch(b *batch, at journal.Position) {
	if len(b.changes) == 0 {
		return
	}
	src, err := s.sources.add(s.journal.Path(at.Segment), at.Segment)
	if err != nil {
		// The encodings stay in memory until jobs.json is rewritten.
		s.log.Error(err, "A journal segment cannot be opened for reading")
	}
	s.publish(b.changes)
	for i := range b.changes {
		if c := &b.changes[i]; src != nil && c.event != deleted {
			c.e.moveTo(src.id, at.Offset+int64(c.offset))
			if b.block.Len() > ringLimits.Bytes/2 { // the ring may have dropped it already
				c.e.forget()
			}
		}
	}
	s.wmu.Lock()
	for i := range b.changes {
		c := &b.changes[i]
		if c.published {
			continue
		}
		key := c.e.key()
		if p, ok := s.overlay[key]; ok && p.rv == c.e.rv {
			delete(s.overlay, key)
		}
	}
	s.soft = 0
	s.wmu.Unlock()
	s.checkpoints.wrote(s)
}

// publish makes changes visible to readers, in order, and skips those already visible.
func (s *Store) publish(changes []change) {
	s.mu.Lock()
	for i := range changes {
		c := &changes[i]
		if c.published {
			continue
		}
		var before *labelSet
		if c.before != nil {
			before = c.before.labels
		}
		if c.event == deleted {
			s.index.remove(c.e)
		} else {
			s.index.put(c.e)
		}
		s.visible = c.e.rv
		s.events.Add(event{kind: c.event, e: c.e, encoding: c.encoding, before: before})
	}
	s.events.Wake()
	s.mu.Unlock()
}

// flushSoft commits soft writes that no durable write has carried along.
func (s *Store) flushSoft() {
	s.wmu.Lock()
	if s.batch == nil || s.leading || s.shut {
		s.wmu.Unlock()
		return
	}
	b, leader := s.joinBatch()
	_ = s.waitDurable(context.Background(), b, leader)
}
