package run

import (
	"context"
	"encoding/json"
	"errors"
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

func newRunBuild(c *cli.Invocation) *cobra.Command {
	var o runOptions
	var build v1.BuildAction
	var variables, arguments, answers []string
	command := &cobra.Command{
		Use: "build TOOL", Short: "Call a tool of an MCP server", Args: cobra.ExactArgs(1),
		Example: `  jobwright run build apply_builder --id nextjs-api-route --var ROUTE_NAME=health
  jobwright run build list_builders --server-name builders`,
		RunE: func(cmd *cobra.Command, args []string) error {
			build.Action = args[0]
			var err error
			if build.Variables, err = jsonPairs("--var", variables); err != nil {
				return err
			}
			if build.Arguments, err = jsonPairs("--arg", arguments); err != nil {
				return err
			}
			if build.Answers, err = jsonPairs("--answer", answers); err != nil {
				return err
			}
			return runJob(cmd.Context(), c, o, v1.JobSpec{Type: v1.JobTypeBuild, Build: &build})
		},
	}
	flags := command.Flags()
	flags.StringVar(&build.Server, "server-name", "", "MCP server of the operator's file; optional if there is only one")
	flags.StringVar(&build.ID, "id", "", "argument id of the tool, e.g. the builder")
	flags.StringVar(&build.Session, "session", "", "name of the session for the call; jobs with the same session share the state of the server")
	flags.StringArrayVar(&variables, "var", nil, "KEY=VALUE in argument variables; VALUE is JSON, or else a string")
	flags.StringArrayVar(&arguments, "arg", nil, "KEY=VALUE as a further argument; VALUE is JSON, or else a string")
	flags.StringArrayVar(&answers, "answer", nil, "KEY=VALUE as the answer to a field that the tool asks for while it runs; VALUE is JSON, or else a string")
	o.bind(command)
	return command
}

func newRunDeploy(c *cli.Invocation) *cobra.Command {
	var o runOptions
	var deploy v1.DeployAction
	var verbs, paths, plain, secret []string
	var rollback bool
	for _, verb := range v1.DeployVerbs() {
		verbs = append(verbs, string(verb))
	}
	command := &cobra.Command{
		Use: "deploy VERB", Short: "Run docker compose", Args: cobra.ExactArgs(1), ValidArgs: verbs,
		Long: "Verbs: " + strings.Join(verbs, ", ") + ".",
		Example: `  jobwright run deploy up --compose-path app/compose.yml --extra-arg --force-recreate
  jobwright run deploy up --compose-path app/compose.yml --compose-path app/prod.yml
  jobwright run deploy up --compose-path app/compose.yml --rollback-on-failure --env TAG=v2 --secret-env DB_PASSWORD=db-password`,
		RunE: func(cmd *cobra.Command, args []string) error {
			deploy.Verb = v1.DeployVerb(args[0])
			if rollback {
				deploy.Rollback = v1.RollbackOnFailure
			}
			if len(paths) > 1 {
				deploy.ComposePaths = paths
			} else if len(paths) == 1 {
				deploy.ComposePath = paths[0]
			}
			var err error
			if deploy.Env, err = deployEnv(plain, secret); err != nil {
				return err
			}
			return runJob(cmd.Context(), c, o, v1.JobSpec{Type: v1.JobTypeDeploy, Deploy: &deploy})
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&paths, "compose-path", nil, "compose file below one of the server's --compose-root folders; may be repeated, later files override earlier ones")
	flags.StringVar(&deploy.ProjectName, "project-name", "", "compose project")
	flags.StringSliceVar(&deploy.Services, "service", nil, "only these services")
	flags.StringSliceVar(&deploy.Profiles, "profile", nil, "compose profiles to enable")
	flags.StringArrayVar(&deploy.ExtraArgs, "extra-arg", nil, "a further flag of the verb, from its allow-list")
	flags.StringArrayVar(&plain, "env", nil, "NAME=VALUE for the compose file; stored with the job")
	flags.StringArrayVar(&secret, "secret-env", nil, "NAME=SECRET for the compose file, a secret of the server's --secrets file")
	flags.BoolVar(&rollback, "rollback-on-failure", false, "if up fails, restore the last good revision of the project")
	o.bind(command)
	return command
}

// deployEnv parses NAME=VALUE and NAME=SECRET flags.
func deployEnv(plain, secret []string) ([]v1.DeployEnv, error) {
	var env []v1.DeployEnv
	for _, text := range plain {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, cli.Usagef("--env %q: use NAME=VALUE", text)
		}
		env = append(env, v1.DeployEnv{Name: name, Value: value})
	}
	for _, text := range secret {
		name, ref, ok := strings.Cut(text, "=")
		if !ok {
			return nil, cli.Usagef("--secret-env: use NAME=SECRET, the name of a secret of the server's file")
		}
		env = append(env, v1.DeployEnv{Name: name, ValueFrom: &v1.ValueSource{SecretRef: ref}})
	}
	return env, nil
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

// jsonPairs parses KEY=VALUE flags.
func jsonPairs(flag string, texts []string) (map[string]v1.JSON, error) {
	var out map[string]v1.JSON
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, cli.Usagef("%s %q: use KEY=VALUE", flag, text)
		}
		parsed, err := jsonValue(value)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = map[string]v1.JSON{}
		}
		out[key] = parsed
	}
	return out, nil
}

// jsonValue parses text as JSON; text that is not JSON becomes a string.
func jsonValue(text string) (v1.JSON, error) {
	if json.Valid([]byte(text)) {
		return v1.JSON{Raw: json.RawMessage(text)}, nil
	}
	return v1.NewJSON(text)
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

// followJob shows a job's log and progress until the job has finished. If ctx ends first,
// followJob cancels the job and continues to follow it.
func followJob(ctx context.Context, c *cli.Invocation, server *client.Client, key client.Key) error {
	follow, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	release := context.AfterFunc(ctx, func() {
		fmt.Fprintf(c.Err, "canceling job/%s\n", key.Name)
		if _, err := server.Cancel(follow, key); err != nil {
			fmt.Fprintf(c.Err, "cancel: %v\n", err)
			stop()
		}
	})
	defer release()

	show := print.NewProgress(c.Err)
	printed := make(chan error, 1)
	go func() {
		for line, err := range server.Logs(follow, key, client.LogOptions{Follow: true, TailLines: -1}) {
			if err != nil {
				printed <- err
				return
			}
			show.Line(c.Out, line.Text)
		}
		printed <- nil
	}()
	ended, err := server.Wait(follow, key, func(obj v1.Object) (bool, error) {
		job, _ := obj.(*v1.Job)
		if job == nil {
			return false, fmt.Errorf("job %q was deleted", key.Name)
		}
		show.Job(job)
		return job.Finished(), nil
	})
	if err != nil {
		return err
	}
	if err := <-printed; err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(c.Err, "the log was interrupted: %v\n", err)
	}
	show.End()
	job, ok := ended.(*v1.Job)
	if !ok {
		return ctx.Err()
	}
	fmt.Fprintf(c.Err, "%s %s\n", print.FullName(job), print.Ending(job))
	if code := cli.ExitOf(job.Status.Phase); code != cli.ExitOK {
		return cli.ExitStatus(code)
	}
	return nil
}
