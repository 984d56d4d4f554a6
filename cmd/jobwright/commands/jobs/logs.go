package jobs

import (
	"fmt"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/selection"
)

func newLogs(c *cli.Invocation) *cobra.Command {
	var opts client.LogOptions
	var timestamps bool
	command := &cobra.Command{
		Use:   "logs NAME",
		Short: "Show what a job has printed; with -f until it has finished",
		Example: `  jobwright logs add-health-route
  jobwright logs -f --tail 20 --timestamps add-health-route`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: selection.CompleteJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, key, err := selection.Job(c, args[0])
			if err != nil {
				return err
			}
			for line, err := range server.Logs(cmd.Context(), key, opts) {
				if err != nil {
					return err
				}
				if timestamps {
					fmt.Fprint(c.Out, line.Time.UTC().Format("2006-01-02T15:04:05.000000Z "))
				}
				if _, err := fmt.Fprintln(c.Out, line.Text); err != nil {
					return err
				}
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.BoolVarP(&opts.Follow, "follow", "f", false, "go on until the job has finished")
	flags.IntVar(&opts.TailLines, "tail", -1, "only the last lines; -1: all")
	flags.Int64Var(&opts.Since, "since-offset", 0, "only what follows the line with this offset")
	flags.BoolVar(&timestamps, "timestamps", false, "begin each line with its time")
	return command
}
