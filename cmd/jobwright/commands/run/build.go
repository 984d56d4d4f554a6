package run

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/selection"
)

func newRunBuild(c *cli.Invocation) *cobra.Command {
	var o runOptions
	var build v1.BuildAction
	var variables, arguments, answers []string
	command := &cobra.Command{
		Use: "build TOOL", Short: "Call a tool of an MCP server", Args: cobra.ExactArgs(1),
		Long: `Build calls a tool of one of the operator's MCP servers (jobwright mcp tools) once. With
--backoff-limit it is called again after a failure: after the tool's own word that it failed,
and after an HTTP error of the server (5xx), though the tool may have been carried out then.
Never after an answer that came, however odd.`,
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
	cli.CompleteFlag(command, "server-name", selection.CompleteMCPServers(c))
	flags.StringVar(&build.ID, "id", "", "argument id of the tool, e.g. the builder")
	flags.StringVar(&build.Session, "session", "", "name of the session for the call; jobs with the same session share the state of the server")
	flags.StringArrayVar(&variables, "var", nil, "KEY=VALUE in argument variables; VALUE is JSON, or else a string (a number as text: KEY='\"5\"')")
	flags.StringArrayVar(&arguments, "arg", nil, "KEY=VALUE as a further argument; VALUE is JSON, or else a string (a number as text: KEY='\"5\"')")
	flags.StringArrayVar(&answers, "answer", nil, "KEY=VALUE as the answer to a field that the tool asks for while it runs; VALUE is JSON, or else a string (a number as text: KEY='\"5\"')")
	o.bind(command)
	return command
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
