package compose

import (
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose/revisions"
)

// Deployers collects from jobs whose compose projects are: of each project, the workspace of
// the newest job that has deployed it. The newest is right because no other workspace may
// deploy the project of one that is there. The zero value is ready.
type Deployers struct{ owners map[string]revisions.Owner }

// Add considers a job.
func (d *Deployers) Add(job *v1.Job) {
	project, at := deployed(job)
	if project == "" {
		return
	}
	if known, ok := d.owners[project]; ok && !at.After(known.Since) {
		return
	}
	if d.owners == nil {
		d.owners = map[string]revisions.Owner{}
	}
	d.owners[project] = revisions.Owner{Workspace: job.Namespace, Since: at}
}

// Owners are the owners by project.
func (d *Deployers) Owners() map[string]revisions.Owner { return d.owners }

// deployed is the project that a finished job has deployed, and when; empty: none is proven.
// A result names the project only when the job's workspace was its owner; of a job without
// one, success proves it of the project that the spec names.
func deployed(job *v1.Job) (project string, at time.Time) {
	d, status := job.Spec.Deploy, job.Status
	if d == nil || d.Verb != v1.DeployUp && d.Verb != v1.DeployRollback || status.CompletionTime == nil {
		return "", time.Time{}
	}
	if status.Result != nil {
		if value, err := status.Result.Value(); err == nil {
			if result, ok := value.(map[string]any); ok {
				project, _ = result["project"].(string)
			}
		}
	}
	if project == "" && status.Phase == v1.JobSucceeded {
		project = d.ProjectName
	}
	return project, status.CompletionTime.Time
}
