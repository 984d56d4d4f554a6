package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobwright.dev/api/client"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/cmd/jobwright/datadir"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/filedb"
)

func newBackup(c *cli.Invocation) *cobra.Command {
	var dataDir, tokenFile string
	command := &cobra.Command{
		Use:   "backup FILE|FOLDER",
		Short: "Copy the whole store, consistently, while the server runs",
		Long: `Backup writes a consistent copy of all objects of all workspaces to FILE, or to a new file
in FOLDER; "-" is standard output. A FILE that is there is replaced once the copy is whole. A running server of --data-dir continues meanwhile: it
is reached at --server, with the operator's token from the folder. If the server is
stopped, the folder itself is read. On another machine, --token-file names a copy of the
folder's file operator-token.

The backup is a list of objects; restore makes a store of it. It does not contain the
revisions of compose projects and whose the projects are, logs and events, which are files
in the data folder, nor the images that revisions keep in the docker engine. With the
server stopped, restore --from FOLDER brings revisions and owners back from a data folder
or a copy of it.`,
		Example: `  jobwright backup /backups/jobs.json
  jobwright backup --data-dir /var/lib/jobwright /backups/
  jobwright backup --server http://127.0.0.1:8080 --token-file ~/operator-token /backups/`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			copyTo := func(w io.Writer) error { return backup(cmd.Context(), c, dataDir, w) }
			if tokenFile != "" && cmd.Flags().Changed("data-dir") {
				return cli.Usagef("--data-dir or --token-file, not both")
			}
			if tokenFile != "" {
				copyTo = func(w io.Writer) error {
					return otherServer(backupFrom(cmd.Context(), c, tokenFile, w), "does not know the token in "+tokenFile+
						": it is another server's, or a former one")
				}
			}
			if args[0] == "-" {
				return copyTo(c.Out)
			}
			path := args[0]
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				path = filepath.Join(path, "jobwright-"+time.Now().UTC().Format("20060102T150405Z")+".json")
			}
			if _, err := os.Stat(filepath.Dir(path)); err != nil {
				return err // where a disk should be mounted, none is to be made
			}
			_, there := os.Lstat(path)
			size, err := filedb.Write(path, copyTo)
			if err != nil {
				return err
			}
			replaced := ""
			if there == nil {
				replaced = ", in place of the file that was there"
			}
			fmt.Fprintf(c.Out, "%s (%d bytes)%s\n", path, size, replaced)
			return nil
		},
	}
	command.Flags().StringVar(&dataDir, "data-dir", "./data", "data folder of the server")
	command.Flags().StringVar(&tokenFile, "token-file", "", "file with the operator's token, for a server whose data folder is not on this machine")
	return command
}

// backupFrom copies the store of a running server.
func backupFrom(ctx context.Context, c *cli.Invocation, tokenFile string, w io.Writer) error {
	text, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return fmt.Errorf("%s holds no operator's token, which is one word", tokenFile)
	}
	server, err := c.Connect()
	if err != nil {
		return err
	}
	_, err = server.Backup(ctx, token, w)
	return err
}

// otherServer is a failed backup; why says what is the matter with a server that does not
// know the token.
func otherServer(err error, why string) error {
	if client.IsUnauthorized(err) {
		return fmt.Errorf("the server %s (%w)", why, err)
	}
	return err
}

// backup copies a store through its server, or from its folder if the server is stopped.
func backup(ctx context.Context, c *cli.Invocation, dataDir string, w io.Writer) (err error) {
	if _, err := os.Stat(filepath.Join(dataDir, datadir.OperatorTokenFile)); err != nil {
		// file.Open would create a store there.
		return fmt.Errorf("--data-dir %s is no data folder (%w): give the data folder of the server, or a copy of its file operator-token with --token-file", dataDir, err)
	}
	objects, err := file.Open(dataDir, file.Options{MinFree: -1, Kinds: c.Kinds})
	if errors.Is(err, store.ErrLocked) {
		return otherServer(backupFrom(ctx, c, filepath.Join(dataDir, datadir.OperatorTokenFile), w),
			"is not the one of --data-dir "+dataDir+": name that one with --server")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objects.Close()) }()
	_, err = objects.Backup(ctx, w)
	return err
}
