package jobs

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/selection"
)

func newSuspend(c *cli.Invocation) *cobra.Command {
	return newSuspension(c, true, &cobra.Command{
		Use:   "suspend NAME… | -l SELECTOR | workspace NAME…",
		Short: "Keep jobs from running; stops running ones, which do not count as failed",
		Long: `Suspend keeps jobs from starting until they are resumed. A running job is stopped and
starts over when it is resumed; that counts neither as a failure nor as an interruption.
A suspended workspace starts no job, or no job of the types in --type; its running jobs
continue.`,
		Example: `  jobwright suspend nightly-import
  jobwright suspend -l team=web
  jobwright suspend workspace acme --type deploy`,
	})
}

func newResume(c *cli.Invocation) *cobra.Command {
	return newSuspension(c, false, &cobra.Command{
		Use:   "resume NAME… | -l SELECTOR | workspace NAME…",
		Short: "Let suspended jobs or workspaces run again",
		Example: `  jobwright resume nightly-import
  jobwright resume workspace acme`,
	})
}

func newSuspension(c *cli.Invocation, suspend bool, command *cobra.Command) *cobra.Command {
	var selector string
	var types []string
	command.Args = cobra.ArbitraryArgs
	command.ValidArgsFunction = selection.CompleteJobs(c)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		server, err := c.Connect()
		if err != nil {
			return err
		}
		keys, err := selection.Select(c, cmd, server, args, selector)
		if err != nil {
			return err
		}
		done := map[bool]string{true: "suspended", false: "resumed"}[suspend]
		var problems []error
		for _, key := range keys {
			patch, err := suspension(cmd, c, server, key, suspend, types)
			if err == nil && patch != nil {
				_, err = server.Patch(cmd.Context(), key, patch)
			}
			switch {
			case err != nil:
				problems = append(problems, err)
			case patch == nil && selector == "":
				problems = append(problems, fmt.Errorf("job %q has ended already", key.Name))
			case patch != nil:
				fmt.Fprintf(c.Out, "%s/%s %s\n", key.Kind.Singular, key.Name, done)
			}
		}
		return errors.Join(problems...)
	}
	command.Flags().StringVarP(&selector, "selector", "l", "", "every job with these labels that has not ended")
	command.Flags().StringSliceVar(&types, "type", nil, "of a workspace: only jobs of these types")
	cli.CompleteValues(command, "type", typeNames(c)...)
	return command
}

func typeNames(c *cli.Invocation) []string {
	var names []string
	for _, t := range c.Kinds.Payloads().Types() {
		names = append(names, string(t))
	}
	return names
}

// suspension returns the patch that suspends or resumes an object; nil for a job that has
// finished.
func suspension(cmd *cobra.Command, c *cli.Invocation, server *client.Client, key client.Key, suspend bool, types []string) (any, error) {
	if key.Kind.Name == v1.KindJob {
		if len(types) > 0 {
			return nil, cli.Usagef("--type is for workspaces")
		}
		obj, err := server.Get(cmd.Context(), key)
		if err != nil || obj.(*v1.Job).Finished() {
			return nil, err
		}
		return map[string]any{"spec": map[string]any{"suspend": suspend}}, nil
	}
	if len(types) == 0 {
		spec := map[string]any{"suspend": suspend}
		if !suspend {
			spec["suspendTypes"] = nil
		}
		return map[string]any{"spec": spec}, nil
	}
	obj, err := server.Get(cmd.Context(), key)
	if err != nil {
		return nil, err
	}
	wanted := map[v1.JobType]bool{}
	for _, t := range obj.(*v1.Workspace).Spec.SuspendTypes {
		wanted[t] = true
	}
	for _, t := range types {
		wanted[v1.JobType(t)] = suspend
	}
	list := []v1.JobType{}
	for _, t := range append(c.Kinds.Payloads().Types(), unknown(c, types)...) {
		if wanted[t] {
			list = append(list, t)
		}
	}
	return map[string]any{"spec": map[string]any{"suspendTypes": list}}, nil
}

// unknown returns the types that do not exist. The server refuses them with a message.
func unknown(c *cli.Invocation, types []string) []v1.JobType {
	known := map[string]bool{}
	for _, name := range typeNames(c) {
		known[name] = true
	}
	var out []v1.JobType
	for _, name := range types {
		if !known[name] {
			out = append(out, v1.JobType(name))
		}
	}
	return out
}
