package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func testConcurrency(t *testing.T, f *fixture) {
	f.run("of many creators of one name, one wins", oneCreatorWins)
	f.run("no update is lost", noUpdateIsLost)
	f.run("every watcher sees each change once, in order, while many write", watchersAgree)
}

// oneCreatorWins checks that one of many creators of a name wins.
func oneCreatorWins(c *testCase) {
	var mu sync.Mutex
	wins := 0
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			_, err := c.s.Create(c.ctx, job("acme", "a"))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				wins++
			case !errors.Is(err, store.ErrExists):
				c.Errorf("error is %v", err)
			}
		})
	}
	wg.Wait()
	if wins != 1 {
		c.Errorf("%d won", wins)
	}
}

// noUpdateIsLost checks that concurrent updates of one job all count.
func noUpdateIsLost(c *testCase) {
	c.create(job("acme", "a"))
	const writers, rounds = 8, 25
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < rounds; {
				r, err := c.s.Get(c.ctx, jobKey("acme", "a"))
				if err != nil {
					c.Error(err)
					return
				}
				j, err := r.Job()
				if err != nil {
					c.Error(err)
					return
				}
				j.Spec.Priority++
				switch _, err = c.s.Update(c.ctx, j); {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrConflict):
					c.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := c.decode(c.get(jobKey("acme", "a"))); got.Spec.Priority != writers*rounds || got.Generation != 1+writers*rounds {
		c.Errorf("priority %d, generation %d", got.Spec.Priority, got.Generation)
	}
}

// watchersAgree checks that every watcher sees each change once, in order, while many write.
func watchersAgree(c *testCase) {
	start := c.list(store.ListOptions{}).ResourceVersion
	const writers, rounds, watchers = 16, 20, 4
	total := writers * rounds * 4
	var wg sync.WaitGroup
	seen := make([][]store.Event, watchers)
	for i := range watchers {
		w := c.watch(store.WatchOptions{Since: start})
		wg.Go(func() { seen[i] = c.next(w, total) })
	}
	for i := range writers {
		wg.Go(func() { c.live(fmt.Sprintf("w%d", i), rounds) })
	}
	wg.Wait()
	for i, events := range seen {
		for n := 1; n < len(events); n++ {
			if events[n-1].Record.ResourceVersion() >= events[n].Record.ResourceVersion() {
				c.Fatalf("watcher %d: version %d before %d", i, events[n-1].Record.ResourceVersion(), events[n].Record.ResourceVersion())
			}
			if !equal(events[n].Record, seen[0][n].Record) {
				c.Fatalf("watcher %d differs from the first", i)
			}
		}
	}
}

// live takes jobs through their life: created, started (soft and durable), deleted.
func (c *testCase) live(prefix string, rounds int) {
	for n := range rounds {
		records, err := c.s.Create(c.ctx, job("acme", fmt.Sprintf("%s-%d", prefix, n)))
		if err != nil {
			c.Error(err)
			return
		}
		j, err := records[0].Job()
		for _, d := range []store.Durability{store.Soft, store.Durable} {
			if err != nil {
				c.Error(err)
				return
			}
			at(j, v1.JobRunning)
			j.Status.Pct += 10
			var r store.Record
			if r, err = c.s.UpdateStatus(c.ctx, j, d); err == nil {
				if read, err := c.s.Get(c.ctx, r.Key()); err != nil || !equal(read, r) {
					c.Errorf("a write is not seen by who wrote it: %v", err)
				}
				j, err = r.Job()
			}
		}
		if err == nil {
			_, err = c.s.Delete(c.ctx, store.KeyOf(j), store.Preconditions{})
		}
		if err != nil {
			c.Error(err)
		}
	}
}
