package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

func newWait(c *cli.Invocation) *cobra.Command {
	var condition string
	var timeout time.Duration
	command := &cobra.Command{
		Use:   "wait NAME… --for=condition=TYPE",
		Short: "Wait until jobs have reached a condition",
		Long: `Wait returns as soon as every named job has the condition (Complete, Failed, Canceled,
Finished, …), or is deleted with --for=delete. If a job finishes without the condition, it
returns at once with the exit code of the outcome.

Exit codes: 0 the condition is met (with condition=Finished: and the job succeeded),
3 the job failed, 4 it was canceled, 5 timed out, 1 anything else.`,
		Example: `  jobwright wait --for=condition=Finished job/add-health-route
  jobwright wait --for=condition=Complete --timeout 10m a b c
  jobwright wait --for=delete job/old`,
		Args: cobra.MinimumNArgs(1), ValidArgsFunction: selection.CompleteJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			reached, err := waitFor(condition)
			if err != nil {
				return err
			}
			server, err := c.Connect()
			if err != nil {
				return err
			}
			keys, err := selection.Keys(c, args)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			worst := cli.ExitOK
			for _, key := range keys {
				code, err := waitOne(ctx, c, server, key, condition, reached)
				if errors.Is(ctx.Err(), context.DeadlineExceeded) {
					fmt.Fprintf(c.Err, "error: %s/%s: timed out after %s waiting for %s\n", key.Kind.Singular, key.Name, timeout, condition)
					return cli.ExitStatus(cli.ExitTimeout)
				}
				if err != nil {
					return err
				}
				worst = max(worst, code)
			}
			if worst != cli.ExitOK {
				return cli.ExitStatus(worst)
			}
			return nil
		},
	}
	command.Flags().StringVar(&condition, "for", "condition=Finished", "condition=TYPE[=STATUS] or delete")
	cli.CompleteValues(command, "for", "condition="+v1.ConditionFinished, "condition="+v1.ConditionComplete, "condition="+v1.ConditionFailed, "condition="+v1.ConditionCanceled, "delete")
	command.Flags().DurationVar(&timeout, "timeout", 0, "give up after this time; 0: never")
	return command
}

// waitFor parses --for.
func waitFor(text string) (func(*v1.Job) bool, error) {
	if text == "delete" {
		return func(job *v1.Job) bool { return job == nil }, nil
	}
	rest, ok := strings.CutPrefix(text, "condition=")
	name, status, _ := strings.Cut(rest, "=")
	if !ok || name == "" {
		return nil, cli.Usagef("--for %q: use condition=TYPE[=STATUS] or delete", text)
	}
	known := []string{
		v1.ConditionComplete, v1.ConditionFailed, v1.ConditionCanceled,
		v1.ConditionFinished, v1.ConditionSuspended, v1.ConditionCanceling,
	}
	if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
		return nil, cli.Usagef("--for %q: unknown condition %q: supported conditions: %s", text, name, strings.Join(known, ", "))
	}
	if status == "" {
		status = "True"
	}
	return func(job *v1.Job) bool {
		if job == nil {
			return false
		}
		for _, condition := range job.Status.Conditions {
			if strings.EqualFold(condition.Type, name) {
				return strings.EqualFold(string(condition.Status), status)
			}
		}
		return false
	}, nil
}

func waitOne(ctx context.Context, c *cli.Invocation, server *client.Client, key client.Key, condition string, reached func(*v1.Job) bool) (int, error) {
	if key.Kind.Name != v1.KindJob {
		return 0, cli.Usagef("%s/%s: only jobs can be waited for", key.Kind.Singular, key.Name)
	}
	var last *v1.Job
	_, err := server.Wait(ctx, key, func(obj v1.Object) (bool, error) {
		job, _ := obj.(*v1.Job)
		if job == nil {
			return reached(nil), nil
		}
		last = job
		if job.Status.Phase.Terminal() && !job.Finished() {
			return false, nil // it is to run again, and nobody has begun with that yet
		}
		return reached(job) || job.Finished() && condition != "delete", nil
	})
	if err != nil {
		return 0, err
	}
	if last == nil || condition == "delete" {
		fmt.Fprintf(c.Out, "job/%s deleted\n", key.Name)
		return cli.ExitOK, nil
	}
	finished := strings.HasPrefix(strings.ToLower(condition), "condition=finished")
	if reached(last) && !finished {
		fmt.Fprintf(c.Out, "job/%s condition met\n", key.Name)
		return cli.ExitOK, nil
	}
	if last.Status.Phase == v1.JobSucceeded && reached(last) {
		fmt.Fprintf(c.Out, "job/%s succeeded\n", key.Name)
		return cli.ExitOK, nil
	}
	if reached(last) {
		fmt.Fprintf(c.Err, "job/%s %s\n", key.Name, print.Ending(last))
	} else {
		fmt.Fprintf(c.Err, "job/%s has ended without %s: %s\n", key.Name, condition, print.Ending(last))
	}
	return max(cli.ExitOf(last.Status.Phase), cli.ExitError), nil
}
