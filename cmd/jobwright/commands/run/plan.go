package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/manifest"
	"jobwright.dev/cmd/jobwright/print"
)

// planFlags are the flags of run about plans.
type planFlags struct {
	wanted bool
	output string
}

func newPlan(c *cli.Invocation) *cobra.Command {
	var files []string
	var output string
	command := &cobra.Command{
		Use:   "plan -f FILE…",
		Short: "Show what the jobs of manifests would do, and their problems, without creating them",
		Long: `Plan reads manifests as apply does, and asks the server what each job would do. It creates
and changes nothing. For a build, the MCP server is asked for the schemas of its tools, and
for a preview if the operator has configured a read-only tool for that. For a deploy,
compose is asked for the state of the project.

  + created   ~ changed in place   -/+ replaced   - removed   = kept as it is   > called

Exit codes: 0 every job is valid, 1 a job has problems or could not be planned.
With --output json or yaml it prints a list: job, valid, problems, changes of each.`,
		Example: `  jobwright plan -f job.yaml
  generate-jobs | jobwright plan -f - -o json
  jobwright run build apply_builder --id nextjs-api-route --var ROUTE_NAME=health --plan`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return cli.Usagef("name manifests with -f")
			}
			server, err := c.Connect()
			if err != nil {
				return err
			}
			docs, err := manifest.Read(c, files)
			if err != nil {
				return err
			}
			var jobs []*v1.Job
			for _, doc := range docs {
				manifest.IntoWorkspace(c, doc.Object)
				if job, ok := doc.Object.(*v1.Job); ok {
					jobs = append(jobs, job)
					continue
				}
				fmt.Fprintf(c.Err, "%s: %s: only jobs have a plan\n", doc.Where, print.FullName(doc.Object))
			}
			return plan(cmd.Context(), c, server, jobs, output)
		},
	}
	command.Flags().StringArrayVarP(&files, "filename", "f", nil, `file, folder or "-"; may be given several times`)
	cli.Output(command, &output, "json or yaml instead of text", "json", "yaml")
	return command
}

// plannedJob is the plan of one job in JSON and YAML output.
type plannedJob struct {
	// Job is namespace/name.
	Job     string `json:"job"`
	v1.Plan `json:",inline"`
}

// plan prints the plans of jobs. A problem in any of them sets exit code 1.
func plan(ctx context.Context, c *cli.Invocation, server *client.Client, jobs []*v1.Job, output string) error {
	plans, failed := []plannedJob{}, []error{}
	valid := true
	circles := circles(jobs)
	for _, job := range jobs {
		name := job.Namespace + "/" + job.Name
		if job.Name == "" {
			name = job.Namespace + "/" + job.GenerateName + "*"
		}
		plan, err := server.Plan(ctx, job)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if way := circles[jobKey(job.Namespace, job.Name)]; way != "" {
			*plan = v1.Plan{Problems: append(plan.Problems, "spec.dependsOn: these jobs wait for each other, so that none of them can start: "+way)}
		}
		valid = valid && plan.Valid
		plans = append(plans, plannedJob{Job: name, Plan: *plan})
	}
	if err := printPlans(c.Out, plans, output); err != nil {
		return err
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if !valid {
		return cli.ExitStatus(cli.ExitError)
	}
	return nil
}

func printPlans(out io.Writer, plans []plannedJob, output string) error {
	if output != "" {
		return print.As(out, plans, output)
	}
	for i, plan := range plans {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if err := printPlan(out, plan); err != nil {
			return err
		}
	}
	return nil
}

// planMarks are the marks of the verbs in the output for people.
func planMarks() map[v1.PlanVerb]string {
	return map[v1.PlanVerb]string{
		v1.PlanCall: ">", v1.PlanCreate: "+", v1.PlanActionUpdate: "~", v1.PlanRecreate: "-/+", v1.PlanRemove: "-", v1.PlanKeep: "=",
	}
}

func printPlan(out io.Writer, plan plannedJob) error {
	switch n := len(plan.Problems); {
	case n == 1:
		fmt.Fprintf(out, "%s: 1 problem\n", plan.Job)
	case n > 1:
		fmt.Fprintf(out, "%s: %d problems\n", plan.Job, n)
	case !plan.Valid:
		fmt.Fprintf(out, "%s: it cannot be carried out\n", plan.Job)
	case len(plan.Changes) == 0:
		fmt.Fprintf(out, "%s: valid; there are no changes, or they cannot be known beforehand\n", plan.Job)
	default:
		fmt.Fprintf(out, "%s: valid\n", plan.Job)
	}
	for _, problem := range plan.Problems {
		fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(problem, "\n", "\n    "))
	}
	marks := planMarks()
	for _, change := range plan.Changes {
		mark, ok := marks[change.Verb]
		if !ok {
			mark = string(change.Verb)
		}
		line := strings.TrimRight(fmt.Sprintf("  %-3s %s %s", mark, change.Kind, change.Name), " ")
		if change.Detail != "" {
			line += ": " + strings.ReplaceAll(change.Detail, "\n", "\n        ")
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}
