package compose

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// keptVerbs are those that docker compose can carry out over the kept revision of a project
// whose compose file is gone: what runs can still be listed, stopped and taken down.
var keptVerbs = []v1.DeployVerb{v1.DeployDown, v1.DeployStop, v1.DeployStart, v1.DeployRestart, v1.DeployLogs, v1.DeployPs}

// withoutFile carries out a verb over the newest revision of the project that the job names,
// because its compose file could not be found; problem says why.
func (r *Runner) withoutFile(ctx context.Context, a action.Attempt, problem error, out action.Sink) action.Outcome {
	d := a.Job.Spec.Deploy
	refused := action.Fail(v1.ReasonInvalidArguments, problem.Error())
	if r.revisions == nil || d.ProjectName == "" || !slices.Contains(keptVerbs, d.Verb) {
		return refused
	}
	last, err := r.revisions.Last(d.ProjectName)
	if err != nil || !r.restorer().Belongs(last, a.Job.Namespace) {
		return refused
	}
	args, err := commandLine(d, source{})
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	spec, err := r.restorer().Spec(a, last, args[slices.Index(args, string(d.Verb)):]...)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, fmt.Sprintf("%s; and its revision %d cannot be used: %v", problem, last.Number, err))
	}
	c := command{spec: spec, args: spec.Args, name: fmt.Sprintf("docker compose %s (revision %d)", d.Verb, last.Number)}
	out.Line(action.System, fmt.Sprintf("%s; using revision %d of project %s", strings.TrimPrefix(problem.Error(), "spec.deploy."), last.Number, last.Project))
	return r.once(ctx, a, c, out)
}
