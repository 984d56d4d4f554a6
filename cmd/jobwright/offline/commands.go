// Package offline holds the commands that open a data folder themselves: backup, restore,
// compact, fsck and import. All but backup require that its server is stopped.
package offline

import (
	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
)

// Commands returns the commands.
func Commands(c *cli.Invocation) []*cobra.Command {
	return []*cobra.Command{newBackup(c), newRestore(c), newFsck(c), newCompact(c), newImport(c)}
}
