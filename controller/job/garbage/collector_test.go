package garbage_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/garbage"
	"jobwright.dev/store"
)

// objects is a store that has some jobs; unless it is away.
type objects struct {
	controller.Store
	uids map[string]uuid.UUID
	mu   sync.Mutex
	away bool
}

func (o *objects) Get(_ context.Context, key store.Key) (store.Record, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away {
		return store.Record{}, store.ErrUnavailable
	}
	uid, ok := o.uids[key.Name]
	if !ok || key.Kind != v1.KindJob || key.Namespace != "acme" {
		return store.Record{}, store.ErrNotFound
	}
	return store.NewRecord(key, uid, 1, []byte("{}")), nil
}

// kept is a Keeper of a set; it fails while broken is set.
type kept struct {
	mu     sync.Mutex
	jobs   map[action.JobRef]bool
	broken string
}

func (k *kept) Kept(_ context.Context, visit func(action.JobRef) error) error {
	k.mu.Lock()
	all := slices.Collect(maps.Keys(k.jobs))
	k.mu.Unlock()
	for _, job := range all {
		if err := visit(job); err != nil {
			return err
		}
	}
	return nil
}

func (k *kept) Forget(_ context.Context, job action.JobRef) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if job.Name == k.broken {
		return errors.New("the disk is broken")
	}
	delete(k.jobs, job)
	return nil
}

func (k *kept) names() (names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for job := range k.jobs {
		names = append(names, job.Name+" "+string(job.UID[:1]))
	}
	slices.Sort(names)
	return names
}

func ref(name string, uid uuid.UUID) action.JobRef {
	return action.JobRef{Namespace: "acme", Name: name, UID: types.UID(uid.String())}
}

var first, second = uuid.MustParse("11111111-1111-4111-8111-111111111111"), uuid.MustParse("22222222-2222-4222-8222-222222222222")

// run runs a collector in a bubble while test goes on.
func run(t *testing.T, jobs *objects, keeper *kept, test func(*garbage.Collector)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := garbage.New(jobs, logr.Discard(), keeper)
		m, err := controller.NewManager(jobs, logr.Discard(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Add(c.Controller()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		test(c)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func want(t *testing.T, keeper *kept, names ...string) {
	t.Helper()
	synctest.Wait()
	if got := keeper.names(); !slices.Equal(got, names) {
		t.Errorf("kept of %q, want %q", got, names)
	}
}

func TestOnlyWhatTheStoreDoesNotHaveIsRemoved(t *testing.T) {
	jobs := &objects{uids: map[string]uuid.UUID{"there": first, "replaced": second}}
	keeper := &kept{jobs: map[action.JobRef]bool{
		ref("there", first): true, ref("gone", first): true, ref("replaced", first): true, ref("replaced", second): true, ref("unheard", first): true,
	}}
	run(t, jobs, keeper, func(c *garbage.Collector) {
		for _, name := range []string{"there", "gone", "replaced"} {
			c.Deleted(ref(name, first)) // of the first it is not true
		}
		want(t, keeper, "replaced 2", "there 1", "unheard 1")
		c.Missed()
		want(t, keeper, "replaced 2", "there 1")
	})
}

func TestWhatCannotBeAskedOrRemovedNowIsRemovedLater(t *testing.T) {
	jobs := &objects{away: true}
	keeper := &kept{broken: "broken", jobs: map[action.JobRef]bool{ref("gone", first): true, ref("broken", first): true, ref("unheard", first): true}}
	run(t, jobs, keeper, func(c *garbage.Collector) {
		c.Deleted(ref("gone", first))
		want(t, keeper, "broken 1", "gone 1", "unheard 1")
		jobs.mu.Lock()
		jobs.away = false
		jobs.mu.Unlock()
		c.Missed()
		want(t, keeper, "broken 1") // which keeps no other from being removed
		keeper.mu.Lock()
		keeper.broken = ""
		keeper.mu.Unlock()
		c.Missed()
		want(t, keeper)
	})
}

func TestMoreDeletionsThanAreRememberedBecomeASweep(t *testing.T) {
	keeper := &kept{jobs: map[action.JobRef]bool{}}
	for i := range 10_100 {
		keeper.jobs[ref(fmt.Sprint("job-", i), first)] = true
	}
	all := slices.Collect(maps.Keys(keeper.jobs))
	jobs := &objects{}
	synctest.Test(t, func(t *testing.T) {
		c := garbage.New(jobs, logr.Discard(), keeper)
		for _, job := range all { // before anybody works
			c.Deleted(job)
		}
		m, err := controller.NewManager(jobs, logr.Discard(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Add(c.Controller()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		want(t, keeper)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
