package local

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
)

func newContext(c *cli.Invocation) *cobra.Command {
	command := &cobra.Command{
		Use:   "context",
		Short: "Show and set which server and workspace commands use",
		Example: `  jobwright context set prod --server https://jobs.example.com --workspace acme
  jobwright context use prod
  jobwright context`,
		Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			known, err := cli.ReadContexts()
			if err != nil {
				return err
			}
			table := print.NewTable(c.Out, "CURRENT", "NAME", "SERVER", "WORKSPACE")
			for _, name := range slices.Sorted(maps.Keys(known.Contexts)) {
				mark := ""
				if name == known.Current {
					mark = "*"
				}
				table.Row(mark, name, known.Contexts[name].Server, known.Contexts[name].Workspace)
			}
			return table.Flush()
		},
	}
	command.AddCommand(newContextSet(c), newContextUse(), newContextDelete())
	return command
}

func newContextSet(c *cli.Invocation) *cobra.Command {
	return &cobra.Command{
		Use: "set NAME", Short: "Store --server and --workspace under a name, and use it", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return cli.ChangeContexts(func(known *cli.Contexts) error {
				if known.Contexts == nil {
					known.Contexts = map[string]cli.Settings{}
				}
				known.Contexts[args[0]] = cli.Settings{Server: c.Server, Workspace: c.Workspace}
				known.Current = args[0]
				return nil
			})
		},
	}
}

func newContextUse() *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Use a stored context from now on", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return cli.ChangeContexts(func(known *cli.Contexts) error {
				if _, ok := known.Contexts[args[0]]; !ok {
					return cli.Usagef("context %q is not in the context file; it has: %v", args[0], slices.Sorted(maps.Keys(known.Contexts)))
				}
				known.Current = args[0]
				return nil
			})
		},
	}
}

func newContextDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Forget a stored context", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return cli.ChangeContexts(func(known *cli.Contexts) error {
				delete(known.Contexts, args[0])
				if known.Current == args[0] {
					known.Current = ""
				}
				return nil
			})
		},
	}
}
