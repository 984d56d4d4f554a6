package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

func newCancel(c *cli) *cobra.Command {
	var selector string
	command := &cobra.Command{
		Use:   "cancel NAME… | -l SELECTOR",
		Short: "Ask jobs to end as Canceled; running ones are stopped",
		Example: `  jobwright cancel add-health-route
  jobwright cancel -l team=web`,
		Args: cobra.ArbitraryArgs, ValidArgsFunction: completeJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := c.connect()
			if err != nil {
				return err
			}
			keys, err := c.selected(cmd, server, args, selector)
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
				fmt.Fprintf(c.out, "job/%s canceling\n", key.Name)
			}
			return errors.Join(problems...)
		},
	}
	command.Flags().StringVarP(&selector, "selector", "l", "", "cancel every job with these labels that has not ended")
	return command
}

// selected are the objects that names or a label selector mean; one of both.
func (c *cli) selected(cmd *cobra.Command, server *client.Client, args []string, selector string) ([]client.Key, error) {
	if selector == "" {
		return c.objectArgs(args)
	}
	kind, _ := v1.KindByName(v1.KindJob)
	if len(args) == 1 {
		var err error
		if kind, err = c.kindArg(args[0]); err != nil {
			return nil, err
		}
	} else if len(args) > 1 {
		return nil, usagef("name objects or give a selector, not both")
	}
	key := client.Key{Kind: kind}
	if kind.Namespaced {
		key.Namespace = c.workspace
	}
	list, err := server.ListAll(cmd.Context(), kind, client.ListOptions{Namespace: key.Namespace, LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	var keys []client.Key
	for _, obj := range list.Items {
		key.Name = obj.GetName()
		keys = append(keys, key)
	}
	return keys, nil
}
