package objects

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/manifest"
	"jobwright.dev/cmd/jobwright/selection"
)

func newDelete(c *cli.Invocation) *cobra.Command {
	var selector string
	var files []string
	var ignore bool
	command := &cobra.Command{
		Use:   "delete [KIND] NAME… | KIND -l SELECTOR | -f FILE…",
		Short: "Delete objects; a running job is stopped, and logs go with their jobs",
		Example: `  jobwright delete job add-health-route
  jobwright delete jobs -l team=web
  jobwright delete -f job.yaml`,
		Args: cobra.ArbitraryArgs, ValidArgsFunction: selection.CompleteObjects(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			var keys []client.Key
			if len(files) > 0 {
				if len(args) > 0 || selector != "" {
					return cli.Usagef("name objects, a selector or files, not several of them")
				}
				keys, err = manifest.Keys(c, files)
			} else {
				keys, err = selection.Select(c, cmd, server, args, selector)
			}
			if err != nil {
				return err
			}
			var problems []error
			for _, key := range keys {
				err := server.Delete(cmd.Context(), key)
				if ignore && client.IsNotFound(err) {
					continue
				}
				if err != nil {
					problems = append(problems, err)
					continue
				}
				fmt.Fprintf(c.Out, "%s/%s deleted\n", key.Kind.Singular, key.Name)
			}
			return errors.Join(problems...)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&selector, "selector", "l", "", "delete every object with these labels")
	flags.StringArrayVarP(&files, "filename", "f", nil, `delete the objects of these manifests; file, folder or "-"`)
	flags.BoolVar(&ignore, "ignore-not-found", false, "it is no error when an object is not there")
	return command
}
