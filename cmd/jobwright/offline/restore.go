package offline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/datadir"
	"jobwright.dev/controller/action/compose/revisions"
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
a backup alone.

From a data folder, the revisions of compose projects come too, with the files they hold
and whose the projects are: as they are now, whatever --at says. A backup file holds
objects alone: no revisions, no kept images, no logs, no events. The first start then takes
from the deploy jobs whose the projects are. A project that no job shows to be deployed is
nobody's: every workspace may change it until one deploys it.`,
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
			return restore(c, from, dataDir, opts)
		},
	}
	command.Flags().StringVar(&from, "from", "", "backup file, or data folder whose server is stopped; required")
	command.Flags().StringVar(&dataDir, "data-dir", "", "new folder; required")
	command.Flags().BoolVar(&acceptEdited, "accept-edited", false, "restore a backup that was edited by hand: one whose checksums do not fit, and whose objects are all valid")
	command.Flags().StringVar(&at, "at", "", "resourceVersion of the state to restore (default the latest)")
	return command
}

// restore makes the new folder. The objects come last: a folder without them has no store,
// and a restore that was cut off is seen.
func restore(c *cli.Invocation, from, dataDir string, opts file.RestoreOptions) error {
	info, err := os.Stat(from)
	folder := err == nil && info.IsDir()
	var copied revisions.Copied
	undo := func() error { return nil }
	if folder {
		if copied, undo, err = revisions.Copy(filepath.Join(from, datadir.RevisionsFolder), filepath.Join(dataDir, datadir.RevisionsFolder)); err != nil {
			return fmt.Errorf("restore %s to %s: %w", from, dataDir, err)
		}
	}
	sum, err := file.Restore(from, dataDir, opts)
	if err != nil {
		return errors.Join(err, undo())
	}
	fmt.Fprintf(c.Out, "%s: %d objects as of version %d (%d bytes); start it with jobwright serve --data-dir %s\n",
		dataDir, sum.Objects, sum.ResourceVersion, sum.Bytes, dataDir)
	if folder {
		fmt.Fprintf(c.Out, "Revisions: %d of %d compose projects, as they are now, and whose %d projects are.\n", copied.Revisions, copied.Projects, copied.Owners)
		fmt.Fprintf(c.Out, "Not brought back: logs, events, tokens and the worker's identity. Kept images are in the docker engine, not in the folder. Keep %s until every project is deployed again: containers that a rollback made may mount files in it.\n", from)
		return nil
	}
	fmt.Fprintln(c.Out, "Not brought back, as a backup file holds objects alone: revisions of compose projects, kept images, logs and events. "+
		"The first start takes from the deploy jobs whose the projects are; a project that no job shows to be deployed is nobody's.")
	return nil
}
