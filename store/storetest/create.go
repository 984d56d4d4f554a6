package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func testCreate(t *testing.T, f *fixture) {
	f.run("sets uid, generation, creationTimestamp and resourceVersion, and does not change what it was given", createCompletes)
	f.run("keeps a uid and a creationTimestamp that are set, or has its own", func(c *testCase) {
		given := job("acme", "a")
		given.UID = "0192f5f0-7d3c-7abc-8def-0123456789ab"
		given.CreationTimestamp = metav1.NewTime(time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC))
		got := c.created(given)
		if kept := got.UID == given.UID && got.CreationTimestamp.Equal(&given.CreationTimestamp); kept != c.has.GivenIdentity {
			c.Errorf("got %s, %s", got.UID, got.CreationTimestamp)
		}
	})
	f.run("answers ErrExists for a key that is taken", func(c *testCase) {
		c.create(job("acme", "a"))
		_, err := c.s.Create(c.ctx, job("acme", "a"))
		c.wantErr(err, store.ErrExists)
		if !strings.Contains(err.Error(), "acme/a") {
			c.Errorf("the error does not name the key: %v", err)
		}
		c.create(job("other", "a"))
	})
	f.run("takes all objects or none, or one only", createIsAtomic)
	f.run("returns records in the order of the objects, with rising versions", func(c *testCase) {
		records := c.create(job("acme", "z"), workspace("fresh"), job("acme", "a"))
		if records[0].ResourceVersion() >= records[2].ResourceVersion() {
			c.Error("versions do not rise")
		}
		if submitted(c.T, records[0]).After(submitted(c.T, records[2])) {
			c.Error("times of submission fall")
		}
		if records[1].Key() != (store.Key{Kind: v1.KindWorkspace, Name: "fresh"}) {
			c.Errorf("got %s", records[1].Key())
		}
	})
	f.run("answers ErrInvalid for what cannot be stored", createRefuses)
	f.run("of nothing is nothing", func(c *testCase) {
		if records := c.create(); len(records) != 0 {
			c.Errorf("got %d records", len(records))
		}
	})
}

// createCompletes checks which fields a creation sets, and that it leaves its argument
// alone.
func createCompletes(c *testCase) {
	given := job("acme", "a")
	given.Labels = map[string]string{"team": "web", "tier": "gold"}
	before := given.DeepCopy()
	got := c.created(given)
	if got.UID == "" || got.Generation != 1 || got.CreationTimestamp.IsZero() || got.ResourceVersion == "" {
		c.Errorf("not complete: %+v", got.ObjectMeta)
	}
	if given.UID != before.UID || given.ResourceVersion != "" || given.Generation != 0 {
		c.Error("the given object was changed")
	}
	if got.Status.Phase != v1.JobQueued || !cmp.Equal(got.Spec, before.Spec) || got.Labels["tier"] != "gold" || got.Spec.Type != v1.JobTypeAPICall {
		c.Errorf("something was lost: %+v", got)
	}
}

// createIsAtomic checks that a creation takes all objects or none, or one only.
func createIsAtomic(c *testCase) {
	if !c.has.AtomicCreate {
		_, err := c.s.Create(c.ctx, job("acme", "a"), job("acme", "b"))
		c.wantErr(err, store.ErrInvalid)
		if got := names(c.list(store.ListOptions{}).Items); len(got) != 0 {
			c.Errorf("got %v", got)
		}
		return
	}
	c.create(job("acme", "b"))
	_, err := c.s.Create(c.ctx, job("acme", "a"), job("acme", "b"), job("acme", "c"))
	c.wantErr(err, store.ErrExists)
	_, err = c.s.Create(c.ctx, job("acme", "x"), job("acme", "x"))
	c.wantErr(err, store.ErrExists)
	_, err = c.s.Create(c.ctx, job("acme", "x"), job("acme", ""))
	c.wantErr(err, store.ErrInvalid)
	if got := names(c.list(store.ListOptions{}).Items); len(got) != 1 {
		c.Errorf("got %v", got)
	}
}

// createRefuses checks the answer to objects that cannot be stored.
func createRefuses(c *testCase) {
	inSpace := workspace("x")
	inSpace.Namespace = "acme"
	badUID := job("acme", "a")
	badUID.UID = "?"
	if !c.has.GivenIdentity {
		badUID = job("", "")
	}
	for name, obj := range map[string]v1.Object{
		"no name":                  job("acme", ""),
		"no namespace":             job("", "a"),
		"a workspace in workspace": inSpace,
		"a uid that is none":       badUID,
	} {
		if _, err := c.s.Create(c.ctx, obj); err == nil {
			c.Errorf("%s was taken", name)
		} else {
			c.wantErr(err, store.ErrInvalid)
		}
	}
}

// submitted is when the object of r was.
func submitted(t *testing.T, r store.Record) time.Time {
	t.Helper()
	obj, err := r.Object(v1.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	return v1.SubmittedAt(obj)
}

func testGet(t *testing.T, f *fixture) {
	f.run("returns what was created, byte for byte", func(c *testCase) {
		want := c.create(job("acme", "a"))[0]
		if got := c.get(jobKey("acme", "a")); !equal(got, want) {
			c.Error("it differs")
		}
	})
	f.run("answers ErrNotFound", func(c *testCase) {
		c.create(job("acme", "a"))
		for _, key := range []store.Key{jobKey("acme", "b"), jobKey("other", "a"), {Kind: v1.KindWorkspace, Name: "a"}, {Kind: "Other", Name: "a"}} {
			_, err := c.s.Get(c.ctx, key)
			c.wantErr(err, store.ErrNotFound)
		}
	})
	f.run("hands out nothing that can be changed", func(c *testCase) {
		c.create(job("acme", "a"))
		got := c.get(jobKey("acme", "a"))
		clear(got.AppendJSON(nil))
		if raw, err := got.MarshalJSON(); err == nil {
			clear(raw)
		}
		c.decode(c.get(jobKey("acme", "a")))
	})
}
