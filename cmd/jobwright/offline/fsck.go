package offline

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/print"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/journal"
)

// fsckResult is the output of fsck -o json.
type fsckResult struct {
	Folder string `json:"folder"`
	// State is "whole", "edited", "damaged" or "unreadable".
	State   string            `json:"state"`
	Clean   bool              `json:"clean"`
	Problem string            `json:"problem,omitempty"`
	Report  file.FsckReport   `json:"report"`
	Records []file.FsckRecord `json:"records,omitempty"`
}

func newFsck(c *cli.Invocation) *cobra.Command {
	var dataDir, output string
	var verbose bool
	command := &cobra.Command{
		Use:   "fsck",
		Short: "Check the store of a stopped server without changing it",
		Long: `Fsck reads and checks a data folder whose server is stopped: checksums, records and
objects. It changes nothing. A torn end, as after a crash, is no damage: the next start
cuts it off.

A folder is whole, edited or damaged. Edited means that the checksums of jobs.json are
wrong although every object in it is valid: only you know whether you edited it.

Exit codes: 0 whole, 1 edited, damaged or unreadable; the message says which, names file,
offset and cause, and what to do.`,
		Example: `  jobwright fsck --data-dir ./data
  jobwright fsck --data-dir ./data --verbose
  jobwright fsck --data-dir ./data -o json`,
		Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fsck(c, dataDir, verbose, output)
		},
	}
	command.Flags().StringVar(&dataDir, "data-dir", "./data", "folder of the objects, whose server is stopped")
	command.Flags().BoolVar(&verbose, "verbose", false, "list every record of the journal")
	cli.Output(command, &output, "json instead of text", "json")
	return command
}

// fsck checks a folder and prints the result.
func fsck(c *cli.Invocation, dataDir string, verbose bool, output string) error {
	if _, err := os.Stat(dataDir); err != nil {
		return err
	}
	result := fsckResult{Folder: dataDir}
	report, err := file.Fsck(dataDir, file.FsckOptions{Kinds: c.Kinds, Admit: c.Kinds.Validate}, func(r file.FsckRecord) {
		switch {
		case !verbose:
		case output == "json":
			result.Records = append(result.Records, r)
		default:
			fmt.Fprintf(c.Out, "%s offset %d: %s %s, version %d, %d bytes\n", journal.SegmentName(r.Segment), r.Offset, r.Operation, r.Object, r.ResourceVersion, r.Bytes)
		}
	})
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("%w; stop the server, or take a backup of it with jobwright backup and check that", err)
	}
	result.Report, result.State, err = report, stateOf(report, err), advise(dataDir, report, err)
	switch {
	case output == "json":
		return printFsckJSON(c, result, err)
	case err != nil:
		return err
	}
	printFsck(c, dataDir, report)
	return nil
}

// printFsckJSON prints a result. A problem is part of it and sets exit code 1.
func printFsckJSON(c *cli.Invocation, result fsckResult, problem error) error {
	result.Clean = problem == nil
	if problem != nil {
		result.Problem = problem.Error()
	}
	if err := print.JSON(c.Out, result); err != nil {
		return err
	}
	if problem != nil {
		return cli.ExitStatus(cli.ExitError)
	}
	return nil
}

// stateOf returns the outcome of a check as one word.
func stateOf(r file.FsckReport, err error) string {
	switch {
	case errors.Is(err, store.ErrCorrupt):
		return "damaged"
	case err != nil:
		return "unreadable"
	case r.Edit != nil:
		return "edited"
	}
	return "whole"
}

// advise adds what to do about a folder that is not whole.
func advise(dataDir string, r file.FsckReport, err error) error {
	switch {
	case errors.Is(err, store.ErrCorrupt):
		return fmt.Errorf("%w\nKeep a copy of the folder; then restore the latest backup with jobwright restore", err)
	case err == nil && r.Edit != nil:
		return fmt.Errorf("%s is edited: the checksums of jobs.json do not fit, though all %d objects are valid: from offset %d on %s\n"+
			"If you have edited it: jobwright serve --data-dir %s --accept-edited takes it over as it stands. If nobody has, a bit has flipped: keep a copy of the folder, then restore the latest backup with jobwright restore",
			dataDir, r.Objects, r.Edit.Offset, r.Edit.Cause, dataDir)
	}
	return err
}

func printFsck(c *cli.Invocation, dataDir string, r file.FsckReport) {
	fmt.Fprintf(c.Out, "%s is whole: %d objects at version %d.\n", dataDir, r.Objects, r.ResourceVersion)
	fmt.Fprintf(c.Out, "Journal: %d records in %d blocks, %d segments, %d bytes, newer than jobs.json.\n", r.Records, r.Blocks, len(r.Segments), r.Bytes)
	switch {
	case r.Cut != nil:
		fmt.Fprintf(c.Out, "Its end is torn, as after a crash; the next start cuts it off: %s, offset %d: %s\n", r.Cut.File, r.Cut.Offset, r.Cut.Cause)
	case !r.Clean:
		fmt.Fprintln(c.Out, "The server was not shut down in order; the next start recovers the journal.")
	}
}
