package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func testUpdate(t *testing.T, f *fixture) {
	f.run("of the spec raises generation and keeps the status", updateOfSpec)
	f.run("that raises reruns starts a finished job over, in the same write or not", updateReruns)
	f.run("of labels and annotations does not raise generation", func(c *testCase) {
		j := c.created(job("acme", "a"))
		j.Labels = map[string]string{"team": "web"}
		j.Annotations = map[string]string{"note": "<b>&"}
		got := c.decode(c.update(j))
		if got.Generation != 1 || got.Labels["team"] != "web" || got.Annotations["note"] != "<b>&" {
			c.Errorf("got %+v", got.ObjectMeta)
		}
	})
	f.run("keeps what the author cannot change", updateKeeps)
	f.run("that changes nothing is no write", func(c *testCase) {
		before := c.create(job("acme", "a"))[0]
		if got := c.update(c.decode(before)); !equal(got, before) {
			c.Error("the record has changed")
		}
		if got := c.list(store.ListOptions{}).ResourceVersion; got != before.ResourceVersion() {
			c.Errorf("the store went on to version %d", got)
		}
	})
	f.run("answers ErrConflict for an old version and for another uid", updateConflicts)
	f.run("answers ErrInvalid without a version and ErrNotFound without an object", func(c *testCase) {
		c.create(job("acme", "a"))
		_, err := c.s.Update(c.ctx, job("acme", "a"))
		c.wantErr(err, store.ErrInvalid)
		j := job("acme", "b")
		j.ResourceVersion = "1"
		_, err = c.s.Update(c.ctx, j)
		c.wantErr(err, store.ErrNotFound)
		j.ResourceVersion = "one"
		_, err = c.s.Update(c.ctx, j)
		c.wantErr(err, store.ErrInvalid)
	})
}

// updateOfSpec checks that a changed spec raises generation and keeps the status.
func updateOfSpec(c *testCase) {
	j := c.created(job("acme", "a"))
	j.Spec.Cancel = true
	j.Status.Phase = v1.JobSucceeded
	got := c.decode(c.update(j))
	if got.Generation != 2 || !got.Spec.Cancel || got.Status.Phase != v1.JobQueued || got.ResourceVersion == j.ResourceVersion {
		c.Errorf("got %+v", got)
	}
}

// updateReruns checks that raising reruns starts a finished job over, in the same write or
// not.
func updateReruns(c *testCase) {
	j := at(c.created(job("acme", "a")), v1.JobFailed)
	j.Status.Message = "exit 1"
	j = c.decode(c.status(j, store.Durable))
	if !j.Finished() {
		c.Error("the job has not finished before")
	}
	j.Spec.Reruns = 1
	got := c.decode(c.update(j))
	if got.Finished() {
		c.Error("the job that is to run again counts as finished")
	}
	if !c.has.AtomicRerun {
		if got.Generation != 2 || !cmp.Equal(got.Status, j.Status) {
			c.Errorf("generation %d, status %+v", got.Generation, got.Status)
		}
		got.Status = v1.Rerun(got.Status, got.Spec.Reruns, time.Now()) // as its reconciler does
		got = c.decode(c.status(got, store.Durable))
	}
	if got.Status.Phase != v1.JobQueued || got.Status.Reruns != 1 || got.Status.QueuedTime == nil || len(got.Status.History) != 1 || got.Status.History[0].Message != "exit 1" {
		c.Errorf("status = %+v", got.Status)
	}
	queued := c.list(store.ListOptions{Phases: []v1.JobPhase{v1.JobQueued}})
	if len(queued.Items) != 1 {
		c.Errorf("%d queued jobs are listed, want 1", len(queued.Items))
	}
	for _, err := range v1.CheckTransition(j, got) {
		c.Error(err)
	}
}

// updateKeeps checks that fields which the author cannot change are kept.
func updateKeeps(c *testCase) {
	j := c.created(job("acme", "a"))
	changed := j.DeepCopy()
	changed.Generation, changed.CreationTimestamp = 99, metav1.Time{}
	changed.Spec.Priority = 5
	got := c.decode(c.update(changed))
	if got.UID != j.UID || got.Generation != 2 || !got.CreationTimestamp.Equal(&j.CreationTimestamp) {
		c.Errorf("got %+v", got.ObjectMeta)
	}
}

// updateConflicts checks the answers to an old version and to another uid.
func updateConflicts(c *testCase) {
	old := c.created(job("acme", "a"))
	changed := old.DeepCopy()
	changed.Spec.Priority = 1
	c.update(changed)
	old.Spec.Priority = 2
	_, err := c.s.Update(c.ctx, old)
	c.wantErr(err, store.ErrConflict)
	other := c.decode(c.get(jobKey("acme", "a")))
	other.UID = "0192f5f0-7d3c-7abc-8def-0123456789ab"
	_, err = c.s.Update(c.ctx, other)
	c.wantErr(err, store.ErrConflict)
}

func testStatus(t *testing.T, f *fixture) {
	for name, d := range map[string]store.Durability{"durable": store.Durable, "soft": store.Soft} {
		f.run(name+": stores the status and keeps everything else", func(c *testCase) {
			j := c.created(job("acme", "a"))
			changed := j.DeepCopy()
			changed.Spec.Cancel = true
			changed.Labels = map[string]string{"team": "web"}
			at(changed, v1.JobRunning)
			changed.Status.Pct, changed.Status.Step = 50, `a "b" <c>`
			changed.Status.BlockedBy = []v1.Blocker{{Kind: v1.BlockedByPosition}}
			record := c.status(changed, d)
			got := c.decode(record)
			if got.Spec.Cancel || got.Labels != nil || got.Generation != 1 {
				c.Errorf("more than the status was stored: %+v", got)
			}
			if got.Status.Phase != v1.JobRunning || got.Status.Pct != 50 || got.Status.Step != `a "b" <c>` || got.Status.BlockedBy != nil {
				c.Errorf("status: %+v", got.Status)
			}
			if read := c.get(jobKey("acme", "a")); !equal(read, record) {
				c.Error("a reader does not see it")
			}
		})
		f.run(name+": that changes nothing is no write", func(c *testCase) {
			before := c.create(job("acme", "a"))[0]
			if got := c.status(c.decode(before), d); !equal(got, before) {
				c.Error("the record has changed")
			}
		})
		f.run(name+": may become empty and full again, or is refused", func(c *testCase) { statusEmpties(c, d) })
		f.run(name+": answers ErrConflict, ErrInvalid and ErrNotFound as Update does", func(c *testCase) {
			j := c.created(job("acme", "a"))
			changed := j.DeepCopy()
			changed.Status.Pct = 1
			c.status(changed, d)
			j.Status.Pct = 2
			_, err := c.s.UpdateStatus(c.ctx, j, d)
			c.wantErr(err, store.ErrConflict)
			_, err = c.s.UpdateStatus(c.ctx, job("acme", "a"), d)
			c.wantErr(err, store.ErrInvalid)
			j.Name = "b"
			_, err = c.s.UpdateStatus(c.ctx, j, d)
			c.wantErr(err, store.ErrNotFound)
		})
	}
}

// statusEmpties checks that a status may become empty and full again, or is refused.
func statusEmpties(c *testCase, d store.Durability) {
	j := c.created(job("acme", "a"))
	j.Status = v1.JobStatus{}
	if !c.has.Verbatim {
		_, err := c.s.UpdateStatus(c.ctx, j, d)
		c.wantErr(err, store.ErrInvalid)
		return
	}
	j = c.decode(c.status(j, d))
	if j.Status.Phase != "" {
		c.Errorf("status: %+v", j.Status)
	}
	j.Status.Phase = v1.JobFailed
	if j = c.decode(c.status(j, d)); j.Status.Phase != v1.JobFailed {
		c.Errorf("status: %+v", j.Status)
	}
}

func testDelete(t *testing.T, f *fixture) {
	f.run("returns the last state and frees the name", func(c *testCase) {
		before := c.create(job("acme", "a"))[0]
		last := c.delete(jobKey("acme", "a"))
		if last.UID() != before.UID() || c.has.DeletedVersion != (last.ResourceVersion() > before.ResourceVersion()) {
			c.Errorf("got %s at %d", last.UID(), last.ResourceVersion())
		}
		c.decode(last)
		_, err := c.s.Get(c.ctx, jobKey("acme", "a"))
		c.wantErr(err, store.ErrNotFound)
		_, err = c.s.Delete(c.ctx, jobKey("acme", "a"), store.Preconditions{})
		c.wantErr(err, store.ErrNotFound)
		if again := c.create(job("acme", "a"))[0]; again.UID() == before.UID() {
			c.Error("the new object has the uid of the old one")
		}
	})
	f.run("checks its preconditions", func(c *testCase) {
		r := c.create(job("acme", "a"))[0]
		_, err := c.s.Delete(c.ctx, r.Key(), store.Preconditions{UID: "0192f5f0-7d3c-7abc-8def-0123456789ab"})
		c.wantErr(err, store.ErrConflict)
		_, err = c.s.Delete(c.ctx, r.Key(), store.Preconditions{ResourceVersion: r.ResourceVersion() + 1})
		c.wantErr(err, store.ErrConflict)
		if _, err = c.s.Delete(c.ctx, r.Key(), store.Preconditions{UID: r.UID(), ResourceVersion: r.ResourceVersion()}); err != nil {
			c.Error(err)
		}
	})
	f.run("waits for finalizers", func(c *testCase) {
		j := job("acme", "a")
		j.Finalizers = []string{"jobwright.dev/x"}
		c.create(j)
		marked := c.decode(c.delete(jobKey("acme", "a")))
		if marked.DeletionTimestamp == nil {
			c.Fatal("deletionTimestamp is not set")
		}
		if again := c.decode(c.delete(jobKey("acme", "a"))); again.ResourceVersion != marked.ResourceVersion {
			c.Error("a second deletion is a write")
		}
		marked.Finalizers = nil
		c.update(marked)
		_, err := c.s.Get(c.ctx, jobKey("acme", "a"))
		c.wantErr(err, store.ErrNotFound)
	})
}
