package jobs

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

// failed returns the failed jobs of the workspace that match the selector and the reason
// and are not older than since; 0 means any age.
func failed(c *cli.Invocation, cmd *cobra.Command, server *client.Client, selector, reason string, since time.Duration) ([]*v1.Job, error) {
	kind, _ := v1.KindByName(v1.KindJob)
	list, err := selection.List(cmd.Context(), server, kind, client.ListOptions{
		Namespace: c.Workspace, LabelSelector: selector, FieldSelector: "status.phase=" + string(v1.JobFailed),
	})
	if err != nil {
		return nil, err
	}
	var jobs []*v1.Job
	for _, obj := range list.Items {
		job := obj.(*v1.Job)
		old := since > 0 && job.Status.CompletionTime != nil && time.Since(job.Status.CompletionTime.Time) > since
		if !old && (reason == "" || job.Status.Reason == reason) {
			jobs = append(jobs, job)
		}
	}
	return jobs, nil
}

func newFailures(c *cli.Invocation) *cobra.Command {
	var selector, reason, output string
	var age time.Duration
	command := &cobra.Command{
		Use:   "failures",
		Short: "Group failed jobs by type, reason and message",
		Long: `Failures groups the failed jobs of a workspace. Messages that differ only in numbers,
identifiers, times and the like count as the same.`,
		Example: `  jobwright failures
  jobwright failures --since 24h -l team=web
  jobwright failures -o json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			jobs, err := failed(c, cmd, server, selector, reason, age)
			if err != nil {
				return err
			}
			groups := client.GroupFailures(jobs)
			if output == "json" {
				if groups == nil {
					groups = []*client.FailureGroup{}
				}
				return print.JSON(c.Out, groups)
			}
			if len(groups) == 0 {
				fmt.Fprintf(c.Err, "No failed jobs in workspace %s.\n", c.Workspace)
				return nil
			}
			if err := printFailures(c.Out, groups, time.Now()); err != nil {
				return err
			}
			fmt.Fprintln(c.Err, "To retry a group: jobwright retry --all-failed --reason REASON")
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVarP(&selector, "selector", "l", "", "only jobs with these labels")
	flags.StringVar(&reason, "reason", "", "only this reason")
	flags.DurationVar(&age, "since", 0, "only jobs that failed within this time; 0: all")
	cli.Output(command, &output, "json instead of a table", "json")
	cli.CompleteValues(command, "reason", v1.Reasons()...)
	return command
}

func printFailures(out io.Writer, groups []*client.FailureGroup, now time.Time) error {
	t := print.NewTable(out, "COUNT", "TYPE", "REASON", "LAST", "EXAMPLE", "MESSAGE")
	for _, g := range groups {
		t.Row(fmt.Sprint(g.Count), string(g.Type), g.Reason, print.Since(g.Last, now), g.Jobs[0], print.Dash(g.Message))
	}
	return t.Flush()
}
