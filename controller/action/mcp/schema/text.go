package schema

import (
	"maps"
	"slices"
	"strings"

	"jobwright.dev/controller/action/mcp/display"
)

// show is a wrong value as a message repeats it; never one that the schema calls secret.
func show(rule map[string]any, value any) string {
	if rule["writeOnly"] == true || rule["format"] == "password" {
		return "(not shown)"
	}
	return display.Short(display.Compact(value), display.MaxShown)
}

func quoted(text string) string { return show(nil, text) }

// names lists the names of a map.
func names(of map[string]any) string {
	if len(of) == 0 {
		return "none"
	}
	return display.Short(strings.Join(slices.Sorted(maps.Keys(of)), ", "), display.MaxListed)
}

func listOf(value any) []any {
	list, _ := value.([]any)
	return list
}
