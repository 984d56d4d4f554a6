package job_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// TestAnAttemptThatYieldsLetsOthersRun: two jobs that wait for something yield both slots;
// they go on one after another as slots come free, before jobs that start.
func TestAnAttemptThatYieldsLetsOthersRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, there := newGates(), newGates()
		e := newEnvironment(t, func(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
			if strings.HasPrefix(a.Job.Name, "waits") {
				resume := out.(action.Yielder).Yield()
				there.run(ctx, a, out)
				if resume(ctx) != nil {
					return action.Outcome{Verdict: action.Stopped}
				}
			}
			return g.run(ctx, a, out)
		})
		e.start()
		defer e.stop()
		// started waits for the state in which nothing happens any more.
		started := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := g.started(); got != want {
				t.Errorf("at work: %q, want %q", got, want)
			}
		}
		for _, name := range []string{"waits-1", "waits-2", "a", "b", "c"} {
			e.create(name)
			synctest.Wait()
		}
		started("a b")
		close(there.gate("waits-2"))
		close(there.gate("waits-1"))
		started("a b")
		close(g.gate("a"))
		synctest.Wait()
		if got := g.started(); got != "a b waits-1" && got != "a b waits-2" {
			t.Errorf("at work: %q, want one of those that waited before c", got)
		}
		e.cancel("waits-1") // whether it goes on already or waits for a slot
		e.until("waits-1", terminal)
		synctest.Wait()
		if got := g.started(); !strings.Contains(got, "waits-2") {
			t.Errorf("at work: %q", got)
		}
		close(g.gate("waits-2"))
		close(g.gate("b"))
		close(g.gate("c"))
		for _, name := range []string{"a", "b", "c", "waits-2"} {
			if got := e.until(name, terminal); got.Status.Phase != v1.JobSucceeded {
				t.Errorf("%s: %s %s", name, got.Status.Phase, got.Status.Message)
			}
		}
	})
}

// TestNoMoreAttemptsYieldThanThereAreSlots, and with one slot none does.
func TestNoMoreAttemptsYieldThanThereAreSlots(t *testing.T) {
	for slots, want := range map[int]string{1: "a", 2: "a b c d"} {
		synctest.Test(t, func(t *testing.T) {
			g := newGates()
			e := newEnvironment(t, func(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
				out.(action.Yielder).Yield()
				return g.run(ctx, a, out)
			})
			e.opts.MaxConcurrent = slots
			e.start()
			defer e.stop()
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				e.create(name)
				synctest.Wait()
			}
			if got := g.started(); got != want {
				t.Errorf("%d slots: %q started, want %q", slots, got, want)
			}
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				close(g.gate(name))
			}
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				e.until(name, terminal)
			}
		})
	}
}
