package compose

import (
	"testing"
	"testing/synctest"
	"time"

	v1 "jobwright.dev/api/v1"
)

func TestAStageThatGetsNowhereIsToldFromOneThatGetsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		past := make(chan string, 10)
		start := int32(10)
		w := newWatchdog(limitsOf(&v1.DeployLimits{StartSeconds: &start}), func(e *exceeded) { past <- e.Error() })
		for range 100 { // an image comes slowly, for 25 minutes
			w.progress(pulling)
			time.Sleep(15 * time.Second)
		}
		w.progress(starting)
		time.Sleep(10*time.Second - 1)
		synctest.Wait()
		if len(past) > 0 {
			t.Fatalf("it was given up: %v", <-past)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		const want = "creating and starting containers got nowhere for 10s; spec.deploy.limits.startSeconds is 10, and the deploy had taken 25m10s"
		if len(past) != 1 {
			t.Fatalf("it was given up %d times", len(past))
		}
		if got := <-past; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		w.progress(starting) // too late
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(past) > 0 {
			t.Error("it was given up twice")
		}
		w.stop()
	})
}
