package job_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
)

// errConnection is what a store in another process answers when the network fails.
var errConnection = errors.New("connection reset by peer")

// remote is the way to a store in another process: it can be cut.
type remote struct {
	controller.Store
	mu      sync.Mutex
	cut     chan struct{} // closed: every call fails, also those under way
	err     error         // what they fail with
	watches int           // begun so far
}

func newRemote(over controller.Store) *remote {
	return &remote{Store: over, cut: make(chan struct{}), err: errConnection}
}

// disconnect makes every call fail until connect.
func (r *remote) disconnect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.cut)
}

func (r *remote) connect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = make(chan struct{})
}

func (r *remote) connection() chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cut
}

func (r *remote) pass() error {
	select {
	case <-r.connection():
		return r.err
	default:
		return nil
	}
}

func (r *remote) Get(ctx context.Context, key store.Key) (store.Record, error) {
	if err := r.pass(); err != nil {
		return store.Record{}, err
	}
	return r.Store.Get(ctx, key)
}

func (r *remote) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if err := r.pass(); err != nil {
		return store.Page{}, err
	}
	return r.Store.List(ctx, opts)
}

func (r *remote) UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	if err := r.pass(); err != nil {
		return store.Record{}, err
	}
	return r.Store.UpdateStatus(ctx, obj, d)
}

func (r *remote) Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error) {
	if err := r.pass(); err != nil {
		return nil, err
	}
	watch, err := r.Store.Watch(ctx, opts)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watches++
	return &remoteWatch{watch, r}, err
}

type remoteWatch struct {
	store.Watch
	r *remote
}

func (w *remoteWatch) Next(ctx context.Context) ([]store.Event, error) {
	cut := w.r.connection()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-cut:
			cancel()
		case <-stop:
		}
	}()
	changes, err := w.Watch.Next(ctx)
	select {
	case <-cut:
		return nil, w.r.err
	default:
		return changes, err
	}
}

// inBubble runs a test in which time passes only while everything waits.
func inBubble(t *testing.T, run func(context.Context, action.Attempt, action.Sink) action.Outcome, test func(*environment, *remote)) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnvironment(t, run)
		r := newRemote(e.store)
		e.opts.Store = r
		test(e, r)
		e.stop()
	})
}

func TestAWatchThatFailsOnceIsTakenUpAgain(t *testing.T) {
	inBubble(t, succeed, func(e *environment, r *remote) {
		e.start()
		e.create("before")
		e.until("before", terminal)
		r.disconnect()
		synctest.Wait() // both watches have failed
		r.connect()
		e.create("after")
		e.until("after", terminal)
		time.Sleep(time.Second)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.watches != 4 {
			t.Errorf("%d watches were begun; want those of jobs and workspaces, twice", r.watches)
		}
	})
}

func TestAStoreThatIsAwayAtTheStartIsWaitedFor(t *testing.T) {
	inBubble(t, succeed, func(e *environment, r *remote) {
		r.disconnect()
		e.start()
		time.Sleep(time.Hour)
		r.connect()
		e.create("one")
		e.until("one", terminal)
	})
}

// TestAMinuteWithoutTheStore lets an attempt run through an outage that ends it meanwhile:
// what it came to is written as soon as the store is back, and what was created and
// changed meanwhile is found.
func TestAMinuteWithoutTheStore(t *testing.T) {
	var release chan struct{} // of the bubble
	run := func(_ context.Context, a action.Attempt, _ action.Sink) action.Outcome {
		if a.Job.Name == "through" {
			<-release
		}
		return action.Outcome{Verdict: action.Succeeded, Message: "done " + a.Job.Name}
	}
	inBubble(t, run, func(e *environment, r *remote) {
		release = make(chan struct{})
		e.start()
		e.create("through")
		e.create("suspended", func(j *v1.Job) { j.Spec.Suspend = true })
		e.until("through", running)
		synctest.Wait()
		r.disconnect()
		time.Sleep(20 * time.Second)
		close(release)
		e.create("meanwhile")
		e.cancel("suspended")
		time.Sleep(40 * time.Second)
		r.connect()
		back := time.Now()
		for name, want := range map[string]v1.JobPhase{"through": v1.JobSucceeded, "meanwhile": v1.JobSucceeded, "suspended": v1.JobCanceled} {
			j := e.until(name, terminal)
			if j.Status.Phase != want || j.Status.Interruptions != 0 || j.Status.LateResult != nil {
				t.Errorf("%s: %+v", name, j.Status)
			}
		}
		if waited := time.Since(back); waited > 6*time.Second {
			t.Errorf("it took %s after the store was back", waited)
		}
	})
}

// TestRunEndsWhenItsStoreIsClosed: a closed store is the one error that ends Run.
func TestRunEndsWhenItsStoreIsClosed(t *testing.T) {
	e := newEnvironment(t, succeed)
	c, err := job.New(e.opts)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Run(t.Context()) }()
	if err := e.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, store.ErrClosed) {
		t.Errorf("Run = %v, want %v", err, store.ErrClosed)
	}
	e.archive.Close()
}

// garbled answers with a record that cannot be decoded.
type garbled struct {
	controller.Store
	gets atomic.Int32
}

func (g *garbled) Get(ctx context.Context, key store.Key) (store.Record, error) {
	g.gets.Add(1)
	record, err := g.Store.Get(ctx, key)
	return store.NewRecord(key, record.UUID(), record.ResourceVersion(), []byte(`{"spec":7}`)), err
}

// TestAJobThatCannotBeDecodedIsNotTriedForEver: it is read again when it changes.
func TestAJobThatCannotBeDecodedIsNotTriedForEver(t *testing.T) {
	inBubble(t, succeed, func(e *environment, r *remote) {
		g := &garbled{Store: r}
		e.opts.Store = g
		e.start()
		e.create("one")
		time.Sleep(24 * time.Hour)
		if n := g.gets.Load(); n != 1 {
			t.Errorf("it was read %d times within a day", n)
		}
		e.update("one", func(j *v1.Job) { j.Spec.Priority = 1 })
		time.Sleep(24 * time.Hour)
		if n := g.gets.Load(); n != 2 {
			t.Errorf("it was read %d times, once of them after it had changed", n)
		}
	})
}
