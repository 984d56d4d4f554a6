package run

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

func newRevisions(c *cli.Invocation) *cobra.Command {
	var output string
	var diff bool
	command := &cobra.Command{
		Use:   "revisions [PROJECT]",
		Short: "List the revisions of a compose project, the states to roll back to",
		Long: `Revisions lists the revisions of a compose project, newest first. Each deploy that
succeeded saves one: the rendered compose file with the exact images that ran, and the
names of secrets without their values. Without a project, the newest revision of each
project is listed.

The list contains only deploys of this workspace. A deploy that changes nothing saves no
revision. The server keeps --max-revisions of each project.`,
		Example: `  jobwright revisions
  jobwright revisions shop
  jobwright revisions shop --diff
  jobwright revisions shop -o yaml
  jobwright rollback shop --to 3`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: completeProjects(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			project := ""
			if len(args) > 0 {
				project = args[0]
			}
			server, err := c.Connect()
			if err != nil {
				return err
			}
			list, err := server.Revisions(cmd.Context(), client.RevisionOptions{Namespace: c.Workspace, Project: project, Compose: output != "", Diff: diff})
			if err != nil {
				return err
			}
			if len(list.Items) == 0 {
				if err := selection.WorkspaceExists(cmd.Context(), server, c.Workspace); err != nil {
					return err
				}
			}
			switch {
			case output != "":
				return print.As(c.Out, list, output)
			case len(list.Items) == 0 && project != "":
				fmt.Fprintf(c.Err, "Workspace %s has no revisions of project %s.\n", c.Workspace, project)
				return nil
			case len(list.Items) == 0:
				fmt.Fprintf(c.Err, "Workspace %s has no revisions.\n", c.Workspace)
				return nil
			case diff:
				return printRevisionDiffs(c.Out, list.Items)
			}
			return printRevisions(c.Out, list.Items, project == "", time.Now())
		},
	}
	flags := command.Flags()
	flags.BoolVar(&diff, "diff", false, "show what each revision changed")
	cli.Output(command, &output, "json or yaml, with the compose files, instead of a table", "json", "yaml")
	return command
}

func printRevisions(out io.Writer, list []v1.Revision, projects bool, now time.Time) error {
	names := []string{"REVISION", "AGE", "JOB", "NOTE", "SERVICES"}
	if projects {
		names = append([]string{"PROJECT"}, names...)
	}
	t := print.NewTable(out, names...)
	for _, r := range list {
		row := []string{fmt.Sprint(r.Number), print.Since(r.Time.Time, now), print.Dash(r.Job), print.Dash(revisionNote(r)), print.Dash(revisionServices(r))}
		if projects {
			row = append([]string{r.Project}, row...)
		}
		t.Row(row...)
	}
	return t.Flush()
}

func revisionNote(r v1.Revision) string {
	switch {
	case r.Damaged != "":
		return "damaged: " + r.Damaged
	case r.RollbackOf > 0:
		return fmt.Sprintf("rollback to %d", r.RollbackOf)
	}
	return ""
}

func revisionServices(r v1.Revision) string {
	var out []string
	for _, s := range r.Services {
		_, id, _ := strings.Cut(s.ImageID, ":")
		out = append(out, fmt.Sprintf("%s=%s@%s", s.Name, s.Image, id[:min(len(id), 12)]))
	}
	return strings.Join(out, " ")
}

// printRevisionDiffs prints each revision with its changes.
func printRevisionDiffs(out io.Writer, list []v1.Revision) error {
	for i, r := range list {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s revision %d", r.Project, r.Number)
		if r.Job != "" {
			fmt.Fprintf(out, ", job %s, %s", r.Job, r.Time.UTC().Format(time.RFC3339))
		}
		if note := revisionNote(r); note != "" {
			fmt.Fprintf(out, " (%s)", note)
		}
		fmt.Fprintln(out)
		switch {
		case r.Damaged != "":
		case r.Diff == "" && i == len(list)-1:
			fmt.Fprintln(out, "the oldest that is kept")
		case r.Diff == "":
			fmt.Fprintln(out, "no difference in its compose file")
		default:
			fmt.Fprint(out, r.Diff)
		}
	}
	return nil
}

// completeProjects completes the names of projects that have revisions.
func completeProjects(c *cli.Invocation) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var names []string
		if server, err := c.Connect(); err == nil && len(args) == 0 {
			if list, err := server.Revisions(cmd.Context(), client.RevisionOptions{Namespace: c.Workspace}); err == nil {
				for _, r := range list.Items {
					names = append(names, r.Project)
				}
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
