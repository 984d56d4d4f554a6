package mcp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// pooled is a pool whose one slot is taken.
func pooled() *pool {
	r := &Runner{opts: Options{MaxSessions: 1, IdleTime: time.Minute}}
	r.metrics = newMetrics(r)
	p := newPool(r, "fake", Server{})
	p.slots <- struct{}{}
	return p
}

func (p *pool) idling() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

func TestAnIdleSessionIsClosedWhenItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooled()
		p.put(&session{})
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if n := p.idling(); n != 1 {
			t.Errorf("%d sessions idle before the time, want 1", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := p.idling(); n != 0 {
			t.Errorf("%d sessions idle after the time, want 0", n)
		}
	})
}

func TestASessionThatIsTakenAgainIsNotClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := pooled(), &session{}
		p.put(s)
		time.Sleep(time.Second)
		if got, err := p.warm(); got != s || err != nil {
			t.Fatalf("warm = %v, %v", got, err)
		}
		p.slots <- struct{}{}
		p.put(s) // its time begins anew
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if n := p.idling(); n != 1 {
			t.Errorf("%d sessions idle, want 1", n)
		}
		p.close(errClosed)
	})
}

func TestNoMoreSessionsThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooled()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if s, err := p.take(ctx, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second session: %v, %v", s, err)
		}
		p.close(errClosed)
		p.drop(&session{}, 0)
		if _, err := p.take(t.Context(), nil, nil); !errors.Is(err, errClosed) {
			t.Errorf("a closed pool: %v", err)
		}
		if n := len(p.slots); n != 0 {
			t.Errorf("%d slots are held by nobody", n)
		}
	})
}
