package health

import (
	"context"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/outbound"
)

// relistPause is when containers are listed although no event has come: an event may be lost
// with its connection.
const relistPause = 10 * time.Second

// Await lists a project's containers until they are good or have failed.
type Await struct {
	Project *engine.Project
	Wants   map[string]Want
	// Changed signals that a container may have changed.
	Changed <-chan struct{}
	// Probe is asked when every service is good; nil: nothing is asked.
	Probe   *v1.HTTPProbe
	Network *outbound.Network
	// Patience is how long the engine may not answer; zero: until ctx ends.
	Patience time.Duration
	// Seen gets each observation; nil: nobody does.
	Seen func(Observation)

	// unanswered is the last answer of the probe, unless it was the expected one.
	unanswered error
	silent     time.Time       // since when the engine does not answer
	answered   time.Time       // when it last did, by its own clock
	cut        map[string]bool // the containers, by ID, that have ended while the engine was away
}

// Observation is one list of the containers with its judgment, or the engine's error.
type Observation struct {
	Judgment   Judgment
	Containers []engine.Container
	// Probing tells that the probe is asked next.
	Probing bool
	// Err is why there is no list.
	Err error
}

// Run returns the judgment that ends the wait, Good or Failed. The error is the cause of ctx's
// end, or the engine's when it has not answered for longer than Patience.
func (a *Await) Run(ctx context.Context) (Judgment, error) {
	a.answered = a.Project.Now()
	for {
		seen, err := a.observe(ctx)
		if err != nil {
			return seen.Judgment, err
		}
		pause := engine.RetryPause
		switch {
		case seen.Err != nil:
		case seen.Judgment.Grade == Failed, seen.Judgment.Grade == Good && !seen.Probing:
			return seen.Judgment, nil
		case seen.Probing && a.ask(ctx, seen.Containers):
			continue // what answered may have ended since
		case seen.Probing:
			pause = probePause
		default:
			pause = untilNext(seen.Judgment, a.Project.Now())
		}
		timer := time.NewTimer(pause)
		select {
		case <-a.Changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// Unanswered is how the probe was answered otherwise than expected; nil: it was not asked,
// or answered as expected.
func (a *Await) Unanswered() error { return a.unanswered }

// observe lists and judges the containers once, and calls Seen.
func (a *Await) observe(ctx context.Context) (Observation, error) {
	containers, err := a.Project.Containers(ctx)
	seen := Observation{Judgment: Judgment{Grade: Waiting}, Containers: containers, Err: err}
	switch {
	case ctx.Err() != nil:
		return seen, context.Cause(ctx)
	case err == nil:
		a.back(containers)
		seen.Judgment = Judge(a.Wants, containers, a.Project.Now())
		seen.Probing = seen.Judgment.Grade == Good && a.Probe != nil
	case a.silent.IsZero():
		a.silent = time.Now()
	case a.Patience > 0 && time.Since(a.silent) > a.Patience:
		return seen, err
	}
	if a.Seen != nil {
		a.Seen(seen)
	}
	return seen, nil
}

// back marks the containers that have ended while the engine was away: an engine that is
// restarted stops what it does not start again, and exit code 0 is no completion then.
func (a *Await) back(containers []engine.Container) {
	if !a.silent.IsZero() {
		for _, c := range containers {
			if c.Status == "exited" && !c.FinishedAt.Before(a.answered) {
				if a.cut == nil {
					a.cut = map[string]bool{}
				}
				a.cut[c.ID] = true
			}
		}
	}
	a.silent, a.answered = time.Time{}, a.Project.Now()
	for i := range containers {
		containers[i].Cut = containers[i].Status == "exited" && a.cut[containers[i].ID]
	}
}

// ask asks the probe; true: it was answered as expected, and is not asked again.
func (a *Await) ask(ctx context.Context, containers []engine.Container) bool {
	err := Probe(ctx, a.Probe, containers, a.Network)
	if err == nil {
		a.Probe, a.unanswered = nil, nil
		return true
	}
	if ctx.Err() == nil || a.unanswered == nil { // a question that was cut off says nothing
		a.unanswered = err
	}
	return false
}

// untilNext is how long to wait for a change after a judgment.
func untilNext(j Judgment, now time.Time) time.Duration {
	if j.Next.IsZero() {
		return relistPause
	}
	return min(relistPause, max(j.Next.Sub(now), time.Millisecond))
}
