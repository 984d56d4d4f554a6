package run

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

func newRollback(c *cli.Invocation) *cobra.Command {
	var o runOptions
	var to int64
	var services []string
	command := &cobra.Command{
		Use:   "rollback PROJECT | job/NAME",
		Short: "Restore a good state of a compose project",
		Long: `Rollback creates a job that restores a revision of a compose project with the images of
that revision, and follows the job to its end. It changes only containers that differ.

PROJECT goes back to the revision before its newest. job/NAME names a deploy: after one
that succeeded, the revision before its own is restored; after one that failed, the last
good revision. --to selects any other revision; jobwright revisions lists them.

A rollback creates a new revision, so that it can be rolled back too.`,
		Example: `  jobwright rollback shop
  jobwright rollback shop --to 3
  jobwright rollback shop --to 3 --service web
  jobwright rollback job/deploy-shop --detach`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: completeProjects(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("to") && to < 1 {
				return cli.Usagef("--to %d: must be at least 1", to)
			}
			server, err := c.Connect()
			if err != nil {
				return err
			}
			project, number, err := rollbackTarget(cmd.Context(), c, server, args[0], to)
			if err != nil {
				return err
			}
			return runJob(cmd.Context(), c, o, v1.JobSpec{
				Type: v1.JobTypeDeploy, Deploy: &v1.DeployAction{Verb: v1.DeployRollback, ProjectName: project, Revision: &number, Services: services},
			})
		},
	}
	command.Flags().Int64Var(&to, "to", 0, "the revision to bring back")
	command.Flags().StringSliceVar(&services, "service", nil, "only these services")
	o.bind(command)
	return command
}

// rollbackTarget returns the project and the revision of a rollback. The revision is
// resolved before the job is created, so that it does not depend on when the job runs.
func rollbackTarget(ctx context.Context, c *cli.Invocation, server *client.Client, name string, to int64) (project string, number int64, err error) {
	project = name
	var job *v1.Job
	if jobName, ok := strings.CutPrefix(name, "job/"); ok {
		if job, err = deployJob(ctx, c, server, jobName); err != nil {
			return "", 0, err
		}
		if project, _ = client.Deployed(job); project == "" {
			return "", 0, fmt.Errorf("job %q does not tell its compose project; name that: jobwright rollback PROJECT", jobName)
		}
	}
	if to > 0 {
		return project, to, nil
	}
	list, err := server.Revisions(ctx, client.RevisionOptions{Namespace: c.Workspace, Project: project})
	if err != nil {
		return "", 0, err
	}
	if len(list.Items) == 0 {
		return "", 0, fmt.Errorf("workspace %s has no revisions of project %q; jobwright revisions lists projects that have some", c.Workspace, project)
	}
	if number = client.RollbackTarget(list.Items, job); number == 0 {
		newest := list.Items[0].Number
		return "", 0, fmt.Errorf("project %q has no good revision to go back to; the newest is %d: to bring that back, say --to %d", project, newest, newest)
	}
	return project, number, nil
}

func deployJob(ctx context.Context, c *cli.Invocation, server *client.Client, name string) (*v1.Job, error) {
	kind, _ := v1.KindByName(v1.KindJob)
	obj, err := server.Get(ctx, client.Key{Kind: kind, Namespace: c.Workspace, Name: name})
	if err != nil {
		return nil, err
	}
	job, ok := obj.(*v1.Job)
	if !ok || job.Spec.Deploy == nil {
		return nil, cli.Usagef("job %q is no deploy", name)
	}
	if !job.Finished() {
		return nil, errors.New("job " + name + " has not finished; cancel it, or wait for it, first")
	}
	return job, nil
}
