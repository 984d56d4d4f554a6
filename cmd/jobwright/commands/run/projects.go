package run

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

func newProjects(c *cli.Invocation) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "projects",
		Short: "List the compose projects of the workspace",
		Long: `Projects lists the compose projects that this workspace has deployed: what runs of each,
how many revisions are kept, and the images that they hold. A project that is down stays in
the list until jobwright forget removes what is kept of it.`,
		Example: `  jobwright projects
  jobwright projects -o yaml
  jobwright run deploy down --project-name shop
  jobwright forget shop`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			list, err := server.Projects(cmd.Context(), c.Workspace)
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
			case len(list.Items) == 0:
				fmt.Fprintf(c.Err, "Workspace %s has no compose projects.\n", c.Workspace)
				return nil
			}
			return printProjects(c.Out, list.Items, time.Now())
		},
	}
	cli.Output(command, &output, "json or yaml instead of a table", "json", "yaml")
	return command
}

func newForget(c *cli.Invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "forget PROJECT",
		Short: "Remove what is kept of a compose project that is down",
		Long: `Forget removes the revisions of a compose project, the images that they hold, and the
project's owner: any workspace may deploy a project of its name then. A project that has
containers is refused; take it down first. Volumes and the compose file stay.`,
		Example: `  jobwright run deploy down --project-name shop
  jobwright forget shop`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: completeProjects(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			if err := server.ForgetProject(cmd.Context(), c.Workspace, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(c.Out, "project %s is forgotten\n", args[0])
			return nil
		},
	}
}

func printProjects(out io.Writer, list []v1.Project, now time.Time) error {
	t := print.NewTable(out, "PROJECT", "STATE", "SERVICES", "REVISIONS", "DEPLOYED", "IMAGES", "SIZE")
	for _, p := range list {
		var services []string
		for _, s := range p.Services {
			services = append(services, fmt.Sprintf("%s %d/%d", s.Name, s.Running, s.Containers))
		}
		deployed := ""
		if p.Deployed != nil {
			deployed = print.Since(p.Deployed.Time, now)
		}
		t.Row(p.Name, string(p.State), print.Dash(strings.Join(services, ", ")), fmt.Sprint(p.Revisions), print.Dash(deployed),
			fmt.Sprint(p.Images), fmt.Sprintf("%.1f MB", float64(p.ImageBytes)/1e6))
	}
	return t.Flush()
}
