package objects

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

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
		Short: "Make objects what manifests say: create them, or change what is there",
		Long: `Apply reads manifests (YAML or JSON; files, folders, "-" for standard input; several
documents in each) and makes the objects on the server what they say. Nothing is sent
unless every document can be read; all problems are said at once, with lines. What YAML
readers disagree about (no, on, 0123; keys such as n or 1) is refused unless it is quoted.
An object whose manifest names no workspace goes to --workspace.`,
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
			for _, doc := range docs {
				manifest.IntoWorkspace(c, doc.Object)
				result, applied, err := server.Apply(cmd.Context(), doc.Object)
				if err != nil {
					problems = append(problems, fmt.Errorf("%s: %w", doc.Where, err))
					continue
				}
				if err := printApplied(c, applied, string(result), output); err != nil {
					return err
				}
			}
			return errors.Join(problems...)
		},
	}
	command.Flags().StringArrayVarP(&files, "filename", "f", nil, `file, folder or "-"; may be given several times`)
	cli.Output(command, &output, "name, yaml or json instead of what was done", "name", "yaml", "json")
	return command
}

func printApplied(c *cli.Invocation, obj v1.Object, result, output string) error {
	if output != "" {
		return print.Object(c.Out, obj, output)
	}
	_, err := fmt.Fprintf(c.Out, "%s %s\n", print.FullName(obj), result)
	return err
}
