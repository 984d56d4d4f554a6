package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

func newLogs(c *cli) *cobra.Command {
	var opts client.LogOptions
	var timestamps bool
	command := &cobra.Command{
		Use:   "logs NAME",
		Short: "Show what a job has printed; with -f until it has finished",
		Example: `  jobwright logs add-health-route
  jobwright logs -f --tail 20 --timestamps add-health-route`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: completeJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, key, err := c.job(args[0])
			if err != nil {
				return err
			}
			for line, err := range server.Logs(cmd.Context(), key, opts) {
				if err != nil {
					return err
				}
				if timestamps {
					fmt.Fprint(c.out, line.Time.UTC().Format("2006-01-02T15:04:05.000000Z "))
				}
				if _, err := fmt.Fprintln(c.out, line.Text); err != nil {
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

// job connects and finds the one job that a command names.
func (c *cli) job(arg string) (*client.Client, client.Key, error) {
	server, err := c.connect()
	if err != nil {
		return nil, client.Key{}, err
	}
	keys, err := c.objectArgs([]string{arg})
	if err != nil {
		return nil, client.Key{}, err
	}
	if keys[0].Kind.Name != v1.KindJob {
		return nil, client.Key{}, usagef("%s: name a job", arg)
	}
	return server, keys[0], nil
}
