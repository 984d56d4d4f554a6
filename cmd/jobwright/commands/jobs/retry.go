package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

// retryOptions are the flags of retry.
type retryOptions struct {
	allFailed bool
	selector  string
	reason    string
	patch     string
	edit      bool
	dryRun    bool
	yes       bool
}

func newRetry(c *cli.Invocation) *cobra.Command {
	var o retryOptions
	command := &cobra.Command{
		Use:   "retry NAME… | --all-failed",
		Short: "Run finished jobs again, or retry failing ones now; earlier outcomes are kept",
		Long: `Retry queues a new run of jobs that have finished: the same objects, with the runs before
in status.history. A job in the back-off after a failed attempt is retried at once. --patch
and --edit change the spec in the same step. --all-failed retries every failed job that
matches -l and --reason; it lists them first and asks for confirmation.`,
		Example: `  jobwright retry add-health-route
  jobwright retry add-health-route --patch '{"build":{"variables":{"ROUTE_NAME":"status"}}}'
  jobwright retry deploy-shop --edit
  jobwright retry --all-failed -l team=web --reason ServerUnavailable`,
		Args: cobra.ArbitraryArgs, ValidArgsFunction: selection.CompleteJobs(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.allFailed && len(args) > 0:
				return cli.Usagef("name jobs or say --all-failed, not both")
			case !o.allFailed && (o.selector != "" || o.reason != ""):
				return cli.Usagef("-l and --reason go with --all-failed")
			case o.allFailed && (o.edit || o.patch != ""):
				return cli.Usagef("--edit and --patch are for jobs that are named")
			case o.edit && o.patch != "":
				return cli.Usagef("--edit or --patch, not both")
			}
			server, err := c.Connect()
			if err != nil {
				return err
			}
			if o.allFailed {
				return retryFailed(c, cmd, server, o)
			}
			keys, err := selection.Keys(c, args)
			if err != nil {
				return err
			}
			var problems []error
			for _, key := range keys {
				if err := retryOne(c, cmd, server, key, o); err != nil {
					problems = append(problems, err)
				}
			}
			return errors.Join(problems...)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&o.allFailed, "all-failed", false, "every failed job of the workspace")
	flags.StringVarP(&o.selector, "selector", "l", "", "with --all-failed: only jobs with these labels")
	flags.StringVar(&o.reason, "reason", "", "with --all-failed: only jobs that failed for this reason")
	flags.StringVar(&o.patch, "patch", "", "JSON merge patch of spec to apply with the retry")
	flags.BoolVar(&o.edit, "edit", false, "change spec in $VISUAL or $EDITOR first")
	flags.BoolVar(&o.dryRun, "dry-run", false, "only show what would be retried")
	flags.BoolVar(&o.yes, "yes", false, "do not ask")
	cli.CompleteValues(command, "reason", v1.Reasons()...)
	return command
}

// retryFailed prints the failed jobs by group, asks for confirmation and retries them.
func retryFailed(c *cli.Invocation, cmd *cobra.Command, server *client.Client, o retryOptions) error {
	jobs, err := failed(c, cmd, server, o.selector, o.reason, 0)
	if err != nil {
		return err
	}
	if len(jobs) == 0 {
		fmt.Fprintf(c.Err, "No failed jobs in workspace %s are meant; nothing to retry.\n", c.Workspace)
		return nil
	}
	if err := printFailures(c.Err, client.GroupFailures(jobs), time.Now()); err != nil {
		return err
	}
	if o.dryRun {
		fmt.Fprintf(c.Out, "%d jobs would be retried\n", len(jobs))
		return nil
	}
	if err := c.Confirm(o.yes, fmt.Sprintf("Retry these %d jobs?", len(jobs))); err != nil {
		return err
	}
	var problems []error
	kind, _ := v1.KindByName(v1.KindJob)
	for _, job := range jobs {
		if err := retryOne(c, cmd, server, client.Key{Kind: kind, Namespace: job.Namespace, Name: job.Name}, o); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func retryOne(c *cli.Invocation, cmd *cobra.Command, server *client.Client, key client.Key, o retryOptions) error {
	if key.Kind.Name != v1.KindJob {
		return cli.Usagef("%s/%s: only jobs can be retried", key.Kind.Singular, key.Name)
	}
	if o.dryRun {
		_, err := fmt.Fprintf(c.Out, "job/%s would be retried\n", key.Name)
		return err
	}
	var obj v1.Object
	var err error
	switch {
	case o.patch != "":
		obj, err = retryPatched(cmd, server, key, o.patch)
	case o.edit:
		obj, err = retryEdited(c, cmd, server, key)
	default:
		obj, err = server.Retry(cmd.Context(), key)
	}
	if err != nil {
		return err
	}
	job := obj.(*v1.Job)
	if job.Status.Reason == v1.ReasonRetrying { // the same run goes on
		_, err = fmt.Fprintf(c.Out, "job/%s is tried again now\n", key.Name)
		return err
	}
	_, err = fmt.Fprintf(c.Out, "job/%s queued again (rerun %d)\n", key.Name, job.Spec.Reruns)
	return err
}

// retryPatched changes the spec and requests the next run in one write.
func retryPatched(cmd *cobra.Command, server *client.Client, key client.Key, text string) (v1.Object, error) {
	spec := map[string]any{}
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return nil, cli.Usagef("--patch: not a JSON object: %v", err)
	}
	obj, err := server.Get(cmd.Context(), key)
	if err != nil {
		return nil, err
	}
	spec["reruns"] = obj.(*v1.Job).Spec.Reruns + 1
	return server.Patch(cmd.Context(), key, map[string]any{"spec": spec})
}

// retryEdited opens the spec in an editor and applies the result.
func retryEdited(c *cli.Invocation, cmd *cobra.Command, server *client.Client, key client.Key) (v1.Object, error) {
	obj, err := server.Get(cmd.Context(), key)
	if err != nil {
		return nil, err
	}
	job := obj.(*v1.Job)
	if !job.Finished() {
		return nil, fmt.Errorf("job %q has not finished, it is %s; cancel it first", job.Name, job.Status.Phase)
	}
	spec := job.Spec.DeepCopy()
	spec.Cancel, spec.ForceFinish, spec.CreatedBy, spec.Reruns = false, nil, nil, 0
	text, err := print.MarshalYAML(spec)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "jobwright-"+job.Name+"-*.yaml")
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(file, "# The spec of job %s/%s; it runs again when you save and leave.\n%s", job.Namespace, job.Name, text)
	if err := file.Close(); err != nil {
		return nil, err
	}
	if err := editor(c, cmd, file.Name()); err != nil {
		return nil, err
	}
	edited, err := os.ReadFile(file.Name())
	if err != nil {
		return nil, err
	}
	kept := func(err error) error { return fmt.Errorf("%w\nwhat you wrote is in %s", err, file.Name()) }
	changed := v1.JobSpec{}
	if err := strict.Unmarshal(edited, &changed); err != nil {
		return nil, kept(err)
	}
	changed.Reruns = job.Spec.Reruns + 1
	job.Spec = changed
	updated, err := server.Update(cmd.Context(), job)
	if err != nil {
		return nil, kept(err)
	}
	return updated, os.Remove(file.Name())
}

// editor opens the file in the user's editor. The variable may contain arguments, as with
// git and kubectl; it is not passed to a shell.
func editor(c *cli.Invocation, cmd *cobra.Command, path string) error {
	words := strings.Fields(os.Getenv("VISUAL"))
	if len(words) == 0 {
		words = strings.Fields(os.Getenv("EDITOR"))
	}
	if len(words) == 0 {
		return cli.Usagef("--edit: set VISUAL or EDITOR, or use --patch")
	}
	editor := exec.CommandContext(cmd.Context(), words[0], append(words[1:], path)...)
	editor.Stdin, editor.Stdout, editor.Stderr = c.In, print.Raw(c.Out), print.Raw(c.Err)
	if err := editor.Run(); err != nil {
		return fmt.Errorf("editor %s: %w", words[0], err)
	}
	return nil
}
