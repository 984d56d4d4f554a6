package objects

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/manifest"
	"jobwright.dev/cmd/jobwright/print"
)

func newApply(c *cli.Invocation) *cobra.Command {
	var files []string
	var output string
	command := &cobra.Command{
		Use:   "apply -f FILE…",
		Short: "Create or change objects as manifests describe them",
		Long: `Apply reads manifests (YAML or JSON; files, folders, "-" for standard input; several
documents in each) and creates or changes the objects on the server accordingly. Nothing is
sent unless every document can be read; all problems are reported at once, with lines.
Values that YAML readers interpret differently (no, on, 0123; keys such as n or 1) must be
quoted. An object without a workspace goes to --workspace.`,
		Example: `  jobwright apply -f job.yaml
  jobwright apply -f manifests/ -f extra.yaml
  generate-jobs | jobwright apply -f -`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return cli.Usagef("name manifests with -f")
			}
			server, err := c.Connect()
			if err != nil {
				return err
			}
			docs, err := manifest.Read(c, files)
			if err != nil {
				return err
			}
			var problems []error
			outcomes := map[client.Applied]int{}
			for _, doc := range docs {
				manifest.IntoWorkspace(c, doc.Object)
				result, applied, err := server.Apply(cmd.Context(), doc.Object)
				if err != nil {
					problems = append(problems, doc.Refused(err)...)
					continue
				}
				outcomes[result]++
				if err := printApplied(c, applied, string(result), output); err != nil {
					return err
				}
			}
			if len(docs) > 1 && output == "" {
				fmt.Fprintln(c.Out, summary(outcomes, len(docs)))
			}
			return errors.Join(problems...)
		},
	}
	command.Flags().StringArrayVarP(&files, "filename", "f", nil, `file, folder or "-"; may be given several times`)
	cli.Output(command, &output, "name, yaml or json instead of what was done", "name", "yaml", "json")
	return command
}

// summary counts what became of all objects.
func summary(outcomes map[client.Applied]int, all int) string {
	var parts []string
	for _, outcome := range []client.Applied{client.Created, client.Configured, client.Unchanged} {
		if n := outcomes[outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outcome))
			all -= n
		}
	}
	if all > 0 {
		parts = append(parts, fmt.Sprintf("%d refused", all))
	}
	return strings.Join(parts, ", ")
}

func printApplied(c *cli.Invocation, obj v1.Object, result, output string) error {
	if output != "" {
		return print.Object(c.Out, obj, output)
	}
	_, err := fmt.Fprintf(c.Out, "%s %s\n", print.FullName(obj), result)
	return err
}
