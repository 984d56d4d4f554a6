package mcp

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/schema"
)

// arguments builds a tool's arguments and checks them against its input schema. What is
// wrong is told all at once, each with the job's field. The values are sent as the job
// has them: a number beyond what a float64 holds stays what it is.
func (s *session) arguments(build *v1.BuildAction) (arguments map[string]any, problems []string) {
	if s.tools[build.Action] == nil && !s.server.Allows(build.Action) {
		return nil, []string{fmt.Sprintf("spec.build.action: Forbidden: the --mcp-config file keeps jobs from tool %q of MCP server %q", short(build.Action, maxShown), s.name)}
	}
	if s.tools[build.Action] == nil {
		return nil, []string{fmt.Sprintf("spec.build.action: Not found: %q: MCP server %q has the tools %s",
			build.Action, s.name, dashed(slices.Sorted(maps.Keys(s.tools))))}
	}
	arguments, decoded := map[string]any{}, map[string]any{}
	take := func(path string, from map[string]v1.JSON, into, plain map[string]any) {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			value, err := from[name].Value()
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s%s: Invalid value: %v", path, schema.Fields([]any{name}), err))
				continue
			}
			into[name], plain[name] = from[name], value
		}
	}
	take("spec.build.arguments", build.Arguments, arguments, decoded)
	if build.ID != "" {
		arguments["id"], decoded["id"] = build.ID, build.ID
	}
	if build.Variables != nil {
		variables, plain := map[string]any{}, map[string]any{}
		take("spec.build.variables", build.Variables, variables, plain)
		arguments["variables"], decoded["variables"] = variables, plain
	}
	if len(problems) > 0 {
		return nil, problems
	}
	for _, v := range s.input(build.Action).Check(decoded) {
		problems = append(problems, argumentPath(build, v.Path)+": "+v.Text)
	}
	return arguments, problems
}

// input is a tool's input schema.
func (s *session) input(tool string) *schema.Schema {
	if s.inputs[tool] == nil {
		s.inputs[tool] = schema.New(s.tools[tool].InputSchema)
	}
	return s.inputs[tool]
}

// argumentPath is the field of the job that holds a part of the arguments.
func argumentPath(build *v1.BuildAction, path []any) string {
	at := "spec.build.arguments"
	if len(path) > 0 {
		name := path[0]
		_, further := build.Arguments[fmt.Sprint(name)]
		if (name == "id" || name == "variables") && !further {
			at = "spec.build" // their own fields are where they belong
		}
	}
	return at + schema.Fields(path)
}

// unfit says why a tool is not called.
func unfit(tool, server string, problems []string) string {
	if len(problems) == 1 {
		return problems[0]
	}
	return fmt.Sprintf("The arguments do not fit tool %s of MCP server %q:\n%s", tool, server, strings.Join(problems, "\n"))
}
