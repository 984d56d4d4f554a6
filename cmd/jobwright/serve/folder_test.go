package serve

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"jobwright.dev/store"
)

func TestAServerThatStartedOnAFullDiskWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		asked, tried := 0, 0
		ready := func() error {
			if asked++; asked < 4 {
				return store.ErrFull
			}
			return nil
		}
		then := func() error {
			if tried++; tried == 1 {
				return errors.New("not this time")
			}
			return nil
		}
		if err := untilRoom(t.Context(), ready, then); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 4*fullDiskPeriod || asked != 5 || tried != 2 {
			t.Errorf("after %s: asked %d times, tried %d times", took, asked, tried)
		}
	})
}

func TestWaitingForRoomEndsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := untilRoom(ctx, func() error { return store.ErrFull }, func() error {
			t.Error("the workspace was made on a full disk")
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
