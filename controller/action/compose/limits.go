package compose

import (
	"fmt"
	"maps"
	"sync"
	"time"

	v1 "jobwright.dev/api/v1"
)

// stage is what a deploy is at. Each has a limit of its own.
type stage string

const (
	pulling    stage = "pull"
	building   stage = "build"
	starting   stage = "start"
	waitHealth stage = "health"
)

// limits are how long each stage may go on without progress when the job does not say:
// a registry that has sent nothing for 5 minutes has gone; a compiler or a linker may be
// silent for long, so building gets 15; creating and starting containers takes seconds,
// but stopping those they replace takes their stop_grace_period, which is 10 s unless the
// compose file says more, so it gets 2; and a health check that docker itself has not
// given up within 5 minutes has a start_period that its author knows of.
var limits = map[stage]time.Duration{
	pulling: 300 * time.Second, building: 900 * time.Second, starting: 120 * time.Second, waitHealth: 300 * time.Second,
}

// limitsOf are those of a job.
func limitsOf(l *v1.DeployLimits) map[stage]time.Duration {
	out := maps.Clone(limits)
	if l == nil {
		return out
	}
	for s, seconds := range map[stage]*int32{pulling: l.PullSeconds, building: l.BuildSeconds, starting: l.StartSeconds, waitHealth: l.HealthSeconds} {
		if seconds != nil {
			out[s] = time.Duration(*seconds) * time.Second
		}
	}
	return out
}

// exceeded is a limit that has passed. It is an error, so that it can be the cause of a
// context's end.
type exceeded struct {
	stage stage
	limit time.Duration
	// idle is how long there was no progress; whole how long the deploy took until then.
	idle, whole time.Duration
}

func (e *exceeded) Error() string {
	what := map[stage]string{
		pulling:    "pulling images got nowhere",
		building:   "building images said nothing",
		starting:   "creating and starting containers got nowhere",
		waitHealth: "no service's state changed while some were not up yet",
	}[e.stage]
	return fmt.Sprintf("%s for %s; spec.deploy.limits.%sSeconds is %d, and the deploy had taken %s", what,
		e.idle.Round(time.Second), e.stage, int(e.limit/time.Second), e.whole.Round(time.Second))
}

// watchdog calls expire once when a stage gets nowhere for longer than its limit.
type watchdog struct {
	limits map[stage]time.Duration
	expire func(*exceeded)

	mu          sync.Mutex
	stage       stage
	began, last time.Time
	timer       *time.Timer
	ended       bool
}

func newWatchdog(limits map[stage]time.Duration, expire func(*exceeded)) *watchdog {
	now := time.Now()
	w := &watchdog{limits: limits, expire: expire, stage: starting, began: now, last: now}
	w.timer = time.AfterFunc(limits[starting], w.bark)
	return w
}

// progress tells that something has moved, in that stage.
func (w *watchdog) progress(s stage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.stage, w.last = s, time.Now()
	w.timer.Reset(w.limits[s])
}

// at is the stage of the last progress.
func (w *watchdog) at() stage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stage
}

func (w *watchdog) bark() {
	w.mu.Lock()
	now := time.Now()
	e := &exceeded{w.stage, w.limits[w.stage], now.Sub(w.last), now.Sub(w.began)}
	if w.ended || e.idle < e.limit { // the timer fired while progress was told
		w.mu.Unlock()
		return
	}
	w.ended = true
	w.mu.Unlock()
	w.expire(e)
}

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.timer.Stop()
}
