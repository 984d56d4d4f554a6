package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

// TestAServerWhoseClockJumps runs the real server under a wall clock that jumps while
// jobs are queued, at work, in a back-off and near each of their limits, kills it while
// the clock is wrong, starts it again, and sets the clock right. Whatever the clock
// says, every job ends, as it should have ended; jobs stand in the order in which they
// were created; a watch sees each change once; nothing that was acknowledged is lost.
func TestAServerWhoseClockJumps(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	k := &killed{t: t, bin: t.TempDir(), overlay: steppedOverlay(t)}
	k.build()
	const day = 24 * time.Hour
	jumps := map[string]time.Duration{
		"back by a day": -day, "back by ten years": -3653 * day, "forward by a day": day,
	}
	var mu sync.Mutex
	jobs, changes := 0, 0
	t.Run("jumps", func(t *testing.T) {
		for name, step := range jumps {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // most of it waits for limits of a second or two
				s := newStepped(t, k.bin)
				s.story(step)
				mu.Lock()
				defer mu.Unlock()
				jobs, changes = jobs+len(s.created), changes+s.changes
			})
		}
	})
	t.Logf("campaign: real server, clock jumps: %d jumps of the clock, %d kills while it is wrong, %d jobs acknowledged, %d changes watched",
		3*len(jumps), len(jumps), jobs, changes)
}

// story is what happens to one server: step is how far its clock jumps.
func (s *stepped) story(step time.Duration) {
	s.start()
	go s.watch()
	due := s.clock.now().Add(3 * time.Second) // when the clock is right again
	if step > 0 {
		due = due.Add(step / 2) // as soon as the clock has jumped
	}
	s.begin(due)

	s.clock.set(step)
	s.wantClock()
	s.jumped()
	s.wantOrder()

	s.kill()
	s.log.Reset()
	// A start goes by no uid on disk that is more than a day ahead, as one would be that
	// was made while a clock was wrong: what is created then stands before the rest.
	s.before = step < -24*time.Hour
	s.start()
	s.restarted()
	if n := s.target.count("scheduled"); step < 0 && n > 0 {
		s.t.Errorf("scheduled was started %d times by %s, and it is %s", n, due, s.clock.now())
	}
	s.wantOrder()
	s.stop()
	s.fsck()
	s.start()

	s.clock.set(0)
	s.wantClock()
	s.before = false
	s.create("right", v1.JobSpec{APICall: s.call("later"), BackoffLimit: once, Backoff: atOnce})
	s.succeed("scheduled", "right")
	if n := s.reconciles(); n > 1000 {
		s.t.Errorf("%d reconciles in a life of few jobs: something is looked at again and again until it is due", n)
	}
	if s.target.release("patient"); step < 0 {
		s.succeed("patient")
	}
	s.wantOrder()
	s.wantTruth()
	if text := s.log.String(); strings.Contains(text, "was edited") {
		s.t.Errorf("jobs.json was taken for edited:\n%s", text)
	}
	s.stop()
	s.fsck()
}

var (
	once, two, hour = new(int32(1)), new(int64(2)), new(int64(3600))
	patience        = new(int32(300)) // of a call, so that nothing but the job ends it
	atOnce          = &v1.Backoff{InitialSeconds: new(int32(0))}
	alone           = &v1.Concurrency{Key: "alone"}
	rate            = &v1.RateLimit{Key: "rate", PerSeconds: 2}
	newest          = &v1.Concurrency{Key: "newest", Policy: v1.ConcurrencyReplace}
)

// begin has jobs at work, waiting, and near each limit.
func (s *stepped) begin(due time.Time) {
	s.t.Helper()
	s.create("running", v1.JobSpec{APICall: s.call("hold"), Concurrency: alone})
	s.create("killed", v1.JobSpec{APICall: s.call("hold")})
	s.create("once", v1.JobSpec{APICall: &v1.APICallAction{URL: s.call("hold").URL, Method: http.MethodPost, TimeoutSeconds: patience}})
	s.create("deadline", v1.JobSpec{APICall: s.call("hold"), ActiveDeadlineSeconds: two})
	s.create("timeout", v1.JobSpec{APICall: s.call("hold"), AttemptTimeoutSeconds: two})
	s.create("idle", v1.JobSpec{APICall: s.call("hold"), IdleTimeoutSeconds: two})
	s.create("patient", v1.JobSpec{APICall: s.call("hold"), ActiveDeadlineSeconds: hour, AttemptTimeoutSeconds: hour, IdleTimeoutSeconds: hour})
	s.create("retrying", v1.JobSpec{APICall: s.call("later"), BackoffLimit: once, Backoff: atOnce})
	s.create("rated", v1.JobSpec{APICall: s.call(""), RateLimit: rate})
	s.create("older", v1.JobSpec{APICall: s.call("hold"), Concurrency: newest})
	for _, name := range s.created {
		s.until(name, "has been started", func(j *v1.Job) bool { return j.Status.Attempts > 0 })
	}
	s.create("behind", v1.JobSpec{APICall: s.call(""), Concurrency: alone})
	s.create("late", v1.JobSpec{APICall: s.call(""), Concurrency: alone, StartDeadlineSeconds: two})
	s.create("after", v1.JobSpec{APICall: s.call(""), DependsOn: []v1.JobDependency{{Name: "running"}}})
	s.create("scheduled", v1.JobSpec{APICall: s.call(""), StartAfter: &metav1.Time{Time: due}})
}

// jumped is what comes of them when the clock has jumped, beside new ones.
func (s *stepped) jumped() {
	s.t.Helper()
	names := []string{"running", "behind", "after", "newer", "retrying", "rated", "rated-too"}
	for n := range 5 {
		names = append(names, fmt.Sprint("jumped-", n))
		s.create(names[len(names)-1], v1.JobSpec{APICall: s.call("")})
	}
	s.create("rated-too", v1.JobSpec{APICall: s.call(""), RateLimit: rate})
	s.create("newer", v1.JobSpec{APICall: s.call(""), Concurrency: newest})
	s.ends("older", v1.JobCanceled, v1.ReasonReplaced)
	s.ends("deadline", v1.JobFailed, v1.ReasonDeadlineExceeded)
	s.ends("timeout", v1.JobFailed, v1.ReasonAttemptTimeout)
	s.ends("idle", v1.JobFailed, v1.ReasonIdleTimeout)
	s.ends("late", v1.JobFailed, v1.ReasonStartDeadlineExceeded)
	s.target.release("running")
	s.succeed(names...)
	// What is at work has been so for seconds, not for a day.
	s.until("patient", "is at work", func(j *v1.Job) bool { return j.Status.Phase == v1.JobRunning && j.Status.Attempts == 1 })
}

// restarted is what comes of them when the server was killed and started while the clock
// is wrong: no attempt waits for a lease that its own clock puts a day ahead.
func (s *stepped) restarted() {
	s.t.Helper()
	s.ends("once", v1.JobFailed, v1.ReasonInterrupted)
	again := []string{"killed", "patient"}
	if s.clock.step > 0 {
		again = again[:1]
		s.ends("patient", v1.JobFailed, v1.ReasonDeadlineExceeded) // an hour has passed, says the clock
	}
	for _, name := range again {
		s.until(name, "was run again", func(j *v1.Job) bool { return j.Status.Attempts == 2 && j.Status.Phase == v1.JobRunning })
	}
	s.target.release("killed")
	s.succeed("killed")
	for n := range 3 {
		s.create(fmt.Sprint("restarted-", n), v1.JobSpec{APICall: s.call("")})
		s.succeed(fmt.Sprint("restarted-", n))
	}
}
