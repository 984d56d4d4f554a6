package job_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
)

// testLease is short, so that tests need not wait for long; a worker that misses it
// under load is taken over, which every test here allows.
const testLease = 300 * time.Millisecond

// cluster is several workers over one store, and the attempts that are at work.
type cluster struct {
	*environment
	mu      sync.Mutex
	working map[string]*working // by attempt
	over    []string            // what was wrong
	begun   map[string]int
	release chan struct{} // lets an attempt end
	lease   time.Duration
}

type working struct {
	worker string
	stop   func()
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{working: map[string]*working{}, begun: map[string]int{}, release: make(chan struct{}), lease: testLease}
	c.environment = newEnvironment(t, nil)
	return c
}

// worker is one controller over the cluster's store, as another machine would run it.
type worker struct {
	name   string
	c      *cluster
	gate   *gate
	cancel context.CancelFunc
	done   chan error
}

// gate is a store that can be frozen, as SIGSTOP freezes a process: calls do not
// return until it is thawed. A dead one never lets anything through again.
type gate struct {
	controller.Store
	mu     sync.Mutex
	frozen chan struct{} // closed when thawed; nil: not frozen
	dead   bool
	// writing are the jobs whose status is being written, and over those of which two
	// writes of this process were under way at once: a job has one writer at a time.
	writing map[string]bool
	over    []string
}

// begins notes a status write.
func (g *gate) begins(uid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.writing == nil {
		g.writing = map[string]bool{}
	}
	if g.writing[uid] {
		g.over = append(g.over, "two status writes of job "+uid+" at once")
	}
	g.writing[uid] = true
}

func (g *gate) ends(uid string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.writing, uid)
}

// broken is what was wrong so far.
func (g *gate) broken() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.over)
}

func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	frozen, dead := g.frozen, g.dead
	g.mu.Unlock()
	if frozen != nil {
		select {
		case <-frozen:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if dead {
		return store.ErrClosed
	}
	return nil
}

func (g *gate) freeze() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frozen = make(chan struct{})
}

func (g *gate) thaw() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.frozen)
	g.frozen = nil
}

func (g *gate) Get(ctx context.Context, key store.Key) (store.Record, error) {
	if err := g.pass(ctx); err != nil {
		return store.Record{}, err
	}
	return g.Store.Get(ctx, key)
}

func (g *gate) UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	g.begins(string(obj.GetUID()))
	defer g.ends(string(obj.GetUID()))
	if err := g.pass(ctx); err != nil {
		return store.Record{}, err
	}
	return g.Store.UpdateStatus(ctx, obj, d)
}

// Run implements action.Runner: it works until it is released, stopped, or its worker
// dies.
func (w *worker) Run(ctx context.Context, a action.Attempt, _ action.Sink) action.Outcome {
	c := w.c
	dead, stop := context.WithCancel(context.Background())
	defer stop()
	c.mu.Lock()
	c.begun[a.Job.Name]++
	for id := range c.working {
		if strings.HasPrefix(id, string(a.Job.UID)) {
			c.over = append(c.over, fmt.Sprintf("%s began while %s of the same job was at work", a.ID, id))
		}
	}
	c.working[a.ID] = &working{w.name, stop}
	c.mu.Unlock()
	verdict := action.Succeeded
	select {
	case <-c.release:
	case <-ctx.Done():
		verdict = action.Stopped
	case <-dead.Done():
		verdict = action.Lost
	}
	c.end(a.ID)
	return action.Outcome{Verdict: verdict, Message: "by " + w.name, Repeatable: true}
}

// Recover implements action.Runner: it ends what another worker has left, as reaping
// by identity does.
func (w *worker) Recover(_ context.Context, a action.Attempt) (action.Outcome, error) {
	w.c.end(a.ID)
	return action.Outcome{Verdict: action.Lost, Repeatable: true}, nil
}

// end takes an attempt from those at work.
func (c *cluster) end(attempt string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.working[attempt]; w != nil {
		delete(c.working, attempt)
		w.stop()
	}
}

func (c *cluster) worker(name string) *worker {
	c.t.Helper()
	w := &worker{name: name, c: c, gate: &gate{Store: c.store}, done: make(chan error, 1)}
	ctl, err := job.New(job.Options{
		Store: w.gate, Logs: c.archive, Worker: name, MaxConcurrent: 3, Log: logr.Discard(), Lease: c.lease,
		Actions: action.Set{{Name: v1.JobTypeDeploy, Runner: w}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	go func() { w.done <- ctl.Run(ctx) }()
	return w
}

// kill ends a worker as SIGKILL does: nothing that it knows reaches the store any
// more, and its actions are gone.
func (w *worker) kill() {
	w.gate.mu.Lock()
	w.gate.dead = true
	w.gate.mu.Unlock()
	w.c.mu.Lock()
	var gone []string
	for id, a := range w.c.working {
		if a.worker == w.name {
			gone = append(gone, id)
		}
	}
	w.c.mu.Unlock()
	for _, id := range gone {
		w.c.end(id)
	}
	w.cancel()
	<-w.done
}

func (w *worker) stop() {
	w.cancel()
	if err := <-w.done; err != nil {
		w.c.t.Errorf("worker %s: %v", w.name, err)
	}
	for _, what := range w.gate.broken() {
		w.c.t.Errorf("worker %s: %s", w.name, what)
	}
}

// TestAWorkerThatWakesUpAfterItsLeaseChangesNothing freezes a worker at work, lets
// another take over and finish, and thaws it: one result counts, the other is late.
func TestAWorkerThatWakesUpAfterItsLeaseChangesNothing(t *testing.T) {
	synctest.Test(t, wakesUpAfterItsLease)
}

func wakesUpAfterItsLease(t *testing.T) {
	c := newCluster(t)
	frozen := c.worker("frozen")
	c.create("one")
	c.until("one", running)
	synctest.Wait() // it is at work
	frozen.gate.freeze()
	awake := c.worker("awake")
	c.until("one", func(j *v1.Job) bool { return j.Status.Attempts == 2 })
	c.release <- struct{}{}
	j := c.until("one", terminal)
	if j.Status.Phase != v1.JobSucceeded || j.Status.Message != "by awake" || j.Status.Interruptions != 1 {
		t.Errorf("status = %+v", j.Status)
	}
	frozen.gate.thaw()
	late := c.until("one", func(j *v1.Job) bool { return j.Status.LateResult != nil })
	if late.Status.Message != "by awake" || late.Status.LateResult.Worker != "frozen" || late.Status.LateResult.Attempt != string(j.UID)+"-1" {
		t.Errorf("late result = %+v", late.Status.LateResult)
	}
	awake.stop()
	frozen.stop()
	c.finish()
}

// TestAHealthyWorkerIsLeftAlone lets a second worker look on for several leases: what
// decides is the heartbeat, not how long an attempt takes.
func TestAHealthyWorkerIsLeftAlone(t *testing.T) {
	synctest.Test(t, healthyWorkerIsLeftAlone) // no renewal is late there
}

func healthyWorkerIsLeftAlone(t *testing.T) {
	c := newCluster(t)
	one := c.worker("one")
	c.create("long")
	first := c.until("long", running)
	two := c.worker("two")
	renewals := 0
	c.until("long", func(j *v1.Job) bool {
		if j.Status.CurrentAttempt != nil && !j.Status.CurrentAttempt.LeaseExpires.Equal(first.Status.CurrentAttempt.LeaseExpires) {
			first, renewals = j, renewals+1
		}
		return renewals == 4 || j.Status.Interruptions > 0
	})
	c.release <- struct{}{}
	if j := c.until("long", terminal); j.Status.Phase != v1.JobSucceeded || j.Status.Attempts != 1 {
		t.Errorf("status = %+v", j.Status)
	}
	one.stop()
	two.stop()
	c.finish()
}

// TestEveryJobEndsThoughWorkersDie runs three workers over one store and kills them at
// random: every job ends, and no job is worked on twice at a time.
func TestEveryJobEndsThoughWorkersDie(t *testing.T) {
	c := newCluster(t)
	r := rand.New(rand.NewPCG(5, 6))
	workers := []*worker{c.worker("w0"), c.worker("w1"), c.worker("w2")}
	const jobs = 40
	for i := range jobs {
		c.create(fmt.Sprint("job-", i))
	}
	// Each release lets one attempt end; now and then a worker dies instead, and
	// another machine takes its place.
	stop := make(chan struct{})
	var releasing sync.WaitGroup
	releasing.Go(func() {
		for {
			select {
			case c.release <- struct{}{}:
			case <-stop:
				return
			}
		}
	})
	for kill := range 4 {
		c.until(fmt.Sprint("job-", 5+7*kill), terminal)
		at := r.IntN(len(workers))
		workers[at].kill()
		workers[at] = c.worker(fmt.Sprint("w", 3+kill))
	}
	for i := range jobs {
		if j := c.until(fmt.Sprint("job-", i), terminal); j.Status.Phase != v1.JobSucceeded {
			t.Errorf("job-%d: %+v", i, j.Status)
		}
	}
	close(stop)
	releasing.Wait()
	for _, w := range workers {
		w.stop()
	}
	c.mu.Lock()
	for _, what := range c.over {
		t.Error(what)
	}
	c.mu.Unlock()
	c.finish()
}

// finish checks what holds after every test and closes the store.
func (c *cluster) finish() {
	c.checkInvariants()
	if err := c.store.Close(); err != nil {
		c.t.Error(err)
	}
	c.archive.Close()
}
