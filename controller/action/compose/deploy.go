package compose

import (
	"context"
	"slices"
	"sync"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
	"jobwright.dev/controller/action/compose/repair"
	"jobwright.dev/controller/action/process"
)

// composeShare is how many percent of a deploy are docker compose's; the rest is for
// services to come up.
const composeShare = 70

// deploy is an attempt at a verb that starts containers.
type deploy struct {
	command
	r   *Runner
	a   action.Attempt
	out action.Sink

	rendering *rendering // nil until prepare
	wants     map[string]health.Want
	project   *engine.Project
	before    []engine.Container // the project's containers before anything was done
	change    *repair.Change
	steps     *steps
	board     *board
	limits    *watchdog
	changed   <-chan struct{} // signals that a container has changed
	// started tells that docker compose was started; code is its exit code.
	started bool
	code    int
	// unanswered is how health.probe was answered otherwise than expected; nil: it was
	// not asked, or answered as expected.
	unanswered error
	away       bool // the engine did not answer the last time
}

// converge runs docker compose with a verb that starts containers, and then looks until
// every service works, one of them does not, or a limit has passed. Compose's exit code
// alone is no proof: without --wait it is 0 for a container that dies at once, and with
// --wait it is 1 for a one-shot container that has ended well. The rendering is nil when
// nothing was started.
func (r *Runner) converge(ctx context.Context, a action.Attempt, c command, out action.Sink) (action.Outcome, *rendering) {
	d := &deploy{command: c, r: r, a: a, out: out, steps: newSteps(&rendering{})}
	limited, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	d.limits = newWatchdog(limitsOf(a.Job.Spec.Deploy.Limits), func(e *exceeded) { stop(e) })
	defer d.limits.stop()
	d.limits.alive = func(s stage, since time.Time) bool { return s == waitHealth && d.writes(ctx, since) }
	if outcome, ok := d.prepare(limited); !ok {
		return outcome, nil
	}
	var end func()
	d.changed, end = d.project.Watch(context.WithoutCancel(ctx), d.project.Now())
	defer end()
	tail, early, err := d.compose(limited)
	if err != nil {
		d.ended()
		return r.unavailable(err), nil
	}
	if ctx.Err() != nil {
		return d.canceled(ctx), d.rendering
	}
	left := ""
	if early != nil || limited.Err() != nil || d.code != 0 {
		left = d.change.Mend(ctx, d.steps.stopping, d.out) // before anything else
	} else {
		d.ended()
	}
	var outcome action.Outcome
	switch {
	case early != nil:
		outcome = d.unhealthy(ctx, *early)
	case limited.Err() != nil:
		outcome = d.late(ctx, limited, tail)
	case d.code != 0:
		outcome = d.broken(ctx, tail)
	default:
		d.limits.progress(waitHealth)
		outcome = d.await(ctx, limited)
	}
	if left != "" {
		outcome.Message += "\n" + left
	}
	return outcome, d.rendering
}

// ended removes the record of the change: nothing is left in between. A record that stays is
// mended by the next attempt, which does no harm.
func (d *deploy) ended() {
	if err := d.change.End(); err != nil {
		d.out.Line(action.System, err.Error())
	}
}

// prepare finds out what the deploy is about and what is there before it.
func (d *deploy) prepare(ctx context.Context) (action.Outcome, bool) {
	d.project = d.r.project(d.a, "")
	clock := make(chan error, 1)
	go func() { clock <- d.project.SetClock(ctx) }()
	rendering, err := d.r.render(ctx, d.a, d.src)
	if clockErr := <-clock; err == nil && clockErr != nil {
		return d.unreachable(ctx, clockErr), false
	}
	if err != nil {
		return d.unreadable(ctx, err), false
	}
	d.rendering, d.steps, d.project.Name = rendering, newSteps(rendering), rendering.Name
	if d.wants, err = rendering.wants(d.a.Job.Spec.Deploy); err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error()), false
	}
	if err = repair.Interrupted(ctx, d.r.revisions, d.project, d.out); err != nil {
		return d.unreachable(ctx, err), false
	}
	if d.before, err = d.project.Containers(ctx); err != nil {
		return d.unreachable(ctx, err), false
	}
	d.project.Baseline(d.before)
	d.limits.atLeast(starting, d.stopTime()+stopMargin, "the time that containers may take to stop (stop_grace_period)")
	if d.change, err = repair.Begin(d.r.revisions, d.project, string(d.a.Job.Spec.Deploy.Verb), d.before); err != nil {
		return action.Fail(v1.ReasonInternalError, err.Error()+". Nothing was started."), false
	}
	d.board = newBoard(d.out, rendering, d.wants)
	return action.Outcome{}, true
}

// compose runs docker compose to its end. A judgment comes back when a service has
// failed for good while compose still waited for it.
func (d *deploy) compose(ctx context.Context) (string, *health.Judgment, error) {
	p, err := process.Start(d.r.spec(d.a, d.src, d.args))
	if err != nil {
		return "", nil, err
	}
	d.started = true
	stop := context.AfterFunc(ctx, func() { d.stop(ctx, p) })
	var early *health.Judgment
	var watching sync.WaitGroup
	watching.Go(func() { early = d.along(ctx, p) })
	tail := d.r.docker.Follow(ctx, p, string(d.a.Job.Spec.Deploy.Verb), d.out, d.heard)
	d.code = p.Wait()
	stop()
	if err := p.Kill(ctx); err != nil {
		d.out.Line(action.System, err.Error())
	}
	watching.Wait()
	d.board.exited(d.code)
	return tail, early, nil
}

// heard takes in what compose says of its progress; a nil event is a line of text.
func (d *deploy) heard(e *engine.Event, pct int, step string) {
	if e == nil {
		d.limits.progress(d.steps.at())
		return
	}
	at, moved, services, state := d.steps.add(*e)
	if moved {
		d.limits.progress(at)
	}
	for _, service := range services {
		d.board.set(service, state, e.Details)
	}
	if pct > 0 {
		pct = pct * composeShare / 100
	}
	d.out.Progress(pct, step)
}

// along looks at the containers while docker compose waits for some of them, for as long
// as it runs: compose waits for a dependency that crashes again and again for ever.
func (d *deploy) along(ctx context.Context, p *process.Process) *health.Judgment {
	for {
		select {
		case <-p.Done():
			return nil
		case <-ctx.Done():
			return nil
		case <-d.changed:
		}
		if d.steps.at() != waitHealth {
			continue
		}
		seen, err := d.project.Containers(ctx)
		if err != nil {
			continue // compose meets the same error
		}
		seen = slices.DeleteFunc(seen, func(c engine.Container) bool { return has(d.before, c.ID) })
		d.allowChecks(seen)
		j := d.judge(seen)
		if d.board.take(j.Services) {
			d.limits.progress(waitHealth)
		}
		if slices.ContainsFunc(j.Services, func(s health.ServiceState) bool { return s.Reason == v1.ReasonCrashLoop }) {
			_ = p.Stop(context.WithoutCancel(ctx), d.a.Grace) // what is left is found by the Kill after it
			return &j
		}
	}
}

// judge judges the services that have containers among those.
func (d *deploy) judge(seen []engine.Container) health.Judgment {
	return health.Judge(health.Present(d.wants, seen), seen, d.project.Now())
}

// has reports whether a container with that ID is among those.
func has(containers []engine.Container, id string) bool {
	return slices.ContainsFunc(containers, func(c engine.Container) bool { return c.ID == id })
}

// engineTime is how long the engine may not answer before the deploy fails: a restart of
// the engine that leaves containers running takes seconds.
const engineTime = 10 * time.Second

// await watches the containers until it can be told what the deploy has come to.
func (d *deploy) await(ctx, limited context.Context) action.Outcome {
	if seconds, ok := flagValue(d.a.Job.Spec.Deploy.ExtraArgs, "--wait-timeout"); ok {
		if limit, err := time.ParseDuration(seconds + "s"); err == nil {
			defer d.limits.within(limit, "--wait-timeout")()
		}
	}
	wait := &health.Await{
		Project: d.project, Wants: d.wants, Changed: d.changed, Probe: probeOf(d.a.Job.Spec.Deploy), Network: d.r.network,
		Patience: engineTime, Seen: d.seen,
	}
	j, err := wait.Run(limited)
	d.unanswered = wait.Unanswered()
	switch {
	case ctx.Err() != nil:
		return d.canceled(ctx)
	case limited.Err() != nil:
		return d.late(ctx, limited, "")
	case err != nil:
		return d.unreachable(ctx, err)
	case j.Grade == health.Failed:
		return d.unhealthy(ctx, j)
	}
	return action.Outcome{Verdict: action.Succeeded, Facts: exitCode(d.code), Result: d.board.result()}
}

// seen tells of a look at the containers.
func (d *deploy) seen(look health.Look) {
	if look.Err != nil {
		if !d.away {
			d.out.Line(action.System, "the docker engine does not answer: "+look.Err.Error())
		}
		d.away = true
		return
	}
	d.away = false
	d.allowChecks(look.Containers)
	if d.board.take(look.Judgment.Services) {
		d.limits.progress(waitHealth)
	}
	waits := ""
	if s, ok := look.Judgment.First(health.Waiting); ok {
		waits = " " + s.Name
	}
	d.out.Progress(composeShare+look.Judgment.Good()*(99-composeShare)/max(len(look.Judgment.Services), 1), "compose:health"+waits)
	if look.Probing {
		d.out.Progress(-1, "compose:probe")
	}
}

// probeOf is health.probe; nil: there is none.
func probeOf(d *v1.DeployAction) *v1.HTTPProbe {
	if d.Health == nil {
		return nil
	}
	return d.Health.Probe
}
