package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/process"
)

// Run implements action.Runner. No secret of the server leaves it.
func (r *Runner) Run(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	d := a.Job.Spec.Deploy
	if d == nil {
		return action.Fail(v1.ReasonInvalidArguments, "spec.deploy: Required value")
	}
	if err := r.checkSecrets(a.Job); err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	project, rendered := r.projectOf(ctx, a)
	hide := r.redactorFor(a.Job, project)
	ctx, out = engine.Hiding(ctx, hide), hide.Sink(out)
	if err := r.mayTouch(project, a.Job); err != nil {
		return action.Fail(v1.ReasonInvalidArguments, hide.String(err.Error()))
	}
	end, waited, ok := r.turns.take(ctx, r.turnOf(project, a.Job), out)
	if waited {
		rendered = nil // the files may be others by now
	}
	if !ok {
		return action.Outcome{Verdict: action.Stopped, Message: "docker compose was not started; another run over the project had not ended.", Repeatable: true}
	}
	defer end()
	if err := errors.Join(r.mayTouch(project, a.Job), r.own(project, a.Job)); err != nil {
		return action.Fail(v1.ReasonInvalidArguments, hide.String(err.Error()))
	}
	return hide.Outcome(r.verb(ctx, a, rendered, out))
}

// verb carries out the job's verb. rendered is what compose has rendered already; nil: nothing.
func (r *Runner) verb(ctx context.Context, a action.Attempt, rendered *rendering, out action.Sink) action.Outcome {
	d := a.Job.Spec.Deploy
	if d.Verb == v1.DeployRollback {
		return r.rollback(ctx, a, out)
	}
	src, err := r.sourceOf(a.Job)
	if err != nil {
		return r.withoutFile(ctx, a, err, out)
	}
	args, err := commandLine(d, src)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	if d.Verb == v1.DeployConfig {
		out = maskedSettings{out}
	}
	c := command{spec: r.spec(a, src, args), src: src, rendered: rendered, args: args, name: "docker compose " + strings.Join(args[3+len(src.files):], " ")}
	out.Line(action.System, "compose file: "+shown(r.roots, a.Job.Namespace, src))
	out.Line(action.System, c.name)
	out.Progress(0, "compose:"+string(d.Verb))
	switch {
	case ctx.Err() != nil:
		return action.Outcome{Verdict: action.Stopped, Message: c.name + " was not started.", Repeatable: true}
	case d.Verb == v1.DeployUp:
		return r.up(ctx, a, c, out)
	case d.Verb.Converges():
		return newDeploy(r, a, c, out).run(ctx)
	}
	return r.once(ctx, a, c, out)
}

// command is a run of docker compose.
type command struct {
	spec process.Spec
	src  source
	// rendered is what compose has rendered of the files already; nil: nothing.
	rendered *rendering
	args     []string // after "docker"
	name     string   // for messages
}

// once runs a verb whose outcome is compose's exit code.
func (r *Runner) once(ctx context.Context, a action.Attempt, c command, out action.Sink) action.Outcome {
	p, err := process.Start(c.spec)
	if err != nil {
		return r.unavailable(err)
	}
	stop := context.AfterFunc(ctx, func() {
		out.Line(action.System, fmt.Sprintf("asked to stop; docker compose gets %s before it is killed", a.Grace))
		// What is left when this fails is found by Kill below, or reported there.
		_ = p.Stop(context.WithoutCancel(ctx), a.Grace)
	})
	steps := newSteps(&rendering{})
	verb := a.Job.Spec.Deploy.Verb
	tail := r.docker.Follow(ctx, p, string(verb), out, func(e *engine.Event, pct int, step string) {
		if e != nil {
			steps.add(*e)
		}
		out.Progress(pct, step)
	})
	code := p.Wait()
	stopped := !stop()
	if err := p.Kill(ctx); err != nil {
		out.Line(action.System, err.Error())
	}
	if stopped && ctx.Err() != nil && code != 0 {
		return action.Outcome{Verdict: action.Stopped, Message: c.name + " was stopped; containers were left as they were at that moment.", Repeatable: true}
	}
	o := exited(verb, c.name, code, steps, tail)
	if o.Reason == v1.ReasonExitCode && len(c.src.files) > 0 {
		o = r.blameFile(ctx, a, c, o)
	}
	if verb == v1.DeployDown && code == 0 {
		project, _ := r.projectOf(ctx, a)
		return r.judgeDown(context.WithoutCancel(ctx), a, c, project, o)
	}
	return o
}

// blameFile is the outcome of a run that has failed where the compose file is at fault: what
// up says of the same file. Otherwise it is the outcome as it was.
func (r *Runner) blameFile(ctx context.Context, a action.Attempt, c command, o action.Outcome) action.Outcome {
	_, err := r.read(ctx, a, c.src, r.variables(a.Job))
	if said, ok := errors.AsType[*engine.RefusedError](err); ok {
		o.Reason, o.Message = v1.ReasonInvalidComposeFile, cause{text: said.Said}.sentence()+" "+c.name+" did nothing."
	}
	return o
}

// exited is the outcome of an exit code.
func exited(verb v1.DeployVerb, name string, code int, steps *steps, tail string) action.Outcome {
	o := action.Outcome{Verdict: action.Succeeded, Facts: exitCode(code)}
	if encoded, err := v1.NewJSON(result{ExitCode: &code}); err == nil {
		o.Result = &encoded
	}
	if code == 0 {
		return o
	}
	at := map[v1.DeployVerb]stage{v1.DeployBuild: building, v1.DeployPull: pulling}[verb]
	c := diagnose(steps, at, tail)
	o.Verdict, o.Reason, o.Message = action.Failed, c.reason, c.sentence()+" "+engine.Ended(name, code)+engine.LastWords(tail)
	return o
}

// exitCode is an exit code as a fact.
func exitCode(code int) action.Facts { return action.Facts(nil).With(v1.FactExitCode, code) }

// withResult adds to what an outcome reports as its result.
func withResult(o action.Outcome, add map[string]any) action.Outcome {
	result := map[string]any{}
	if o.Result != nil {
		if value, err := o.Result.Value(); err == nil {
			if known, ok := value.(map[string]any); ok {
				result = known
			}
		}
	}
	maps.Copy(result, add)
	if encoded, err := v1.NewJSON(result); err == nil {
		o.Result = &encoded
	}
	return o
}
