package job_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// TestAConcurrencyKeyHoldsAcrossWorkers kills the worker that holds a key of limit 1 while
// another one looks on, twice, and once when nobody does: at no version of the store do two jobs hold the key, though
// the dead worker's job is taken over and runs again. (Two workers that find a key free at
// the same moment are not kept apart: one dispatcher grants.)
func TestAConcurrencyKeyHoldsAcrossWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		names := []string{"first", "second", "third"}
		before, err := c.store.List(t.Context(), store.ListOptions{Kind: v1.KindJob})
		if err != nil {
			t.Fatal(err)
		}
		alive := c.worker("w1")
		for _, name := range names {
			c.create(name, concurrency("k", ""))
		}
		c.untilHeldBy("w1", names)
		for _, next := range []string{"w2", "w3"} {
			onlooker := c.worker(next)
			synctest.Wait()
			c.untilHeldBy(alive.name, names)
			alive.kill()
			c.untilHeldBy(next, names)
			alive = onlooker
		}
		alive.kill()
		alive = c.worker(alive.name) // the process is started again
		c.untilHeldBy(alive.name, names)
		for range names {
			c.release <- struct{}{}
		}
		for _, name := range names {
			if j := c.until(name, terminal); j.Status.Phase != v1.JobSucceeded {
				t.Errorf("%s: %+v", name, j.Status)
			}
		}
		c.holdsOneAtATime(before.ResourceVersion)
		alive.stop()
		for _, what := range c.over {
			t.Error(what)
		}
		c.finish()
	})
}

// untilHeldBy waits until an attempt of the worker is at work on one of the jobs, and fails
// when others are too.
func (c *cluster) untilHeldBy(worker string, names []string) {
	c.t.Helper()
	for range 600 {
		synctest.Wait()
		var holders []string
		for _, name := range names {
			if a := c.get(name).Status.CurrentAttempt; a != nil {
				holders = append(holders, a.Worker)
			}
		}
		switch {
		case len(holders) > 1:
			c.t.Fatalf("the key is held by %v at once", holders)
		case slices.Equal(holders, []string{worker}) && c.atWork() == 1:
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatalf("%s never came to hold the key", worker)
}

func (c *cluster) atWork() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.working)
}

// holdsOneAtATime replays every change since a version, and fails when two jobs had an
// attempt in their status at once, or none ever had.
func (c *cluster) holdsOneAtATime(since uint64) {
	c.t.Helper()
	now, err := c.store.List(c.t.Context(), store.ListOptions{Kind: v1.KindJob})
	if err != nil {
		c.t.Fatal(err)
	}
	watch, err := c.store.Watch(c.t.Context(), store.WatchOptions{Kind: v1.KindJob, Since: since})
	if err != nil {
		c.t.Fatal(err)
	}
	defer watch.Close()
	holds, attempts := map[string]string{}, map[string]bool{}
	for watch.Progress() < now.ResourceVersion {
		changes, err := watch.Next(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, change := range changes {
			j, err := change.Record.Job()
			if err != nil {
				c.t.Fatal(err)
			}
			delete(holds, j.Name)
			if a := j.Status.CurrentAttempt; a != nil {
				holds[j.Name] = fmt.Sprintf("%s by %s", a.ID, a.Worker)
				attempts[a.ID] = true
			}
			if len(holds) > 1 {
				c.t.Errorf("at version %d the key is held by %v", change.Record.ResourceVersion(), holds)
			}
		}
	}
	if len(attempts) < 6 { // three were lost
		c.t.Errorf("only attempts %v were seen", attempts)
	}
}
