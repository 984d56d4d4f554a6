package job

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/store"
)

// starts is what is known of the attempts that hold a concurrency key, this worker's and
// those of other workers, by the version at which each began. It decides between
// workers that start at the same moment: the store numbers every write, so all of them
// see the same order.
//
// A worker writes its attempt down, waits until it has seen every write before that
// one, and begins the action only if fewer than the limit began earlier; otherwise it
// gives way. So never more than the limit are at work, whoever dies when.
type starts struct {
	mu    sync.Mutex
	seen  uint64 // every change up to here has been taken in
	moved chan struct{}
	ended bool // nothing more will be seen
	keys  map[string]map[uuid.UUID]began
	jobs  map[uuid.UUID]string // the key that a job holds
}

type began struct {
	attempt string
	version uint64
}

func newStarts() *starts {
	return &starts{moved: make(chan struct{}), keys: map[string]map[uuid.UUID]began{}, jobs: map[uuid.UUID]string{}}
}

// see takes in one change.
func (s *starts) see(uid uuid.UUID, attempt *v1.Attempt, key string, version uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if attempt == nil || key == "" {
		if held, ok := s.jobs[uid]; ok {
			delete(s.jobs, uid)
			if delete(s.keys[held], uid); len(s.keys[held]) == 0 {
				delete(s.keys, held)
			}
		}
		return
	}
	if s.keys[key] == nil {
		s.keys[key] = map[uuid.UUID]began{}
	}
	if s.keys[key][uid].attempt != attempt.ID {
		s.keys[key][uid] = began{attempt.ID, version}
	}
	s.jobs[uid] = key
}

// reached notes that every change up to version has been taken in.
func (s *starts) reached(version uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version > s.seen {
		s.seen = version
		close(s.moved)
		s.moved = make(chan struct{})
	}
}

// end lets nobody wait any more.
func (s *starts) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	close(s.moved)
	s.moved = make(chan struct{})
}

// first waits until every change up to version is known, and reports whether fewer
// than limit jobs with the key began before it.
func (s *starts) first(ctx context.Context, uid uuid.UUID, key string, limit int, version uint64) bool {
	for {
		s.mu.Lock()
		if s.seen >= version {
			before := 0
			for other, b := range s.keys[key] {
				if other != uid && b.version < version {
					before++
				}
			}
			s.mu.Unlock()
			return before < limit
		}
		ended, moved := s.ended, s.moved
		s.mu.Unlock()
		if ended {
			return false
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

// seeStart takes a change in for starts; it does nothing where nobody shares the
// store.
func (c *Controller) seeStart(event store.Event) {
	if !c.Shared {
		return
	}
	defer c.starts.reached(event.Record.ResourceVersion())
	if event.Type == store.Deleted {
		c.starts.see(event.Record.UUID(), nil, "", 0)
		return
	}
	job, err := event.Record.Job()
	if err != nil {
		return // reported where it is taken in
	}
	uid := event.Record.UUID()
	c.starts.see(uid, job.Status.CurrentAttempt, c.item(uid, job).Key, event.Record.ResourceVersion())
}

// giveWay checks a start that has just been written against those of other workers,
// and takes it back when it came too late. It reports whether it did. There is no need to
// ask where nobody shares the store.
func (c *Controller) giveWay(ctx context.Context, e *entry, job *v1.Job, version uint64) (bool, error) {
	item := c.item(e.uid, job)
	if item.Key == "" || c.starts.first(ctx, e.uid, item.Key, item.Limit, version) {
		return false, nil
	}
	d := lifecycle.GiveWay(job, time.Now())
	job.Status = d.Status
	record, err := c.Store.UpdateStatus(ctx, job, store.Durable)
	if err != nil {
		return true, err // held by an attempt of ours that never began: recovered like any other
	}
	job.ResourceVersion = strconv.FormatUint(record.ResourceVersion(), 10)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrote(e, job, record.ResourceVersion())
	c.unschedule(e)
	c.queue.add(e)
	return true, nil
}
