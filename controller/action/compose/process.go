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
	"jobwright.dev/controller/action/process"
)

// composeShare is how many percent of a deploy are docker compose's; the rest is for
// services to come up.
const composeShare = 70

// engineTime is how long the engine may not answer before the deploy fails: a restart of
// the engine that leaves containers running takes seconds.
const engineTime = 10 * time.Second

// compose runs docker compose to its end. When it was cut off or has failed, what it has left
// is repaired before anything else.
func (d *deploy) compose(ctx context.Context) *action.Outcome {
	p, err := process.Start(d.r.spec(d.a, d.src, d.args))
	if err != nil {
		d.endChange()
		return new(d.r.unavailable(err))
	}
	early := d.follow(ctx, p)
	switch {
	case canceled(ctx):
		return d.canceled(ctx)
	case early == nil && ctx.Err() == nil && d.code == 0:
		d.endChange()
		return nil
	}
	left := d.change.Repair(ctx, d.steps.stopping, d.out)
	var outcome *action.Outcome
	switch {
	case early != nil:
		outcome = d.unhealthy(ctx, *early)
	case ctx.Err() != nil:
		outcome = d.late(ctx)
	default:
		outcome = d.broken(ctx)
	}
	if left != "" {
		outcome.Message += "\n" + left
	}
	return outcome
}

// follow waits for the end of docker compose and notes how it ended. A judgment comes back
// when a service has failed for good while compose still waited for it.
func (d *deploy) follow(ctx context.Context, p *process.Process) *health.Judgment {
	d.started = true
	stop := context.AfterFunc(ctx, func() { d.stop(ctx, p) })
	var early *health.Judgment
	var watching sync.WaitGroup
	watching.Go(func() { early = d.watchCompose(ctx, p) })
	d.tail = d.r.docker.Follow(ctx, p, string(d.a.Job.Spec.Deploy.Verb), d.out, d.onEvent)
	d.code = p.Wait()
	stop()
	if err := p.Kill(ctx); err != nil {
		d.out.Line(action.System, err.Error())
	}
	watching.Wait()
	d.report.exited(d.code)
	return early
}

// endChange removes the record of the change: nothing is left in between. A record that stays
// is repaired by the next attempt, which does no harm.
func (d *deploy) endChange() {
	if err := d.change.End(); err != nil {
		d.out.Line(action.System, err.Error())
	}
}

// onEvent takes in what compose says of its progress; a nil event is a line of text.
func (d *deploy) onEvent(e *engine.Event, pct int, step string) {
	if e == nil {
		d.limits.progress(d.steps.at())
		return
	}
	at, moved, services, state := d.steps.add(*e)
	if moved {
		d.limits.progress(at)
	}
	for _, service := range services {
		d.report.set(service, state, e.Details)
	}
	if pct > 0 {
		pct = pct * composeShare / 100
	}
	d.out.Progress(pct, step)
}

// watchCompose judges the containers while docker compose waits for some of them, for as long
// as it runs: compose waits for a dependency that crashes again and again for ever.
func (d *deploy) watchCompose(ctx context.Context, p *process.Process) *health.Judgment {
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
		if d.report.observe(j.Services) {
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

// onObservation reports an observation of the containers.
func (d *deploy) onObservation(seen health.Observation) {
	if seen.Err != nil {
		if !d.away {
			d.out.Line(action.System, "the docker engine does not answer: "+seen.Err.Error())
		}
		d.away = true
		return
	}
	d.away, d.after = false, seen.Containers
	d.allowChecks(seen.Containers)
	if d.report.observe(seen.Judgment.Services) {
		d.limits.progress(waitHealth)
	}
	waits := ""
	if s, ok := seen.Judgment.First(health.Waiting); ok {
		waits = " " + s.Name
	}
	d.out.Progress(composeShare+seen.Judgment.Good()*(99-composeShare)/max(len(seen.Judgment.Services), 1), "compose:health"+waits)
	if seen.Probing {
		d.out.Progress(-1, "compose:probe")
	}
}
