package mcp

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	mcpconfig "jobwright.dev/controller/action/mcp/config"
)

// checkedFile is the output of mcp check -o json.
type checkedFile struct {
	File  string `json:"file"`
	Valid bool   `json:"valid"`
	// Problem is the reason why the file cannot be read at all.
	Problem string          `json:"problem,omitempty"`
	Servers []checkedServer `json:"servers"`
}

// checkedServer is a server's entry in the file without its secrets.
type checkedServer struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// State is Usable, Broken or Disabled.
	State    string              `json:"state"`
	Server   string              `json:"server"`
	Problems []mcpconfig.Problem `json:"problems,omitempty"`
	Warnings []mcpconfig.Problem `json:"warnings,omitempty"`
}

func newMCPCheck(c *cli.Invocation) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a file of MCP servers as serve --mcp-config reads it, without starting any",
		Long: `Check reads a file of MCP servers as serve --mcp-config would, with the environment of this
command, and starts no server. It also reads the files of other MCP clients: mcpServers,
servers (VS Code), context_servers (Zed), mcp.servers, with comments and trailing commas.

A problem makes one server unusable; it is reported with its key and line. A warning makes
no server unusable: a program that is missing here may exist on the server's machine.

Exit codes: 0 each server is usable or disabled, 1 the file or a server is unusable, 2 the
command line is wrong.`,
		Example: `  jobwright mcp check mcp.json
  jobwright mcp check .vscode/mcp.json
  jobwright mcp check ~/.cursor/mcp.json -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			checked, err := checkFile(args[0])
			if output == "" {
				if err != nil {
					return err
				}
				if err := printChecked(c.Out, checked); err != nil {
					return err
				}
			} else if err := print.As(c.Out, checked, output); err != nil {
				return err
			}
			if !checked.Valid {
				return cli.ExitStatus(cli.ExitError)
			}
			return nil
		},
	}
	cli.Output(command, &output, "json or yaml instead of a table", "json", "yaml")
	return command
}

// checkFile checks a file. An error means that the file cannot be read at all.
func checkFile(path string) (checkedFile, error) {
	checked := checkedFile{File: path, Servers: []checkedServer{}}
	config, err := mcpconfig.Load(path)
	if err != nil {
		checked.Problem = err.Error()
		return checked, err
	}
	checked.Valid = true
	for _, name := range slices.Sorted(maps.Keys(config.Servers)) {
		server := config.Servers[name]
		one := checkedServer{Name: name, Type: server.Type, State: "Usable", Server: server.Address(), Problems: withPaths(server.Problems), Warnings: server.Warnings}
		switch {
		case len(server.Problems) > 0:
			one.State, checked.Valid = "Broken", false
		case server.Disabled:
			one.State = "Disabled"
		default:
			one.Warnings = append(one.Warnings, notHere(name, server)...)
		}
		checked.Servers = append(checked.Servers, one)
	}
	return checked, nil
}

// withPaths adds paths to the problems: the output goes to the operator's own terminal.
func withPaths(problems []mcpconfig.Problem) []mcpconfig.Problem {
	named := slices.Clone(problems)
	for i, p := range named {
		if p.Path != "" {
			named[i].Message = p.Path + ": " + p.Message
		}
	}
	return named
}

// notHere returns warnings about programs and folders that are missing on this machine.
func notHere(name string, server mcpconfig.Server) []mcpconfig.Problem {
	if server.Type != mcpconfig.TypeStdio {
		return nil
	}
	var missing []mcpconfig.Problem
	if _, err := exec.LookPath(server.Command); err != nil {
		if broken, ok := errors.AsType[*exec.Error](err); ok {
			err = broken.Err
		}
		message := fmt.Sprintf("%s cannot be run here: %v", server.Command, err)
		if strings.ContainsRune(server.Command, ' ') {
			message += "; no shell reads it, so what follows the program belongs into args"
		}
		missing = append(missing, mcpconfig.Problem{Field: name + ".command", Message: message})
	} else if err := server.Missing(); err != nil {
		missing = append(missing, mcpconfig.Problem{Field: name + ".args", Message: err.Error()})
	}
	if server.Cwd != "" {
		if info, err := os.Stat(server.Cwd); err != nil || !info.IsDir() {
			missing = append(missing, mcpconfig.Problem{Field: name + ".cwd", Message: server.Cwd + " is no folder here"})
		}
	}
	return missing
}

func printChecked(out io.Writer, checked checkedFile) error {
	t := print.NewTable(out, "NAME", "TYPE", "STATE", "SERVER")
	problems := []string{}
	for _, server := range checked.Servers {
		t.Row(server.Name, server.Type, server.State, print.Dash(server.Server))
		for _, p := range server.Problems {
			problems = append(problems, p.String())
		}
		for _, w := range server.Warnings {
			problems = append(problems, "warning: "+w.String())
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, problem := range problems {
		fmt.Fprintln(out, problem)
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", checked.File, summary(checked.Servers))
	return err
}

// summary counts the servers by state.
func summary(servers []checkedServer) string {
	broken, disabled := 0, 0
	for _, server := range servers {
		switch server.State {
		case "Broken":
			broken++
		case "Disabled":
			disabled++
		}
	}
	total := fmt.Sprintf("%d servers", len(servers))
	if len(servers) == 1 {
		total = "1 server"
	}
	switch {
	case len(servers) == 0:
		return "no servers"
	case broken > 0:
		return fmt.Sprintf("%d of %s cannot be used", broken, total)
	case disabled > 0:
		return fmt.Sprintf("%s, %d disabled, the others usable", total, disabled)
	case len(servers) == 1:
		return total + ", usable"
	}
	return total + ", all usable"
}
