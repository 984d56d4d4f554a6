package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/compose/rollback"
)

// rollback carries out verb rollback: it brings a revision of the workspace back, and
// keeps the project as the newest one.
func (r *Runner) rollback(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	d := a.Job.Spec.Deploy
	if r.revisions == nil {
		return action.Fail(v1.ReasonInvalidArguments, "spec.deploy.verb: Invalid value: \"rollback\": this server keeps no revisions")
	}
	wanted, newest, err := r.revisionFor(a.Job)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	out.Line(action.System, fmt.Sprintf("bringing back revision %d of %s: %s", wanted.Number, wanted.Project, images(wanted, nil)))
	out.Progress(0, "compose:rollback")
	if ctx.Err() != nil {
		return action.Outcome{Verdict: action.Stopped, Message: "The rollback was not started.", Repeatable: true}
	}
	t := rollback.Target{Revision: wanted, Wait: true}
	if len(d.Services) > 0 {
		t.Services = d.Services
	} else {
		for _, service := range newest.Services {
			if _, ok := wanted.Service(service.Name); !ok {
				t.Remove = append(t.Remove, service.Name)
			}
		}
	}
	bounded, cancel := context.WithTimeoutCause(ctx, rollbackTime, fmt.Errorf("the limit of a rollback is %s", rollbackTime))
	defer cancel()
	restored, removed, err := r.restorer().Restore(bounded, a, t, out)
	switch {
	case err != nil && ctx.Err() != nil:
		return action.Outcome{Verdict: action.Stopped, Repeatable: true, Message: fmt.Sprintf(
			"The rollback to revision %d was stopped half way; containers were left as they were at that moment. Run it again with jobwright rollback %s --to %d.", wanted.Number, wanted.Project, wanted.Number)}
	case err != nil:
		return withResult(action.Fail(v1.ReasonRollbackFailed, fmt.Sprintf("Revision %d of %s could not be brought back: %v", wanted.Number, wanted.Project, err)),
			map[string]any{"project": wanted.Project})
	}
	outcome := action.Outcome{Verdict: action.Succeeded, Message: r.told(wanted, restored, removed, a.Job.Namespace)}
	if len(restored) == 0 && len(removed) == 0 {
		outcome.Message = fmt.Sprintf("The project runs as revision %d has it already; nothing was changed.", wanted.Number)
	}
	result := map[string]any{"project": wanted.Project, "rolledBackTo": wanted.Number}
	kept, err := r.restorer().KeepRestored(context.WithoutCancel(ctx), a, wanted, newest, d.Services)
	if err != nil {
		outcome.Message += " It was not kept as a new revision: " + err.Error()
	} else {
		result["revision"] = kept.Number
	}
	return withResult(outcome, result)
}

// revisionFor is the revision that a job asks for, and the newest one: both of the job's
// workspace, as if there were no others.
func (r *Runner) revisionFor(job *v1.Job) (wanted, newest *revisions.Revision, err error) {
	d := job.Spec.Deploy
	numbers, err := r.revisions.Numbers(d.ProjectName)
	if err != nil {
		return nil, nil, err
	}
	var own []*revisions.Revision
	for _, n := range numbers {
		revision, err := r.revisions.Get(d.ProjectName, n)
		asked := d.Revision != nil && *d.Revision == n
		switch {
		case err == nil && r.restorer().Belongs(revision, job.Namespace):
			own = append(own, revision)
		case err != nil && asked && !errors.Is(err, revisions.ErrNotFound):
			return nil, nil, fmt.Errorf("spec.deploy.revision: Invalid value: %d: %w", n, err)
		}
	}
	if len(own) == 0 {
		return nil, nil, fmt.Errorf("spec.deploy.projectName: Not found: %q: workspace %s has no revisions of it", d.ProjectName, job.Namespace)
	}
	newest = own[len(own)-1]
	var known []int64
	for _, revision := range own {
		known = append(known, revision.Number)
	}
	switch {
	case d.Revision != nil:
		i := slices.Index(known, *d.Revision)
		if i < 0 {
			return nil, nil, fmt.Errorf("spec.deploy.revision: Not found: %d: workspace %s has revisions %v of %s", *d.Revision, job.Namespace, known, d.ProjectName)
		}
		wanted = own[i]
	case len(own) == 1:
		return nil, nil, fmt.Errorf("spec.deploy.revision: Required value: revision %d is the only one of %s; to bring that back, name it", known[0], d.ProjectName)
	default:
		wanted = own[len(own)-2]
	}
	for i, service := range d.Services {
		if _, ok := wanted.Service(service); !ok {
			return nil, nil, fmt.Errorf("spec.deploy.services[%d]: Not found: %q in revision %d of %s", i, service, wanted.Number, wanted.Project)
		}
	}
	return wanted, newest, nil
}
