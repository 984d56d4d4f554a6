package compose

import (
	"context"
	"errors"
	"slices"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
	"jobwright.dev/controller/action/compose/repair"
)

// deploy is an attempt at a verb that starts containers.
type deploy struct {
	command
	r   *Runner
	a   action.Attempt
	out action.Sink

	limits    *watchdog
	rendering *rendering // nil until read
	wants     map[string]health.Want
	project   *engine.Project
	before    []engine.Container // the project's containers before anything was done
	after     []engine.Container // and as they were judged last
	change    *repair.Change
	steps     *steps
	report    *report
	changed   <-chan struct{} // signals that a container has changed
	unwatch   func()
	// started tells that docker compose was started; code is its exit code, tail its last lines.
	started bool
	code    int
	tail    string
	// unanswered is how health.probe was answered otherwise than expected; nil: it was
	// not asked, or answered as expected.
	unanswered error
	away       bool // the engine did not answer the last time
}

func newDeploy(r *Runner, a action.Attempt, c command, out action.Sink) *deploy {
	return &deploy{command: c, r: r, a: a, out: out, steps: newSteps(&rendering{}), unwatch: func() {}}
}

// stageFunc is one stage of a deploy; nil: the next one follows.
type stageFunc func(ctx context.Context) *action.Outcome

// run carries out the stages, in this order; the first one that has an outcome ends the
// deploy. ctx ends with the attempt's, and when a stage gets nowhere: its cause is an
// *exceeded then.
func (d *deploy) run(ctx context.Context) action.Outcome {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	d.limits = newWatchdog(limitsOf(d.a.Job.Spec.Deploy.Limits), func(e *exceeded) { stop(e) })
	defer d.limits.stop()
	d.limits.alive = func(s stage, since time.Time) bool { return s == waitHealth && d.writes(ctx, since) }
	defer func() { d.unwatch() }()
	for _, next := range []stageFunc{d.read, d.begin, d.watch, d.compose, d.await} {
		if outcome := next(ctx); outcome != nil {
			return *outcome
		}
	}
	return action.Outcome{Verdict: action.Succeeded, Facts: exitCode(d.code), Result: d.report.result()}
}

// outlasted is the limit that has ended ctx; nil: none has.
func outlasted(ctx context.Context) *exceeded {
	e, _ := errors.AsType[*exceeded](context.Cause(ctx))
	return e
}

// canceled reports whether ctx has ended for another reason than a stage's limit.
func canceled(ctx context.Context) bool { return ctx.Err() != nil && outlasted(ctx) == nil }

// read has compose render its files, and reads the engine's clock meanwhile.
func (d *deploy) read(ctx context.Context) *action.Outcome {
	d.project = d.r.project(d.a, "")
	clock := make(chan error, 1)
	go func() { clock <- d.project.SetClock(ctx) }()
	rendering, err := d.rendered, error(nil)
	if rendering == nil {
		rendering, err = d.r.render(ctx, d.a, d.src)
	}
	if clockErr := <-clock; err == nil && clockErr != nil {
		return d.unreachable(ctx, clockErr)
	}
	if err != nil {
		return d.unreadable(ctx, err)
	}
	d.rendering, d.steps, d.project.Name = rendering, newSteps(rendering), rendering.Name
	if d.wants, err = rendering.wants(d.a.Job.Spec.Deploy); err != nil {
		return refused(v1.ReasonInvalidArguments, err.Error())
	}
	return nil
}

// begin repairs what an attempt before has left, and writes down what stands.
func (d *deploy) begin(ctx context.Context) *action.Outcome {
	err := repair.Interrupted(ctx, d.r.revisions, d.project, d.out)
	if err == nil {
		d.before, err = d.project.Containers(ctx)
	}
	if err != nil {
		return d.unreachable(ctx, err)
	}
	d.project.Baseline(d.before)
	d.limits.atLeast(starting, d.stopTime()+stopMargin, "the time that containers may take to stop (stop_grace_period)")
	if d.change, err = repair.Begin(d.r.revisions, d.project, string(d.a.Job.Spec.Deploy.Verb), d.before); err != nil {
		return refused(v1.ReasonInternalError, err.Error()+". Nothing was started.")
	}
	if d.a.Job.Spec.Deploy.Verb == v1.DeployUp && d.onCopies() {
		d.out.Line(action.System, "services run on files that a rollback has brought back, so they are made anew")
		d.args = slices.Insert(d.args, slices.Index(d.args, string(v1.DeployUp))+1, "--force-recreate")
	}
	d.report = newReport(d.out, d.rendering, d.wants)
	return nil
}

// watch has the engine tell of changes from now on.
func (d *deploy) watch(ctx context.Context) *action.Outcome {
	d.changed, d.unwatch = d.project.Watch(context.WithoutCancel(ctx), d.project.Now())
	return nil
}

// await watches the containers until they are good: compose's exit code alone is no proof.
// Without --wait it is 0 for a container that dies at once, and with --wait it is 1 for a
// one-shot container that has ended well.
func (d *deploy) await(ctx context.Context) *action.Outcome {
	d.limits.progress(waitHealth)
	d.tail = "" // compose has said nothing of what comes
	if seconds, ok := flagValue(d.a.Job.Spec.Deploy.ExtraArgs, "--wait-timeout"); ok {
		if limit, err := time.ParseDuration(seconds + "s"); err == nil {
			defer d.limits.within(limit, "--wait-timeout")()
		}
	}
	wait := &health.Await{
		Project: d.project, Wants: d.wants, Changed: d.changed, Probe: probeOf(d.a.Job.Spec.Deploy), Network: d.r.network,
		Patience: engineTime, Seen: d.onObservation,
	}
	j, err := wait.Run(ctx)
	d.unanswered = wait.Unanswered()
	switch {
	case canceled(ctx):
		return d.canceled(ctx)
	case ctx.Err() != nil:
		return d.late(ctx)
	case err != nil:
		return d.unreachable(ctx, err)
	case j.Grade == health.Failed:
		return d.unhealthy(ctx, j)
	}
	return nil
}

// refused is the outcome of a deploy that cannot be begun.
func refused(reason, message string) *action.Outcome {
	return new(action.Fail(reason, message))
}

// probeOf is health.probe; nil: there is none.
func probeOf(d *v1.DeployAction) *v1.HTTPProbe {
	if d.Health == nil {
		return nil
	}
	return d.Health.Probe
}
