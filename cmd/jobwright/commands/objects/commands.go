// Package objects holds the commands that read and write objects of any kind: get, describe,
// apply and delete.
package objects

import (
	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
)

// Commands returns the commands.
func Commands(c *cli.Invocation) []*cobra.Command {
	return []*cobra.Command{newGet(c), newDescribe(c), newApply(c), newDelete(c)}
}
