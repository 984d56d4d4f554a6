// Package local holds the commands that need no server: context, version and the topic seed.
package local

import (
	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
)

// Commands returns the commands.
func Commands(c *cli.Invocation) []*cobra.Command {
	return []*cobra.Command{newContext(c), newVersion(c), newSeed()}
}
