package compose

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
)

// A compose project belongs to the workspace that deployed it first, because the engine
// knows one project of a name. To other workspaces there is no such project.

// projectOf is the name of the project that a job is about: the job's own, or the one that
// compose makes of the files. Compose is asked where only compose can tell: a name with
// variables in it, or one from the folder's .env. Empty: the job's run says what is wrong.
// The second value is the rendering that this took; nil: none.
func (r *Runner) projectOf(ctx context.Context, a action.Attempt) (string, *rendering) {
	d := a.Job.Spec.Deploy
	if d == nil {
		return "", nil
	}
	if d.ProjectName != "" {
		return d.ProjectName, nil
	}
	src, err := r.sourceOf(a.Job)
	if err != nil {
		return "", nil
	}
	if !namedElsewhere(src) {
		return r.projects.of(src), nil
	}
	rendered, err := r.render(ctx, a, src)
	if err != nil {
		return r.projects.of(src), nil
	}
	return rendered.Name, rendered
}

// mayTouch reports whether the job's workspace may touch a project. A project that belongs
// to nobody, or to a workspace that was deleted, may be deployed by anybody.
func (r *Runner) mayTouch(project string, job *v1.Job) error {
	if r.revisions == nil || project == "" {
		return nil
	}
	owner, err := r.revisions.Owner(project)
	switch {
	case errors.Is(err, revisions.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("spec.deploy.projectName: Internal error: %w", err)
	case owner.Workspace == job.Namespace, r.gone(owner):
		return nil
	case job.Spec.Deploy.Verb == v1.DeployUp:
		return fmt.Errorf("spec.deploy.projectName: Invalid value: %q: a project of this name runs already, and is not this workspace's; give the job another projectName", project)
	}
	return fmt.Errorf("spec.deploy.projectName: Not found: %q: this workspace has no such project", project)
}

// gone reports whether the owner's workspace was deleted, or is another one of its name.
func (r *Runner) gone(owner revisions.Owner) bool {
	if r.since == nil {
		return false
	}
	created, err := r.since(owner.Workspace)
	if err != nil {
		return errors.Is(err, revisions.ErrNoWorkspace) // a store that is away makes nobody an heir
	}
	return owner.Since.Before(created)
}

// own makes the job's workspace the owner of a project that an up is about to make, unless
// it is already.
func (r *Runner) own(project string, job *v1.Job) error {
	if r.revisions == nil || project == "" || job.Spec.Deploy.Verb != v1.DeployUp {
		return nil
	}
	if owner, err := r.revisions.Owner(project); err == nil && owner.Workspace == job.Namespace && !r.gone(owner) {
		return nil
	}
	return r.revisions.Own(project, job.Namespace, time.Now())
}
