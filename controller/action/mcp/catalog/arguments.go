package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/mcp/display"
	"jobwright.dev/controller/action/mcp/schema"
)

// Arguments builds a tool's arguments and checks them against its input schema. Problems
// are all violations at once, each with the job's field. The values are sent as the job has
// them, numbers beyond a float64 too. Fields that the schema both requires and has a default
// for are sent with it. Notes are for the job's log: the added fields, and the parts of the
// schema that are not checked.
func (c *Catalog) Arguments(build *v1.BuildAction) (arguments map[string]any, notes, problems []string) {
	if why := c.refuses(build.Action); why != "" {
		return nil, nil, []string{why}
	}
	sent, decoded, problems := given(build)
	if len(build.Answers) > 0 && !c.server.Asks() {
		problems = append([]string{fmt.Sprintf("spec.build.answers: Forbidden: MCP server %q is not allowed to ask; the operator allows it with \"elicitation\": \"answers\" in the --mcp-config file", c.name)}, problems...)
	}
	if len(problems) > 0 {
		return nil, nil, problems
	}
	input := c.input(build.Action)
	filled := input.Fill(decoded)
	for _, added := range filled {
		top := fmt.Sprint(added.Path[0])
		sent[top] = decoded[top]
		notes = append(notes, fmt.Sprintf("%s is not set; the tool requires it, and gets the default of its schema: %s", argumentPath(build, added.Path), display.Short(display.Compact(added.Value), display.MaxShown)))
	}
	for _, v := range input.Check(decoded) {
		if slices.ContainsFunc(filled, func(f schema.Filled) bool {
			return len(v.Path) >= len(f.Path) && slices.Equal(v.Path[:len(f.Path)], f.Path)
		}) {
			notes = append(notes, fmt.Sprintf("%s: the default of the schema does not fit the schema itself: %s", argumentPath(build, v.Path), v.Text))
			continue
		}
		problems = append(problems, argumentPath(build, v.Path)+": "+v.Text)
	}
	for _, unchecked := range input.Unchecked {
		notes = append(notes, fmt.Sprintf("the input schema of tool %s is not checked at %s", build.Action, unchecked))
	}
	return sent, notes, problems
}

// refuses says why jobs cannot call a tool; empty: they can.
func (c *Catalog) refuses(tool string) string {
	switch {
	case c.Has(tool):
		return ""
	case !c.server.Allows(tool):
		return fmt.Sprintf("spec.build.action: Forbidden: the --mcp-config file keeps jobs from tool %q of MCP server %q", display.Short(tool, display.MaxShown), c.name)
	}
	return fmt.Sprintf("spec.build.action: Not found: %q: MCP server %q has %s", tool, c.name, theTools(slices.Sorted(maps.Keys(c.tools))))
}

// given is the arguments of a job: as they are sent, and decoded for the check.
func given(build *v1.BuildAction) (sent, decoded map[string]any, problems []string) {
	sent, decoded = map[string]any{}, map[string]any{}
	take := func(path string, from map[string]v1.JSON, into, plain map[string]any) {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			value, err := schema.Exact(from[name].Raw)
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s%s: Invalid value: %v", path, schema.Fields([]any{name}), err))
				continue
			}
			into[name], plain[name] = from[name], value
		}
	}
	take("spec.build.arguments", build.Arguments, sent, decoded)
	if build.ID != "" {
		sent["id"], decoded["id"] = build.ID, build.ID
	}
	if build.Variables != nil {
		variables, plain := map[string]any{}, map[string]any{}
		take("spec.build.variables", build.Variables, variables, plain)
		sent["variables"], decoded["variables"] = variables, plain
	}
	return sent, decoded, problems
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

// Unfit says why a tool is not called.
func Unfit(tool, server string, problems []string) string {
	if len(problems) == 1 {
		return problems[0]
	}
	return fmt.Sprintf("The arguments do not fit tool %s of MCP server %q:\n%s", tool, server, strings.Join(problems, "\n"))
}

// theTools are a server's tools, in the words of a message.
func theTools(names []string) string {
	if len(names) == 0 {
		return "no tools"
	}
	return "the tools " + display.Names(names)
}
