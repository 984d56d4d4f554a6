package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
)

// Exit codes.
const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitFailed   = 3
	exitCanceled = 4
	exitTimeout  = 5
)

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// terminal reports whether w is a terminal, where colours and moving lines belong.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// exitStatus is an error that only sets the exit code; what there is to say was said.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run runs the command line and returns the exit code.
func run(ctx context.Context, args []string, io stdio) int { return runWith(ctx, args, io, v1.Kinds()) }

// runWith is run for other kinds of objects.
func runWith(ctx context.Context, args []string, io stdio, kinds v1.KindSet) int {
	root := newRoot(io, kinds)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	var status exitStatus
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		fmt.Fprintf(io.err, "error: %v\nSee '%s --help'.\n", err, command.CommandPath())
		return exitUsage
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(io.err, "error: timed out: %v\n", err)
		return exitTimeout
	default:
		fmt.Fprintf(io.err, "error: %v\n", err)
		return exitError
	}
}

// cli is what every client command shares.
type cli struct {
	stdio
	server    string
	workspace string
	context   string
	kinds     v1.KindSet
}

func newRoot(io stdio, kinds v1.KindSet) *cobra.Command {
	c := &cli{stdio: io, kinds: kinds}
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
		Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringVar(&c.server, "server", "", "address of the server (JOBWRIGHT_SERVER; default http://127.0.0.1:8080)")
	flags.StringVarP(&c.workspace, "workspace", "n", "", `workspace to work in (JOBWRIGHT_WORKSPACE; default "default")`)
	flags.StringVar(&c.context, "context", "", "context of the context file to use (JOBWRIGHT_CONTEXT; default its current one)")
	root.AddCommand(
		newServe(c), newApply(c), newPlan(c), newMCP(c), newGet(c), newDescribe(c), newEvents(c), newLogs(c), newRun(c),
		newCancel(c), newDelete(c), newWait(c), newExplainWait(c), newRetry(c), newFailures(c),
		newSuspend(c), newResume(c), newForceFinish(c), newRevisions(c), newRollback(c),
		newBackup(c), newRestore(c), newFsck(c), newCompact(c), newImport(c), newVersion(c), newContext(c), newSeedHelp(),
	)
	for _, command := range root.Commands() {
		classify(command)
	}
	return root
}

// classify makes what cobra finds wrong with a command line a usage error.
func classify(command *cobra.Command) {
	if check := command.Args; check != nil {
		command.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if _, ours := errors.AsType[usageError](err); err == nil || ours {
				return err
			}
			use := strings.TrimSuffix(cmd.UseLine(), " [flags]")
			if words := strings.Fields(cmd.Use); len(args) == 0 && len(words) > 1 {
				return usagef("%s is missing: use %s", words[1], use)
			}
			return usagef("%w: use %s", err, use)
		}
	}
	for _, sub := range command.Commands() {
		classify(sub)
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("unknown command %q for %q", args[0], cmd.CommandPath())
}

// connect returns a client of the server that flags, environment or context file name.
func (c *cli) connect() (*client.Client, error) {
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	c.workspace = settings.Workspace
	return client.New(client.Config{Server: settings.Server, UserAgent: "jobwright/" + version(), Kinds: c.kinds})
}

// kindArg finds the kind a person means: plural, singular, short name or kind.
func (c *cli) kindArg(text string) (v1.Kind, error) {
	var known []string
	for _, kind := range c.kinds {
		names := append([]string{kind.Resource, kind.Singular, strings.ToLower(kind.Name), kind.Resource + "." + v1.Group}, kind.ShortNames...)
		for _, name := range names {
			if strings.EqualFold(text, name) {
				return kind, nil
			}
		}
		known = append(known, kind.Resource)
	}
	return v1.Kind{}, usagef("unknown kind %q: supported kinds: %s", text, strings.Join(known, ", "))
}

// objectArgs reads "KIND NAME…", "KIND/NAME…" or, where jobs are meant, "NAME…".
func (c *cli) objectArgs(args []string) ([]client.Key, error) {
	if len(args) == 0 {
		return nil, usagef("name what is meant, e.g. job/NAME")
	}
	jobs, _ := v1.KindByName(v1.KindJob)
	kind, names := jobs, args
	if len(args) > 1 && !strings.Contains(args[0], "/") {
		if given, err := c.kindArg(args[0]); err == nil {
			kind, names = given, args[1:]
		}
	}
	var keys []client.Key
	for _, name := range names {
		this := kind
		if prefix, rest, ok := strings.Cut(name, "/"); ok {
			given, err := c.kindArg(prefix)
			if err != nil {
				return nil, err
			}
			this, name = given, rest
		}
		if name == "" {
			return nil, usagef("an empty name names nothing")
		}
		key := client.Key{Kind: this, Name: name}
		if this.Namespaced {
			key.Namespace = c.workspace
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// bindEnv gives flags that were not set the value of their environment variable.
func bindEnv(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "JOBWRIGHT_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if !ok || f.Changed || failed != nil || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			failed = usagef("%s: %v", name, err)
		}
	})
	return failed
}
