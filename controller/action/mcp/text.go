package mcp

import (
	"strings"

	"jobwright.dev/controller/action/mcp/schema"
)

const (
	// maxShown bounds how much of a text of the server's a message repeats.
	maxShown = 80
	// maxListed bounds what a message lists of what would be right.
	maxListed = 1 << 10
)

func quoted(text string) string { return schema.Short(schema.Compact(text), maxShown) }

func dashed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return schema.Short(strings.Join(names, ", "), maxListed)
}
