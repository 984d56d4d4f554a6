package storetest

import (
	"errors"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// The steps of a case: each does one thing and ends the case when that fails.

func (c *testCase) create(objs ...v1.Object) []store.Record {
	c.Helper()
	if !c.has.AtomicCreate && len(objs) > 1 {
		var records []store.Record
		for _, obj := range objs {
			records = append(records, c.create(obj)...)
		}
		return records
	}
	records, err := c.s.Create(c.ctx, objs...)
	if err != nil {
		c.Fatalf("create: %v", err)
	}
	if len(records) != len(objs) {
		c.Fatalf("create of %d objects returned %d records", len(objs), len(records))
	}
	return records
}

// created creates a job and returns it as it is stored.
func (c *testCase) created(j *v1.Job) *v1.Job {
	c.Helper()
	return c.decode(c.create(j)[0])
}

func (c *testCase) decode(r store.Record) *v1.Job {
	c.Helper()
	j, err := r.Job()
	if err != nil {
		c.Fatalf("decode: %v", err)
	}
	return j
}

func (c *testCase) get(key store.Key) store.Record {
	c.Helper()
	r, err := c.s.Get(c.ctx, key)
	if err != nil {
		c.Fatalf("get: %v", err)
	}
	return r
}

func (c *testCase) update(obj v1.Object) store.Record {
	c.Helper()
	r, err := c.s.Update(c.ctx, obj)
	if err != nil {
		c.Fatalf("update: %v", err)
	}
	return r
}

func (c *testCase) status(obj v1.Object, d store.Durability) store.Record {
	c.Helper()
	r, err := c.s.UpdateStatus(c.ctx, obj, d)
	if err != nil {
		c.Fatalf("update status: %v", err)
	}
	return r
}

func (c *testCase) delete(key store.Key) store.Record {
	c.Helper()
	r, err := c.s.Delete(c.ctx, key, store.Preconditions{})
	if err != nil {
		c.Fatalf("delete: %v", err)
	}
	return r
}

func (c *testCase) list(opts store.ListOptions) store.Page {
	c.Helper()
	if opts.Kind == "" {
		opts.Kind = v1.KindJob
	}
	p, err := c.s.List(c.ctx, opts)
	if err != nil {
		c.Fatalf("list: %v", err)
	}
	return p
}

func (c *testCase) watch(opts store.WatchOptions) store.Watch {
	c.Helper()
	if opts.Kind == "" {
		opts.Kind = v1.KindJob
	}
	w, err := c.s.Watch(c.ctx, opts)
	if err != nil {
		c.Fatalf("watch: %v", err)
	}
	c.Cleanup(w.Close)
	return w
}

// wantErr ends the case unless err is target.
func (c *testCase) wantErr(err, target error) {
	c.Helper()
	if !errors.Is(err, target) {
		c.Fatalf("error is %v, want %v", err, target)
	}
}

// names of records, in their order.
func names(records []store.Record) []string {
	names := make([]string, 0, len(records))
	for _, r := range records {
		names = append(names, r.Key().Name)
	}
	return names
}
