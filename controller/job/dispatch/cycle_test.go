package dispatch

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unique"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// TestACycleIsFoundInWhateverOrderItsJobsAreAsked takes in the jobs of a ring and asks
// them in random order, some of them before the ring is closed: once all are there and
// each was asked again since, one of them has found it.
func TestACycleIsFoundInWhateverOrderItsJobsAreAsked(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for round := range 5000 {
		d := New(Options{Store: counting{}, Name: "w", Slots: 1})
		n := 2 + r.IntN(5)
		key := func(i int) store.Key {
			return store.Key{Kind: v1.KindJob, Namespace: "acme", Name: fmt.Sprint("job-", (i+n)%n)}
		}
		uid := func(i int) uuid.UUID { return uuid.UUID{15: byte((i+n)%n + 1)} }
		found := false
		ask := func(i int) {
			if d.jobs.Get(uid(i)) != nil && d.cycle(key(i), key(i+1)) != nil {
				found = true
			}
		}
		for _, i := range r.Perm(n) {
			e := &entry{uid: uid(i), workspace: unique.Make(key(i).Namespace), name: key(i).Name}
			d.jobs.Put(e)
			job := &v1.Job{Spec: v1.JobSpec{DependsOn: []v1.JobDependency{{Name: key(i + 1).Name}}}}
			d.dependOn(e, job)
			for range r.IntN(4) {
				ask(r.IntN(n))
			}
		}
		for _, i := range r.Perm(n) { // each is reconciled at least once after it came
			ask(i)
		}
		if !found {
			t.Fatalf("round %d: nobody found the ring of %d jobs", round, n)
		}
	}
}
