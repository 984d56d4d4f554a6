package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func testRestart(t *testing.T, f *fixture) {
	f.run("everything is there again, and versions go on", func(c *testCase) {
		populate(c, 40)
		c.create(workspace("fresh"))
		c.delete(c.list(store.ListOptions{}).Items[3].Key())
		before := c.list(store.ListOptions{})
		c.reopen()
		after := c.list(store.ListOptions{})
		if !slices.EqualFunc(before.Items, after.Items, equal) {
			c.Errorf("before %v\nafter %v", names(before.Items), names(after.Items))
		}
		if after.ResourceVersion < before.ResourceVersion {
			c.Errorf("the version fell from %d to %d", before.ResourceVersion, after.ResourceVersion)
		}
		if next := c.create(job("acme", "next"))[0]; next.ResourceVersion() <= before.ResourceVersion {
			c.Errorf("version %d was used again", next.ResourceVersion())
		}
		c.reopen()
		c.get(jobKey("acme", "next"))
	})
	f.run("a closed store says so", func(c *testCase) {
		w := c.watch(store.WatchOptions{Since: c.list(store.ListOptions{}).ResourceVersion})
		s := c.s
		c.reopen()
		_, err := s.Get(c.ctx, jobKey("acme", "a"))
		c.wantErr(err, store.ErrClosed)
		_, err = s.Create(c.ctx, job("acme", "a"))
		c.wantErr(err, store.ErrClosed)
		_, err = w.Next(c.ctx)
		c.wantErr(err, store.ErrClosed)
	})
}

// testRandom compares an engine with a model over a random history with restarts.
func testRandom(t *testing.T, f *fixture) {
	for seed := range uint64(4) {
		f.run(fmt.Sprint("seed ", seed), func(c *testCase) {
			random := rand.New(rand.NewPCG(seed, 1))
			model := map[string]*v1.Job{}
			for range 400 {
				name := fmt.Sprint("j", random.IntN(12))
				switch have := model[name]; {
				case have == nil:
					j := job("acme", name)
					if random.IntN(2) == 0 {
						j.Labels = map[string]string{"team": "web"}
					}
					model[name] = c.created(j)
				case random.IntN(40) == 0:
					c.reopen()
				case random.IntN(5) == 0:
					c.delete(jobKey("acme", name))
					delete(model, name)
				case random.IntN(3) == 0:
					have.Spec.Priority++
					model[name] = c.decode(c.update(have))
				default:
					have.Status.Pct = (have.Status.Pct + 1) % 101
					model[name] = c.decode(c.status(have, store.Durability(random.IntN(2))))
				}
			}
			if got := c.list(store.ListOptions{}).Items; len(got) != len(model) {
				c.Fatalf("%d objects, want %d", len(got), len(model))
			}
			for name, want := range model {
				got := c.decode(c.get(jobKey("acme", name)))
				if got.Spec.Priority != want.Spec.Priority || got.Status.Pct != want.Status.Pct || got.ResourceVersion != want.ResourceVersion {
					c.Errorf("%s: got %d %d, want %d %d", name, got.Spec.Priority, got.Status.Pct, want.Spec.Priority, want.Status.Pct)
				}
			}
		})
	}
}
