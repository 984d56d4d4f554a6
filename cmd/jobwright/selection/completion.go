package selection

import (
	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// CompleteObjects completes kinds, then the names of objects on the server.
func CompleteObjects(c *cli.Invocation) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			var kinds []string
			for _, kind := range c.Kinds {
				kinds = append(kinds, kind.Resource)
			}
			return kinds, cobra.ShellCompDirectiveNoFileComp
		}
		kind, err := Kind(c, args[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(c, cmd, kind), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteJobs completes the names of jobs.
func CompleteJobs(c *cli.Invocation) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		kind, _ := v1.KindByName(v1.KindJob)
		return names(c, cmd, kind), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteMCPServers completes the names of MCP servers.
func CompleteMCPServers(c *cli.Invocation) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		server, err := c.Connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		known, err := server.MCPServers(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names := make([]string, len(known))
		for i := range known {
			names[i] = known[i].Name
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func names(c *cli.Invocation, cmd *cobra.Command, kind v1.Kind) []string {
	server, err := c.Connect()
	if err != nil {
		return nil
	}
	opts := client.ListOptions{Limit: 500}
	if kind.Namespaced {
		opts.Namespace = c.Workspace
	}
	list, err := server.List(cmd.Context(), kind, opts)
	if err != nil {
		return nil
	}
	var names []string
	for _, obj := range list.Items {
		names = append(names, obj.GetName())
	}
	return names
}
