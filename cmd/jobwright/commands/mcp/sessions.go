package mcp

import (
	"cmp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
)

func newMCPSessions(c *cli.Invocation) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "sessions",
		Short: "Show the sessions with MCP servers that serve the workspace",
		Long: `Sessions lists the open sessions with MCP servers: those of the workspace's own jobs, and
those with shared servers, which serve all workspaces. NAME is spec.build.session of their
jobs; PID is the process of a server that runs on the server's machine.

A session is closed after five minutes without use. A session without a name is also
closed when the limit of processes is reached and another session needs one.`,
		Example: `  jobwright mcp sessions
  jobwright -n acme mcp sessions -o json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			sessions, err := server.MCPSessions(cmd.Context(), c.Workspace)
			if err != nil {
				return err
			}
			if output != "" {
				return print.As(c.Out, v1.MCPSessionList{Items: sessions}, output)
			}
			t, now := print.NewTable(c.Out, "SERVER", "WORKSPACE", "NAME", "STATE", "FOR", "AGE", "CALLS", "PID"), time.Now()
			for _, s := range sessions {
				pid := ""
				if s.PID > 0 {
					pid = strconv.Itoa(s.PID)
				}
				t.Row(s.Server, cmp.Or(s.Workspace, "(all)"), print.Dash(s.Name), string(s.State), print.Since(s.Since.Time, now), print.Since(s.StartTime.Time, now), strconv.Itoa(s.Calls), print.Dash(pid))
			}
			return t.Flush()
		},
	}
	cli.Output(command, &output, "json or yaml instead of a table", "json", "yaml")
	return command
}
