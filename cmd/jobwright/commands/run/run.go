package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
)

// runOptions are the flags of every type of job.
type runOptions struct {
	name     string
	labels   []string
	priority int32
	deadline int64
	detach   bool
	dryRun   bool
	plan     planFlags
	policy   policyFlags
}

func newRun(c *cli.Invocation) *cobra.Command {
	own := map[v1.JobType]func(*cli.Invocation) *cobra.Command{
		v1.JobTypeBuild: newRunBuild, v1.JobTypeDeploy: newRunDeploy, v1.JobTypeAPICall: newRunAPICall,
	}
	var names []string
	var types []*cobra.Command
	for _, p := range c.Kinds.Payloads() {
		names = append(names, p.Command)
		if command, ok := own[p.Type]; ok {
			types = append(types, command(c))
		} else {
			types = append(types, newRunPayload(c, p))
		}
	}
	command := &cobra.Command{
		Use:   "run " + strings.Join(names, "|") + " …",
		Short: "Create a job from flags and follow it to its end",
		Long: `Run creates a job, shows its progress and log until it has ended, and tells the outcome
with its exit code: 0 succeeded, 3 failed, 4 canceled. An interrupt (Ctrl-C) cancels the
job; --detach returns as soon as it is created.`,
		Example: `  jobwright run build apply_builder --id nextjs-api-route --var ROUTE_NAME=health
  jobwright run deploy up --compose-path app/compose.yml
  jobwright run api-call https://example.com/hook --body '{"ok":true}'`,
		Args: cli.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(types...)
	return command
}

func (o *runOptions) bind(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&o.name, "name", "", "name of the job (default: the type and five characters)")
	flags.StringSliceVar(&o.labels, "label", nil, "KEY=VALUE")
	flags.Int32Var(&o.priority, "priority", 0, "-1000 to 1000, higher first")
	flags.Int64Var(&o.deadline, "active-deadline-seconds", 0, "seconds the job may run; 0: no limit")
	flags.BoolVarP(&o.detach, "detach", "d", false, "return as soon as the job is created")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the manifest instead of creating the job")
	cli.Output(command, &o.plan.output, "with --plan: json or yaml", "json", "yaml")
	flags.BoolVar(&o.plan.wanted, "plan", false, "show what the job would do instead of creating it; exit code 1 if it has problems")
	o.policy.bind(command)
}

func runJob(ctx context.Context, c *cli.Invocation, o runOptions, spec v1.JobSpec) error {
	server, err := c.Connect()
	if err != nil {
		return err
	}
	spec.Priority = o.priority
	if err := o.policy.apply(&spec, time.Now()); err != nil {
		return err
	}
	if o.deadline > 0 {
		spec.ActiveDeadlineSeconds = &o.deadline
	}
	job := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: o.name, Namespace: c.Workspace}, Spec: spec,
	}
	if o.name == "" {
		job.GenerateName = strings.ReplaceAll(string(spec.Type), "_", "-") + "-"
	}
	for _, label := range o.labels {
		key, value, ok := strings.Cut(label, "=")
		if !ok {
			return cli.Usagef("--label %q: use KEY=VALUE", label)
		}
		if job.Labels == nil {
			job.Labels = map[string]string{}
		}
		job.Labels[key] = value
	}
	if o.dryRun {
		return print.Object(c.Out, job, "yaml")
	}
	if o.plan.wanted {
		return plan(ctx, c, server, []*v1.Job{job}, o.plan.output)
	}
	created, err := server.Create(ctx, job)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Err, "%s created\n", print.FullName(created))
	if o.detach {
		_, err := fmt.Fprintln(c.Out, created.GetName())
		return err
	}
	kind, _ := v1.KindByName(v1.KindJob)
	return followJob(ctx, c, server, client.Key{Kind: kind, Namespace: c.Workspace, Name: created.GetName()})
}
