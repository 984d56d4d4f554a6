package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// populate creates jobs of two workspaces with labels and phases; Check then has
// something to compare.
func populate(c *testCase, n int) {
	c.Helper()
	phases := []v1.JobPhase{v1.JobQueued, v1.JobRunning, v1.JobSucceeded, v1.JobFailed, ""}
	for i := range n {
		j := job([]string{"acme", "beta"}[i%2], fmt.Sprintf("job-%03d", (i*37)%n))
		switch i % 3 {
		case 0:
			j.Labels = map[string]string{"team": "web"}
		case 1:
			j.Labels = map[string]string{"team": []string{"web", "api"}[i%2], "tier": []string{"gold", "tin"}[i/3%2]}
		}
		phase := phases[i/2%len(phases)]
		switch {
		case c.has.Verbatim:
			c.create(at(j, phase))
		case phase == "":
			c.create(j)
		default:
			c.status(at(c.created(j), phase), store.Durable)
		}
	}
}

func testList(t *testing.T, f *fixture) {
	f.run("of an empty store is empty", func(c *testCase) {
		if p := c.list(store.ListOptions{}); len(p.Items) != 0 || p.Continue != "" || p.Remaining != 0 {
			c.Errorf("got %+v", p)
		}
	})
	f.run("selects and orders", func(c *testCase) { populate(c, 60) })
	f.run("follows changes of labels and phases", func(c *testCase) {
		populate(c, 40)
		for i, r := range c.list(store.ListOptions{}).Items {
			j := c.decode(r)
			switch i % 4 {
			case 0:
				c.delete(r.Key())
			case 1:
				j.Labels = map[string]string{"team": "api", "tier": "gold"}
				c.update(j)
			case 2:
				if !j.Status.Phase.Terminal() {
					c.status(at(j, v1.JobSucceeded), store.Soft)
				}
			}
		}
	})
	f.run("by name finds one", func(c *testCase) {
		c.create(job("acme", "a"), job("acme", "b"), job("beta", "a"))
		if got := names(c.list(store.ListOptions{Namespace: "acme", Name: "a"}).Items); !slices.Equal(got, []string{"a"}) {
			c.Errorf("got %v", got)
		}
		if got := c.list(store.ListOptions{Name: "a"}).Items; len(got) != 2 {
			c.Errorf("got %v", names(got))
		}
		if got := c.list(store.ListOptions{Namespace: "acme", Name: "c"}).Items; len(got) != 0 {
			c.Errorf("got %v", names(got))
		}
	})
	f.run("answers ErrInvalid for what it cannot do", func(c *testCase) {
		c.create(job("acme", "a"), job("acme", "b"))
		page := c.list(store.ListOptions{Limit: 1})
		for name, opts := range map[string]store.ListOptions{
			"a negative limit":      {Kind: v1.KindJob, Limit: -1},
			"a bad token":           {Kind: v1.KindJob, Continue: "?"},
			"a token that is none":  {Kind: v1.KindJob, Continue: "e30x"},
			"another list's token":  {Kind: v1.KindJob, Continue: page.Continue, Order: store.NewestFirst},
			"an unknown kind":       {Kind: "Other"},
			"an order out of range": {Kind: v1.KindJob, Order: 7},
		} {
			if _, err := c.s.List(c.ctx, opts); err == nil {
				c.Errorf("%s was taken", name)
			} else {
				c.wantErr(err, store.ErrInvalid)
			}
		}
	})
}

func testPages(t *testing.T, f *fixture) {
	for name, order := range map[string]store.Order{"by name": store.ByName, "newest first": store.NewestFirst, "oldest first": store.OldestFirst} {
		f.run(name+": an object that exists all along is returned once while others come and go", func(c *testCase) {
			var want []string
			for i := range 30 {
				name := fmt.Sprintf("stays-%02d", i)
				c.create(job("acme", name), job("acme", fmt.Sprintf("goes-%02d", i)))
				want = append(want, name)
			}
			var got []string
			opts := store.ListOptions{Order: order, Limit: 7}
			for n := 0; ; n++ {
				page := c.list(opts)
				for _, r := range page.Items {
					if r.Key().Name[0] == 's' {
						got = append(got, r.Key().Name)
					}
				}
				if opts.Continue = page.Continue; opts.Continue == "" {
					break
				}
				c.delete(page.Items[len(page.Items)-1].Key()) // where the next page begins
				_, err := c.s.Delete(c.ctx, jobKey("acme", fmt.Sprintf("goes-%02d", n*3)), store.Preconditions{})
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					c.Fatal(err)
				}
				c.create(job("acme", fmt.Sprintf("new-%02d", n)))
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				c.Error(diff)
			}
		})
	}
}

func testCount(t *testing.T, f *fixture) {
	f.run("follows every change", func(c *testCase) {
		populate(c, 30)
		before := len(c.list(store.ListOptions{Kind: v1.KindWorkspace}).Items)
		c.create(workspace("fresh"))
		for i, r := range c.list(store.ListOptions{}).Items {
			if j := c.decode(r); i%2 == 0 && !j.Status.Phase.Terminal() {
				c.status(at(j, v1.JobCanceled), store.Durable)
			} else if i%3 == 0 {
				c.delete(r.Key())
			}
		}
		counts, err := c.s.Count(c.ctx, v1.KindWorkspace)
		if diff := cmp.Diff([]store.Count{{N: before + 1}}, counts); err != nil || diff != "" {
			c.Error(err, diff)
		}
	})
}
