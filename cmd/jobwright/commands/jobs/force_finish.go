package jobs

import (
	"fmt"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/selection"
)

func newForceFinish(c *cli.Invocation) *cobra.Command {
	phase, message := string(v1.JobFailed), ""
	var yes bool
	command := &cobra.Command{
		Use:   "force-finish NAME --message WHY",
		Short: "End a job at once, whatever holds it",
		Long: `Force-finish ends a job in the phase given by --phase without waiting for its action. The
action is stopped if possible, and its outcome is recorded as the late result. Use it for
jobs that nothing else can end; the normal way is cancel. The status and the events of the
job record who decided, when and why.`,
		Example: `  jobwright force-finish deploy-shop --message "the host was taken away"
  jobwright force-finish deploy-shop --phase Succeeded --message "checked by hand" --yes`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: selection.CompleteJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			if message == "" {
				return cli.Usagef("--message is required: give the reason, for later readers of the job")
			}
			outcome := v1.JobPhase(phase)
			server, err := c.Connect()
			if err != nil {
				return err
			}
			keys, err := selection.Keys(c, args)
			if err != nil {
				return err
			}
			if err := c.Confirm(yes, fmt.Sprintf("End job %s as %s, whatever it is doing?", keys[0].Name, outcome)); err != nil {
				return err
			}
			if _, err := server.ForceFinish(cmd.Context(), keys[0], v1.ForceFinish{Phase: outcome, Message: message}); err != nil {
				return err
			}
			fmt.Fprintf(c.Out, "job/%s finished by force\n", keys[0].Name)
			return nil
		},
	}
	cli.Choice(command, &phase, "phase", "", "Succeeded, Failed or Canceled", string(v1.JobSucceeded), string(v1.JobFailed), string(v1.JobCanceled))
	command.Flags().StringVar(&message, "message", "", "why; required")
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return command
}
