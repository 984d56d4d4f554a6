package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/commands/jobs"
	"jobwright.dev/cmd/jobwright/commands/local"
	"jobwright.dev/cmd/jobwright/commands/mcp"
	"jobwright.dev/cmd/jobwright/commands/objects"
	"jobwright.dev/cmd/jobwright/commands/run"
	"jobwright.dev/cmd/jobwright/offline"
	"jobwright.dev/cmd/jobwright/serve"
	"jobwright.dev/controller/action"
)

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, streams cli.Streams) int {
	return executeWith(ctx, args, streams, v1.Kinds())
}

// executeWith is execute with the given kinds of objects and with further actions.
func executeWith(ctx context.Context, args []string, streams cli.Streams, kinds v1.KindSet, more ...action.Maker) int {
	root := newRoot(streams, kinds, more...)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	var status cli.ExitStatus
	var usage cli.UsageError
	switch {
	case err == nil:
		return cli.ExitOK
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		fmt.Fprintf(streams.Err, "error: %v\nSee '%s --help'.\n", err, command.CommandPath())
		return cli.ExitUsage
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(streams.Err, "error: timed out: %v\n", err)
		return cli.ExitTimeout
	default:
		fmt.Fprintf(streams.Err, "error: %v\n", err)
		return cli.ExitError
	}
}

func newRoot(streams cli.Streams, kinds v1.KindSet, more ...action.Maker) *cobra.Command {
	c := &cli.Invocation{Streams: streams, Kinds: kinds}
	root := &cobra.Command{
		Use:   "jobwright",
		Short: "Durable, declarative jobs: MCP tool calls, docker compose, HTTP calls",
		Long: `Jobwright runs MCP tool calls (build), docker compose operations (deploy) and HTTP
calls (api_call) as durable, declarative jobs.

Exit codes: 0 succeeded, 1 error, 2 usage, 3 job failed, 4 job canceled, 5 timed out.`,
		Example: `  jobwright serve --data-dir ./data --mcp-config mcp.json --compose-root .
  jobwright apply -f job.yaml
  jobwright get jobs -w
  jobwright logs -f add-health-route
  jobwright wait --for=condition=Finished job/add-health-route`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cli.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetFlagErrorFunc(cli.FlagError)
	flags := root.PersistentFlags()
	flags.StringVar(&c.Server, "server", "", "address of the server (JOBWRIGHT_SERVER; default http://127.0.0.1:8080)")
	flags.StringVarP(&c.Workspace, "workspace", "n", "", `workspace to work in (JOBWRIGHT_WORKSPACE; default "default")`)
	flags.StringVar(&c.Context, "context", "", "context of the context file to use (JOBWRIGHT_CONTEXT; default its current one)")
	root.AddCommand(serve.Command(c, more...), mcp.Command(c))
	root.AddCommand(objects.Commands(c)...)
	root.AddCommand(jobs.Commands(c)...)
	root.AddCommand(run.Commands(c)...)
	root.AddCommand(offline.Commands(c)...)
	root.AddCommand(local.Commands(c)...)
	for _, command := range root.Commands() {
		cli.Classify(command)
	}
	return root
}
