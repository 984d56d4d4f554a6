package jobs

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/selection"
)

func newCancel(c *cli.Invocation) *cobra.Command {
	var selector string
	command := &cobra.Command{
		Use:   "cancel NAME… | -l SELECTOR",
		Short: "Ask jobs to end as Canceled; running ones are stopped",
		Example: `  jobwright cancel add-health-route
  jobwright cancel -l team=web`,
		Args: cobra.ArbitraryArgs, ValidArgsFunction: selection.CompleteJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			keys, err := selection.Select(c, cmd, server, args, selector)
			if err != nil {
				return err
			}
			var problems []error
			for _, key := range keys {
				obj, err := server.Get(cmd.Context(), key)
				if err == nil && selector != "" && obj.(*v1.Job).Finished() {
					continue
				}
				if err == nil && obj.(*v1.Job).Finished() {
					err = fmt.Errorf("job %q has ended already: %s", key.Name, obj.(*v1.Job).Status.Phase)
				}
				if err == nil {
					_, err = server.Cancel(cmd.Context(), key)
				}
				if err != nil {
					problems = append(problems, err)
					continue
				}
				fmt.Fprintf(c.Out, "job/%s canceling\n", key.Name)
			}
			return errors.Join(problems...)
		},
	}
	command.Flags().StringVarP(&selector, "selector", "l", "", "cancel every job with these labels that has not ended")
	return command
}
