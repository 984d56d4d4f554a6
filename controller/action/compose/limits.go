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

// patience is how many limits a stage may take in all while its containers write output and
// nothing else moves: a migration that tells of each step takes its time, but one that
// writes the same line for ever does not keep a deploy running.
const patience = 10

// exceeded is a limit that has passed. It is an error, so that it can be the cause of a
// context's end.
type exceeded struct {
	stage stage
	limit time.Duration
	// because is what the limit comes from, beyond spec.deploy.limits; empty: nothing else.
	because string
	// total tells that the limit is for the whole stage, whatever progress there was.
	total bool
	// idle is how long there was no progress; whole how long the deploy took until then.
	idle, whole time.Duration
}

func (e *exceeded) Error() string {
	if e.total {
		return fmt.Sprintf("not every service was up in time; %s, and the deploy had taken %s", e.source(), e.whole.Round(time.Second))
	}
	what := map[stage]string{
		pulling:    "pulling images got nowhere",
		building:   "building images said nothing",
		starting:   "creating and starting containers got nowhere",
		waitHealth: "no service's state changed while some were not up yet",
	}[e.stage]
	return fmt.Sprintf("%s for %s; %s, and the deploy had taken %s", what, e.idle.Round(time.Second), e.source(), e.whole.Round(time.Second))
}

// source says which limit it is.
func (e *exceeded) source() string {
	if e.because != "" {
		return fmt.Sprintf("%s allows %s", e.because, e.limit.Round(time.Second))
	}
	return fmt.Sprintf("spec.deploy.limits.%sSeconds is %d", e.stage, int(e.limit/time.Second))
}

// watchdog calls expire once when a stage gets nowhere for longer than its limit.
type watchdog struct {
	expire func(*exceeded)
	// alive tells, when a limit is about to pass, whether something has moved since after
	// all; nil: nothing has.
	alive func(s stage, since time.Time) bool

	mu      sync.Mutex
	limits  map[stage]time.Duration
	because map[stage]string
	stage   stage
	began   time.Time
	entered time.Time // when the stage began
	last    time.Time
	timer   *time.Timer
	ended   bool
}

func newWatchdog(limits map[stage]time.Duration, expire func(*exceeded)) *watchdog {
	now := time.Now()
	w := &watchdog{limits: limits, because: map[stage]string{}, expire: expire, stage: starting, began: now, entered: now, last: now}
	w.timer = time.AfterFunc(limits[starting], w.check)
	return w
}

// progress tells that something has moved, in that stage.
func (w *watchdog) progress(s stage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	if now := time.Now(); s != w.stage {
		w.stage, w.entered, w.last = s, now, now
	} else {
		w.last = now
	}
	w.timer.Reset(w.limits[s])
}

// atLeast raises the limit of a stage to what the compose file itself allows; because names
// that.
func (w *watchdog) atLeast(s stage, limit time.Duration, because string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || w.limits[s] >= limit {
		return
	}
	w.limits[s], w.because[s] = limit, because
	if w.stage == s {
		w.timer.Reset(limit - time.Since(w.last))
	}
}

// at is the stage of the last progress.
func (w *watchdog) at() stage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stage
}

// check ends the deploy if the limit has really passed.
func (w *watchdog) check() {
	w.mu.Lock()
	s, last, ask := w.stage, w.last, w.alive != nil && time.Since(w.entered) < patience*w.limits[w.stage]
	w.mu.Unlock()
	if ask && time.Since(last) >= w.limit(s) && w.alive(s, last) {
		w.progress(s)
		return
	}
	w.mu.Lock()
	now := time.Now()
	e := &exceeded{stage: w.stage, limit: w.limits[w.stage], because: w.because[w.stage], idle: now.Sub(w.last), whole: now.Sub(w.began)}
	if w.ended || e.idle < e.limit { // the timer fired while progress was told
		w.mu.Unlock()
		return
	}
	w.ended = true
	w.mu.Unlock()
	w.expire(e)
}

// within ends the deploy when the present stage takes longer in all; because names what says
// so. The returned function takes that back.
func (w *watchdog) within(limit time.Duration, because string) func() bool {
	return time.AfterFunc(limit, func() {
		w.mu.Lock()
		e := &exceeded{stage: w.stage, limit: limit, because: because, total: true, idle: time.Since(w.last), whole: time.Since(w.began)}
		ended := w.ended
		w.ended = true
		w.mu.Unlock()
		if !ended {
			w.expire(e)
		}
	}).Stop
}

func (w *watchdog) limit(s stage) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limits[s]
}

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.timer.Stop()
}
