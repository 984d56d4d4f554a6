package mcp

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/cmd/jobwright/selection"
)

// Command returns the command mcp.
func Command(c *cli.Invocation) *cobra.Command {
	command := &cobra.Command{
		Use:   "mcp",
		Short: "Show the operator's MCP servers, their sessions and tools, and check the file that names them",
		Example: `  jobwright mcp servers
  jobwright mcp sessions
  jobwright mcp check mcp.json
  jobwright mcp tools builders
  jobwright mcp tools builders -o json`,
		Args: cli.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(newMCPServers(c), newMCPSessions(c), newMCPTools(c), newMCPCheck(c))
	return command
}

func newMCPServers(c *cli.Invocation) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "servers", Short: "Show the MCP servers with their state and sessions, without starting any", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			servers, err := server.MCPServers(cmd.Context())
			if err != nil {
				return err
			}
			if output != "" {
				return print.As(c.Out, servers, output)
			}
			t := print.NewTable(c.Out, "NAME", "TYPE", "STATE", "SESSIONS", "SERVER", "PROTOCOL", "ERROR")
			for _, s := range servers {
				t.Row(s.Name, s.Type, string(s.State), sessionCounts(s),
					print.Dash(strings.TrimSpace(s.ServerName+" "+s.ServerVersion)), print.Dash(s.Protocol), print.Dash(print.FirstLine(s.Error)))
			}
			if err := t.Flush(); err != nil {
				return err
			}
			return errors.Join(printErrors(c.Out, servers), printNotes(c.Out, servers))
		},
	}
	cli.Output(command, &output, "json or yaml instead of a table", "json", "yaml")
	return command
}

// printErrors prints the errors that have more than one line, since the table shows only the
// first; the rest is the end of the server's stderr.
func printErrors(out io.Writer, servers []v1.MCPServer) error {
	for _, s := range servers {
		if strings.Contains(s.Error, "\n") {
			if _, err := fmt.Fprintf(out, "\n%s: %s\n", s.Name, strings.TrimSpace(s.Error)); err != nil {
				return err
			}
		}
	}
	return nil
}

// printNotes prints what was wrong with the lists of tools.
func printNotes(out io.Writer, servers []v1.MCPServer) error {
	for _, s := range servers {
		for _, note := range s.Notes {
			if _, err := fmt.Fprintf(out, "%s lists its tools otherwise than the protocol has it: %s\n", s.Name, note); err != nil {
				return err
			}
		}
	}
	return nil
}

// noted prints the notes of the named servers, whose tools were listed just now.
func noted(c *cli.Invocation, cmd *cobra.Command, server *client.Client, names []string) error {
	servers, err := server.MCPServers(cmd.Context())
	if err != nil {
		return err
	}
	return printNotes(c.Err, slices.DeleteFunc(servers, func(s v1.MCPServer) bool { return !slices.Contains(names, s.Name) }))
}

// sessionCounts formats the number of open sessions of a server and its limit.
func sessionCounts(s v1.MCPServer) string {
	open := s.Starting + s.Calling + s.Idle
	if s.Shared {
		return fmt.Sprintf("%d of %d, shared", open, s.MaxSessions)
	}
	return fmt.Sprintf("%d, %d a workspace", open, s.MaxSessions)
}

// serverTool is a tool with the name of its server.
type serverTool struct {
	Server     string `json:"server"`
	v1.MCPTool `json:",inline"`
}

func newMCPTools(c *cli.Invocation) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "tools [SERVER…]", Short: "Show the tools of the named MCP servers, or of all; starts them if necessary",
		ValidArgsFunction: selection.CompleteMCPServers(c),
		RunE: func(cmd *cobra.Command, names []string) error {
			server, err := c.Connect()
			if err != nil {
				return err
			}
			if len(names) == 0 {
				servers, err := server.MCPServers(cmd.Context())
				if err != nil {
					return err
				}
				for _, s := range servers {
					names = append(names, s.Name)
				}
			}
			all, failed := []serverTool{}, []error{}
			for _, name := range names {
				tools, err := server.MCPTools(cmd.Context(), name)
				if err != nil {
					failed = append(failed, err)
				}
				for _, tool := range tools {
					all = append(all, serverTool{name, tool})
				}
			}
			if len(all) > 0 || len(failed) == 0 || output != "" {
				if err := printTools(c.Out, all, output); err != nil {
					return err
				}
			}
			return errors.Join(append(failed, noted(c, cmd, server, names))...)
		},
	}
	cli.Output(command, &output, "json or yaml, with the schemas, instead of a table", "json", "yaml")
	return command
}

func printTools(out io.Writer, tools []serverTool, output string) error {
	if output != "" {
		return print.As(out, tools, output)
	}
	t := print.NewTable(out, "SERVER", "TOOL", "HINTS", "PREVIEW", "DESCRIPTION")
	for _, tool := range tools {
		var hints []string
		if tool.ReadOnly {
			hints = append(hints, "read-only")
		}
		if tool.Idempotent {
			hints = append(hints, "idempotent")
		}
		if tool.Destructive {
			hints = append(hints, "destructive")
		}
		t.Row(tool.Server, tool.Name, print.Dash(strings.Join(hints, ",")), print.Dash(tool.Preview), print.Dash(print.FirstLine(tool.Description)))
	}
	return t.Flush()
}
