package offline

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/store/file"
)

func newCompact(c *cli.Invocation) *cobra.Command {
	var dataDir string
	command := &cobra.Command{
		Use:     "compact",
		Short:   "Write the changes in the journal into jobs.json",
		Long:    "Compact does for a stopped server what a running one does by itself.",
		Example: "  jobwright compact --data-dir ./data",
		Args:    cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := os.Stat(dataDir); err != nil {
				return err // opening would make a new store there
			}
			before, err := folderSize(dataDir)
			if err != nil {
				return err
			}
			if err := file.Compact(dataDir, file.Options{MinFree: -1, Kinds: c.Kinds}); err != nil {
				return err
			}
			after, err := folderSize(dataDir)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.Out, "%s: %d bytes before, %d after\n", dataDir, before, after)
			return nil
		},
	}
	command.Flags().StringVar(&dataDir, "data-dir", "./data", "folder of the objects, whose server is stopped")
	return command
}

// folderSize returns the size of jobs.json and the journal.
func folderSize(dir string) (int64, error) {
	var size int64
	for _, pattern := range []string{"jobs.json", filepath.Join("journal", "*")} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return 0, err
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				return 0, err
			}
			size += info.Size()
		}
	}
	return size, nil
}
