package offline

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/store/file"
)

func newRestore(c *cli.Invocation) *cobra.Command {
	var from, dataDir string
	var at string
	var acceptEdited bool
	command := &cobra.Command{
		Use:   "restore --from FILE|FOLDER --data-dir NEW",
		Short: "Make a new store from a backup or another data folder",
		Long: `Restore makes a new data folder from a backup, or from a data folder whose server is
stopped; it changes nothing there and never writes into a folder that has a store. With
--at it takes the state after the change with that resourceVersion. That reaches as far
back as the journal of the data folder (fsck --verbose lists it): to the last time that
the server wrote jobs.json, which it does whenever it becomes idle. An older state is in
a backup alone.`,
		Example: `  jobwright restore --from /backups/jobs.json --data-dir ./data-new
  jobwright restore --from ./data --at 4711 --data-dir ./data-before`,
		Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if from == "" || dataDir == "" {
				return cli.Usagef("--from and --data-dir are required")
			}
			opts := file.RestoreOptions{Kinds: c.Kinds, Admit: c.Kinds.Validate, AcceptEdited: acceptEdited}
			if at != "" {
				version, err := strconv.ParseUint(at, 10, 64)
				if err != nil || version == 0 {
					return cli.Usagef("--at %q: must be a resourceVersion, a number from 1", at)
				}
				opts.Version = version
			}
			sum, err := file.Restore(from, dataDir, opts)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.Out, "%s: %d objects as of version %d (%d bytes); start it with jobwright serve --data-dir %s\n",
				dataDir, sum.Objects, sum.ResourceVersion, sum.Bytes, dataDir)
			return nil
		},
	}
	command.Flags().StringVar(&from, "from", "", "backup file, or data folder whose server is stopped; required")
	command.Flags().StringVar(&dataDir, "data-dir", "", "new folder; required")
	command.Flags().BoolVar(&acceptEdited, "accept-edited", false, "restore a backup that was edited by hand: one whose checksums do not fit, and whose objects are all valid")
	command.Flags().StringVar(&at, "at", "", "resourceVersion of the state to restore (default the latest)")
	return command
}
