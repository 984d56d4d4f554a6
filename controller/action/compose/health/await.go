package health

import (
	"context"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/outbound"
)

// lookAgain is when containers are listed although the engine has told of no change: an
// event may be lost with its connection.
const lookAgain = 10 * time.Second

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
	// Seen gets each look; nil: nobody does.
	Seen func(Look)

	// unanswered is the last answer of the probe, unless it was the expected one.
	unanswered error
	silent     time.Time       // since when the engine does not answer
	answered   time.Time       // when it last did, by its own clock
	cut        map[string]bool // the containers, by ID, that have ended while the engine was away
}

// Look is one list of the containers, or the engine's refusal to give one.
type Look struct {
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
		look, err := a.look(ctx)
		if err != nil {
			return look.Judgment, err
		}
		pause := engine.RetryPause
		switch {
		case look.Err != nil:
		case look.Judgment.Grade == Failed, look.Judgment.Grade == Good && !look.Probing:
			return look.Judgment, nil
		case look.Probing && a.ask(ctx, look.Containers):
			continue // what answered may have ended since
		case look.Probing:
			pause = ProbePause
		default:
			pause = untilNext(look.Judgment, a.Project.Now())
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

// look lists and judges once, and tells Seen.
func (a *Await) look(ctx context.Context) (Look, error) {
	containers, err := a.Project.Containers(ctx)
	look := Look{Judgment: Judgment{Grade: Waiting}, Containers: containers, Err: err}
	switch {
	case ctx.Err() != nil:
		return look, context.Cause(ctx)
	case err == nil:
		a.back(containers)
		look.Judgment = Judge(a.Wants, containers, a.Project.Now())
		look.Probing = look.Judgment.Grade == Good && a.Probe != nil
	case a.silent.IsZero():
		a.silent = time.Now()
	case a.Patience > 0 && time.Since(a.silent) > a.Patience:
		return look, err
	}
	if a.Seen != nil {
		a.Seen(look)
	}
	return look, nil
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
		return lookAgain
	}
	return min(lookAgain, max(j.Next.Sub(now), time.Millisecond))
}
