package offline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/seed"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
	"jobwright.dev/controller/action"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/logs"
	logfiles "jobwright.dev/store/logs/file"
)

func newImport(c *cli.Invocation) *cobra.Command {
	var dataDir string
	command := &cobra.Command{
		Use:   "import FILE",
		Short: `Import the jobs of an old file {"jobs":[…]}, with ids, times and logs`,
		Long: `Import reads an old file and stores its jobs in --data-dir, whose server must not be
running. Finished jobs stay finished; jobs that were queued or running are queued and run
at the next start. All jobs are taken over or none; jobs that are there already are left
as they are, so an import can be repeated. FILE is one JSON value of at most 256 MiB;
members that no such file has are refused with their line.`,
		Example: "  jobwright import --data-dir ./data old-jobs.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cli.BindEnv(cmd.Flags()); err != nil {
				return err
			}
			return importFile(cmd.Context(), c, args[0], dataDir)
		},
	}
	command.Flags().StringVar(&dataDir, "data-dir", "./data", "folder of the objects and logs")
	return command
}

func importFile(ctx context.Context, c *cli.Invocation, path, dataDir string) (err error) {
	past, err := readOld(c.Kinds.Payloads(), path)
	if err != nil {
		return err
	}
	objects, err := file.Open(dataDir, file.Options{Kinds: c.Kinds, Admit: c.Kinds.Validate})
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("%w; stop the server before an import", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objects.Close()) }()
	archive, err := logfiles.Open(filepath.Join(dataDir, "logs"), 0)
	if err != nil {
		return err
	}
	defer archive.Close()
	imported, err := storePast(ctx, objects, archive, past)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%d jobs imported, %d were there already; start the server with jobwright serve --data-dir %s\n", imported, len(past)-imported, dataDir)
	return nil
}

// readOld reads an old file and sorts its jobs by age, as the store will list them.
func readOld(payloads v1.PayloadSet, path string) ([]seed.Past, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	tooLarge := fmt.Errorf("%s: has more than %d bytes: import it in parts", path, seed.MaxFile)
	if info, err := in.Stat(); err != nil || info.Size() > seed.MaxFile {
		return nil, cmp.Or(err, tooLarge)
	}
	text, err := io.ReadAll(io.LimitReader(in, seed.MaxFile+1)) // the size of a pipe is 0
	if err != nil {
		return nil, err
	}
	if len(text) > seed.MaxFile {
		return nil, tooLarge
	}
	past, err := seed.ReadFile(payloads, text)
	return past, errors.Join(cli.InFile(path, err)...)
}

// storePast stores the jobs that are not there yet, and returns how many they are.
func storePast(ctx context.Context, objects store.Store, archive logs.Store, past []seed.Past) (int, error) {
	var create []v1.Object
	var fresh []seed.Past
	workspaces := map[string]bool{}
	for _, p := range past {
		if _, err := objects.Get(ctx, store.KeyOf(p.Job)); err == nil {
			continue
		}
		if name := p.Job.Namespace; !workspaces[name] {
			workspaces[name] = true
			if _, err := objects.Get(ctx, store.Key{Kind: v1.KindWorkspace, Name: name}); errors.Is(err, store.ErrNotFound) {
				create = append(create, &v1.Workspace{
					TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
					ObjectMeta: metav1.ObjectMeta{Name: name},
				})
			}
		}
		create = append(create, p.Job)
		fresh = append(fresh, p)
	}
	// Logs are written first: a stored job must be complete.
	for _, p := range fresh {
		if err := importLog(ctx, archive, p); err != nil {
			return 0, err
		}
	}
	if len(create) > 0 {
		if _, err := objects.Create(ctx, create...); err != nil {
			return 0, err
		}
	}
	return len(fresh), nil
}

func importLog(ctx context.Context, archive logs.Store, p seed.Past) error {
	ref := logs.Ref{Workspace: p.Job.Namespace, Job: p.Job.Name, UID: p.Job.UID}
	if len(p.Lines) == 0 {
		return nil
	}
	if err := archive.Remove(ctx, ref); err != nil { // of an import that broke off
		return err
	}
	writer, err := archive.Writer(ref)
	if err != nil {
		return err
	}
	for _, line := range p.Lines {
		writer.Line(p.Updated, logs.Stream(action.Stdout), line)
	}
	return writer.Close(p.Updated)
}
