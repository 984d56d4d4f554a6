package offline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
		Short: `Take over the jobs of an old file {"jobs":[…]}, with ids, times and logs`,
		Long: `Import reads an old file and stores its jobs in --data-dir, whose server must not be
running. Finished jobs stay finished; jobs that were queued or running are queued and run
at the next start. All jobs are taken over or none; jobs that are there already are left
as they are, so an import can be repeated.`,
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
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var old seed.File
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&old); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// The store sorts by uid, and that by time: oldest first.
	slices.SortStableFunc(old.Jobs, func(a, b seed.FileJob) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) })
	jobs := make([]*v1.Job, 0, len(old.Jobs))
	var problems []error
	for _, o := range old.Jobs {
		job, err := o.Object()
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: job %q: %w", path, o.ID, err))
			continue
		}
		jobs = append(jobs, job)
	}
	if err := errors.Join(problems...); err != nil {
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
	return storeImported(ctx, c, dataDir, objects, archive, old.Jobs, jobs)
}

func storeImported(ctx context.Context, c *cli.Invocation, dataDir string, objects store.Store, archive logs.Store, old []seed.FileJob, jobs []*v1.Job) error {
	var create []v1.Object
	fresh := map[string]*v1.Job{}
	workspaces := map[string]bool{}
	present := 0
	for _, job := range jobs {
		if _, err := objects.Get(ctx, store.KeyOf(job)); err == nil {
			present++
			continue
		}
		if !workspaces[job.Namespace] {
			workspaces[job.Namespace] = true
			key := store.Key{Kind: v1.KindWorkspace, Name: job.Namespace}
			if _, err := objects.Get(ctx, key); errors.Is(err, store.ErrNotFound) {
				create = append(create, &v1.Workspace{
					TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace},
					ObjectMeta: metav1.ObjectMeta{Name: job.Namespace},
				})
			}
		}
		create = append(create, job)
		fresh[job.Namespace+"/"+job.Name] = job
	}
	// Logs first: a job is there only when all of it is.
	for _, o := range old {
		if job, ok := fresh[o.WorkspaceID+"/"+strings.ToLower(o.ID)]; ok {
			if err := importLog(ctx, archive, job, o); err != nil {
				return err
			}
		}
	}
	if len(create) > 0 {
		if _, err := objects.Create(ctx, create...); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.Out, "%d jobs imported, %d were there already; start the server with jobwright serve --data-dir %s\n", len(fresh), present, dataDir)
	return nil
}

func importLog(ctx context.Context, archive logs.Store, job *v1.Job, o seed.FileJob) error {
	ref := logs.Ref{Workspace: job.Namespace, Job: job.Name, UID: job.UID}
	if len(o.Logs) == 0 {
		return nil
	}
	if err := archive.Remove(ctx, ref); err != nil { // of an import that broke off
		return err
	}
	writer, err := archive.Writer(ref)
	if err != nil {
		return err
	}
	at := time.UnixMilli(o.UpdatedAt)
	lines, err := o.Lines()
	if err != nil {
		return err
	}
	for _, line := range lines {
		writer.Line(at, logs.Stream(action.Stdout), line)
	}
	return writer.Close(at)
}
