package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

func newForceFinish(c *cli) *cobra.Command {
	var phase, message string
	var yes bool
	command := &cobra.Command{
		Use:   "force-finish NAME --message WHY",
		Short: "End a job at once, whatever holds it",
		Long: `Force-finish ends a job in the phase that --phase says, without waiting for its action:
that is stopped if it can be, and what it came to is recorded as late result. It is for
jobs that nothing else can end; cancel is the normal way. Who decided, when and why stays
with the job, in its status and its events.`,
		Example: `  jobwright force-finish deploy-shop --message "the host was taken away"
  jobwright force-finish deploy-shop --phase Succeeded --message "checked by hand" --yes`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: completeJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			if message == "" {
				return usagef("--message is required: say why, for those who read the job later")
			}
			outcome := v1.JobPhase(phase)
			if !outcome.Terminal() {
				return usagef("--phase %q: supported values: Succeeded, Failed, Canceled", phase)
			}
			server, err := c.connect()
			if err != nil {
				return err
			}
			keys, err := c.objectArgs(args)
			if err != nil {
				return err
			}
			if err := c.confirm(yes, fmt.Sprintf("End job %s as %s, whatever it is doing?", keys[0].Name, outcome)); err != nil {
				return err
			}
			if _, err := server.ForceFinish(cmd.Context(), keys[0], v1.ForceFinish{Phase: outcome, Message: message}); err != nil {
				return err
			}
			fmt.Fprintf(c.out, "job/%s finished by force\n", keys[0].Name)
			return nil
		},
	}
	command.Flags().StringVar(&phase, "phase", string(v1.JobFailed), "Succeeded, Failed or Canceled")
	command.Flags().StringVar(&message, "message", "", "why; required")
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	completeValues(command, "phase", string(v1.JobSucceeded), string(v1.JobFailed), string(v1.JobCanceled))
	return command
}

// confirm asks on a terminal; elsewhere only --yes is an answer.
func (c *cli) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	in, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return usagef("%s Nobody can be asked here; say --yes", question)
	}
	fmt.Fprintf(c.err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("not confirmed; nothing was changed")
	}
	return nil
}

func completeValues(command *cobra.Command, flag string, values ...string) {
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	}
	if err := command.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag is not there: a mistake of the program
	}
}

func newSuspend(c *cli) *cobra.Command {
	return newSuspension(c, true, &cobra.Command{
		Use:   "suspend NAME… | -l SELECTOR | workspace NAME…",
		Short: "Keep jobs from running; running ones are stopped without counting as failed",
		Long: `Suspend keeps jobs from starting until they are resumed. A running job is stopped and
starts over when it is resumed; that counts neither as a failure nor as an interruption.
A suspended workspace starts no job, or none of the types in --type; what runs goes on.`,
		Example: `  jobwright suspend nightly-import
  jobwright suspend -l team=web
  jobwright suspend workspace acme --type deploy`,
	})
}

func newResume(c *cli) *cobra.Command {
	return newSuspension(c, false, &cobra.Command{
		Use:   "resume NAME… | -l SELECTOR | workspace NAME…",
		Short: "Let suspended jobs or workspaces run again",
		Example: `  jobwright resume nightly-import
  jobwright resume workspace acme`,
	})
}

func newSuspension(c *cli, suspend bool, command *cobra.Command) *cobra.Command {
	var selector string
	var types []string
	command.Args = cobra.ArbitraryArgs
	command.ValidArgsFunction = completeJobs(c)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		server, err := c.connect()
		if err != nil {
			return err
		}
		keys, err := c.selected(cmd, server, args, selector)
		if err != nil {
			return err
		}
		done := map[bool]string{true: "suspended", false: "resumed"}[suspend]
		var problems []error
		for _, key := range keys {
			patch, err := suspension(cmd, server, key, suspend, types)
			if err == nil && patch != nil {
				_, err = server.Patch(cmd.Context(), key, patch)
			}
			switch {
			case err != nil:
				problems = append(problems, err)
			case patch == nil && selector == "":
				problems = append(problems, fmt.Errorf("job %q has ended already", key.Name))
			case patch != nil:
				fmt.Fprintf(c.out, "%s/%s %s\n", key.Kind.Singular, key.Name, done)
			}
		}
		return errors.Join(problems...)
	}
	command.Flags().StringVarP(&selector, "selector", "l", "", "every job with these labels that has not ended")
	command.Flags().StringSliceVar(&types, "type", nil, "of a workspace: only jobs of these types")
	completeValues(command, "type", typeNames()...)
	return command
}

func typeNames() []string {
	var names []string
	for _, t := range v1.JobTypes() {
		names = append(names, string(t))
	}
	return names
}

// suspension is the patch that suspends or resumes an object; nil: a job that has
// ended.
func suspension(cmd *cobra.Command, server *client.Client, key client.Key, suspend bool, types []string) (any, error) {
	if key.Kind.Name == v1.KindJob {
		if len(types) > 0 {
			return nil, usagef("--type is for workspaces")
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
	for _, t := range append(v1.JobTypes(), unknown(types)...) {
		if wanted[t] {
			list = append(list, t)
		}
	}
	return map[string]any{"spec": map[string]any{"suspendTypes": list}}, nil
}

// unknown are the types that there are not; the server says so.
func unknown(types []string) []v1.JobType {
	known := map[string]bool{}
	for _, name := range typeNames() {
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
