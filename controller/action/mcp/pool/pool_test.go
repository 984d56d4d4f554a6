package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/controller/action/mcp/pool"
)

// fake is a session that ends when it is told to.
type fake struct {
	id    int
	bad   bool
	ended chan struct{}
	end   func()
}

func (f *fake) Usable(context.Context) bool { return !f.bad }
func (f *fake) Wait()                       { <-f.ended }
func (f *fake) Close(time.Duration)         { f.end() }

func (f *fake) Alive() bool {
	select {
	case <-f.ended:
		return false
	default:
		return true
	}
}

// bench is a pool of fakes, and what happened in it.
type bench struct {
	*pool.Pool[*fake]
	mu            sync.Mutex
	started, open int
	most, broke   int
	waits         []string
}

func newBench(t *testing.T, opts pool.Options) *bench {
	t.Helper()
	b := &bench{}
	opts.Idle = time.Minute
	opts.Broke = func() { b.broke++ }
	if opts.Budgets == nil {
		opts.Budgets = func(pool.Line) []*pool.Budget { return nil }
	}
	b.Pool = pool.New[*fake](opts)
	return b
}

func (b *bench) start(context.Context) (*fake, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.started++
	b.open++
	b.most = max(b.most, b.open)
	f := &fake{id: b.started, ended: make(chan struct{})}
	f.end = sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.open--
		close(f.ended)
	})
	return f, nil
}

func (b *bench) call(ctx context.Context, at pool.Line) pool.Call[*fake] {
	return pool.Call[*fake]{Line: at, Queue: ctx, Start: b.start, Waits: func(what string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.waits = append(b.waits, what)
	}}
}

func (b *bench) take(t *testing.T, at pool.Line) *fake {
	t.Helper()
	s, _, err := b.Take(t.Context(), b.call(t.Context(), at))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	acme  = pool.Line{Workspace: "acme"}
	rival = pool.Line{Workspace: "rival"}
)

func TestAWorkspaceNeverGetsTheSessionOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Calls: 1})
		first := b.take(t, acme)
		b.Put(first)
		other := b.take(t, rival)
		if other == first {
			t.Error("rival got acme's session")
		}
		b.Put(other)
		if again := b.take(t, acme); again != first {
			t.Errorf("acme got session %d, not its own one", again.id)
		}
		b.Drop(first, 0)
		b.Close(errors.New("over"))
	})
}

func TestASessionWithANameIsForThoseWhoSayTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Calls: 4})
		login := pool.Line{Workspace: "acme", Name: "login"}
		named := b.take(t, login)
		if plain := b.take(t, acme); plain == named {
			t.Error("a call without a name got it")
		} else {
			b.Put(plain)
		}
		foreign := b.take(t, pool.Line{Workspace: "rival", Name: "login"})
		if foreign == named {
			t.Error("another workspace got it by its name")
		}
		b.Put(foreign)
		got := make(chan *fake)
		go func() {
			s, earlier, err := b.Take(t.Context(), b.call(t.Context(), login))
			if err != nil || earlier != 1 {
				t.Errorf("%d calls before, %v", earlier, err)
			}
			got <- s
		}()
		synctest.Wait()
		b.Put(named) // one after another
		if second := <-got; second != named {
			t.Error("the second call of the name got another session")
		}
		b.Put(named)
		b.Close(errors.New("over"))
		if !slices.Contains(b.waits, "for the job that uses session login") {
			t.Errorf("waits %q", b.waits)
		}
	})
}

func TestAnIdleSessionIsClosedWhenItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Calls: 1})
		s := b.take(t, acme)
		b.Put(s)
		time.Sleep(time.Second)
		b.Put(b.take(t, acme)) // its time begins anew
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if !s.Alive() {
			t.Error("it was closed before its time")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if s.Alive() || len(b.States()) != 0 {
			t.Errorf("it is open after its time: %+v", b.States())
		}
	})
}

func TestASessionThatEndsWhileIdleIsNotUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Calls: 1})
		for name, breaks := range map[string]func(*fake){
			"it ends":               func(f *fake) { f.end() },
			"it gives no life sign": func(f *fake) { f.bad = true },
		} {
			b.broke = 0
			s := b.take(t, acme)
			b.Put(s)
			breaks(s)
			synctest.Wait()
			next := b.take(t, acme)
			if next == s || b.broke != 1 {
				t.Errorf("%s: session %d, then %d, %d broke", name, s.id, next.id, b.broke)
			}
			b.Drop(next, 0)
		}
	})
}

func TestCallsWaitForAPlaceInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pool.Options{Calls: 1})
		first := b.take(t, acme)
		var order []int
		for i := range 3 {
			go func() {
				s := b.take(t, acme)
				order = append(order, i)
				b.Put(s)
			}()
			synctest.Wait()
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := b.Take(t.Context(), b.call(short, acme)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call with little patience: %v", err)
		}
		b.Put(first)
		synctest.Wait()
		if diff := cmp.Diff([]int{0, 1, 2}, order); diff != "" || b.started != 1 {
			t.Errorf("%d sessions, order (-want +got):\n%s", b.started, diff)
		}
		b.Close(errors.New("over"))
	})
}

func TestAClosedPoolTellsThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := errors.New("over")
		b := newBench(t, pool.Options{Calls: 1})
		s := b.take(t, acme)
		waiting := make(chan error)
		go func() {
			_, _, err := b.Take(t.Context(), b.call(t.Context(), acme))
			waiting <- err
		}()
		synctest.Wait()
		b.Close(over)
		if err := <-waiting; !errors.Is(err, over) {
			t.Errorf("who waited: %v", err)
		}
		if _, _, err := b.Take(t.Context(), b.call(t.Context(), acme)); !errors.Is(err, over) {
			t.Errorf("who came later: %v", err)
		}
		b.Put(s)
		if s.Alive() {
			t.Error("a session that was given back to a closed pool is open")
		}
	})
}

func TestAStartThatFailsLeavesNothingTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := &pool.Budget{Name: "sessions", Total: 1}
		b := newBench(t, pool.Options{Calls: 1, Budgets: func(pool.Line) []*pool.Budget { return []*pool.Budget{budget} }})
		c := b.call(t.Context(), acme)
		c.Start = func(context.Context) (*fake, error) { return nil, errors.New("no licence") }
		for range 3 {
			if _, _, err := b.Take(t.Context(), c); err == nil || err.Error() != "no licence" {
				t.Errorf("error %v", err)
			}
		}
		b.Drop(b.take(t, acme), 0)
	})
}

// TestBudgets has many workspaces call by turns over few pool.
func TestBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, workspaces, calls = 3, 7, 20
		budget := &pool.Budget{Name: "processes", Total: limit}
		b := newBench(t, pool.Options{Calls: 2, Budgets: func(pool.Line) []*pool.Budget { return []*pool.Budget{budget} }})
		var all sync.WaitGroup
		for w := range workspaces {
			for c := range calls {
				all.Go(func() {
					s := b.take(t, pool.Line{Workspace: fmt.Sprint("w", w)})
					time.Sleep(time.Duration(w*calls+c) * time.Millisecond)
					if c%5 == 0 {
						b.Drop(s, 0)
					} else {
						b.Put(s)
					}
				})
			}
		}
		all.Wait()
		if b.most != limit {
			t.Errorf("%d sessions at once, want %d", b.most, limit)
		}
		b.Close(errors.New("over"))
		synctest.Wait()
		if b.open != 0 {
			t.Errorf("%d sessions are left", b.open)
		}
	})
}

func TestWhoHoldsLeastOfABudgetGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := &pool.Budget{Name: "processes", Total: 2}
		b := newBench(t, pool.Options{Calls: 9, Budgets: func(pool.Line) []*pool.Budget { return []*pool.Budget{budget} }})
		held := []*fake{b.take(t, acme), b.take(t, acme)}
		var order []string
		for _, workspace := range []string{"acme", "acme", "rival"} {
			go func() {
				s := b.take(t, pool.Line{Workspace: workspace})
				order = append(order, workspace)
				b.Drop(s, 0)
			}()
			synctest.Wait()
		}
		b.Drop(held[0], 0)
		synctest.Wait()
		b.Drop(held[1], 0)
		synctest.Wait()
		if diff := cmp.Diff([]string{"rival", "acme", "acme"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

// TestIdleSessionsMakeRoom: the one without a name that was idle for longest is closed,
// one with a name never.
func TestIdleSessionsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := &pool.Budget{Name: "processes", Total: 3}
		b := newBench(t, pool.Options{Calls: 1, Budgets: func(pool.Line) []*pool.Budget { return []*pool.Budget{budget} }})
		named := b.take(t, pool.Line{Workspace: "acme", Name: "login"})
		b.Put(named)
		old, young := b.take(t, acme), b.take(t, rival)
		b.Put(old)
		time.Sleep(time.Second)
		b.Put(young)
		third := b.take(t, pool.Line{Workspace: "third"})
		if old.Alive() || !young.Alive() || !named.Alive() {
			t.Errorf("open: old %t, young %t, named %t", old.Alive(), young.Alive(), named.Alive())
		}
		fourth := b.take(t, pool.Line{Workspace: "fourth"})
		if young.Alive() || !named.Alive() {
			t.Errorf("open: young %t, named %t", young.Alive(), named.Alive())
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, _, err := b.Take(t.Context(), b.call(ctx, acme)); !errors.Is(err, context.DeadlineExceeded) || !named.Alive() {
			t.Errorf("one more: %v; named open: %t", err, named.Alive())
		}
		b.Put(b.take(t, acme)) // when the named one's time is up
		if named.Alive() {
			t.Error("the named session outlived its idle time")
		}
		b.Drop(third, 0)
		b.Drop(fourth, 0)
		b.Close(errors.New("over"))
	})
}

// TestAnEachLimit lets a workspace's own sessions alone make room for it.
func TestAnEachLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := &pool.Budget{Name: "sessions", Each: 1}
		b := newBench(t, pool.Options{Calls: 1, Budgets: func(pool.Line) []*pool.Budget { return []*pool.Budget{budget} }})
		foreign, own := b.take(t, rival), b.take(t, acme)
		b.Put(foreign)
		b.Put(own)
		named := b.take(t, pool.Line{Workspace: "acme", Name: "login"})
		if own.Alive() || !foreign.Alive() {
			t.Errorf("open: own %t, foreign %t", own.Alive(), foreign.Alive())
		}
		b.Put(named)
		b.Close(errors.New("over"))
	})
}
