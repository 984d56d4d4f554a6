// Package offline holds the commands that work on a data folder itself: backup, restore,
// compact, fsck, import. All but backup need its server to be stopped.
package offline

import (
	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
)

// Commands returns the commands.
func Commands(c *cli.Invocation) []*cobra.Command {
	return []*cobra.Command{newBackup(c), newRestore(c), newFsck(c), newCompact(c), newImport(c)}
}
