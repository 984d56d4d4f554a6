package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/logs"
	logfiles "jobwright.dev/store/logs/file"
)

// oldJob is a job of the old file {"jobs":[…]}; times in milliseconds since 1970.
type oldJob struct {
	ID          string          `json:"id"`
	Type        v1.JobType      `json:"type"`
	WorkspaceID string          `json:"workspaceId"`
	CreatedBy   json.RawMessage `json:"createdBy"`
	Payload     json.RawMessage `json:"payload"`
	Status      string          `json:"status"`
	Pct         float64         `json:"pct"`
	Step        string          `json:"step"`
	Logs        []any           `json:"logs"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func newImport(c *cli) *cobra.Command {
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
			if err := bindEnv(cmd.Flags()); err != nil {
				return err
			}
			return importFile(cmd.Context(), c, args[0], dataDir)
		},
	}
	command.Flags().StringVar(&dataDir, "data-dir", "./data", "folder of the objects and logs")
	return command
}

func importFile(ctx context.Context, c *cli, path, dataDir string) (err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var old struct {
		Jobs []oldJob `json:"jobs"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&old); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// The store sorts by uid, and that by time: oldest first.
	slices.SortStableFunc(old.Jobs, func(a, b oldJob) int { return int(a.CreatedAt - b.CreatedAt) })
	jobs := make([]*v1.Job, 0, len(old.Jobs))
	var problems []error
	for _, o := range old.Jobs {
		job, err := convert(o)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: job %q: %w", path, o.ID, err))
			continue
		}
		jobs = append(jobs, job)
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	objects, err := file.Open(dataDir, file.Options{Admit: admit})
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
	return storeImported(ctx, c, objects, archive, old.Jobs, jobs)
}

func storeImported(ctx context.Context, c *cli, objects store.Store, archive logs.Store, old []oldJob, jobs []*v1.Job) error {
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
	fmt.Fprintf(c.out, "%d jobs imported, %d were there already\n", len(fresh), present)
	return nil
}

func importLog(ctx context.Context, archive logs.Store, job *v1.Job, o oldJob) error {
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
	for _, line := range o.Logs {
		text, ok := line.(string)
		if !ok {
			encoded, err := json.Marshal(line)
			if err != nil {
				return err
			}
			text = string(encoded)
		}
		writer.Line(at, logs.Stream(action.Stdout), text)
	}
	return writer.Close(at)
}

// convert makes an object of an old job.
func convert(o oldJob) (*v1.Job, error) {
	if problems := validation.IsDNS1123Label(o.WorkspaceID); len(problems) > 0 {
		return nil, fmt.Errorf("workspaceId %q: %s", o.WorkspaceID, problems[0])
	}
	created := time.UnixMilli(o.CreatedAt)
	job := &v1.Job{
		TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{
			Name: strings.ToLower(o.ID), Namespace: o.WorkspaceID,
			CreationTimestamp: metav1.NewTime(created), UID: uidAt(o),
		},
	}
	if err := server.SeedPayload(job, o.Type, o.Payload); err != nil {
		return nil, err
	}
	var by v1.Creator
	if json.Unmarshal(o.CreatedBy, &by) == nil && by != (v1.Creator{}) {
		job.Spec.CreatedBy = &by
	}
	if err := v1.ValidateJob(job).ToAggregate(); err != nil {
		return nil, err
	}
	return job, importStatus(job, o)
}

// uidAt is a uid of version 7 with the old job's time, so that it sorts where the job
// belongs; the rest of it is derived from the id, so that a repeated import agrees.
func uidAt(o oldJob) types.UID {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(o.WorkspaceID+"/"+o.ID))
	for i := range 6 {
		id[i] = byte(o.CreatedAt >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	return types.UID(id.String())
}

func importStatus(job *v1.Job, o oldJob) error {
	updated := metav1.NewMicroTime(time.UnixMilli(max(o.UpdatedAt, o.CreatedAt)))
	s := &job.Status
	s.LastUpdateTime = &updated
	phase := map[string]v1.JobPhase{
		"queued": v1.JobQueued, "pending": v1.JobQueued, "running": v1.JobQueued,
		"succeeded": v1.JobSucceeded, "failed": v1.JobFailed, "canceled": v1.JobCanceled, "cancelled": v1.JobCanceled,
	}[strings.ToLower(o.Status)]
	switch phase {
	case "":
		return fmt.Errorf("status %q: supported values: queued, running, succeeded, failed, canceled", o.Status)
	case v1.JobSucceeded, v1.JobFailed, v1.JobCanceled, v1.JobRunning:
	case v1.JobQueued:
		s.Phase, s.Reason = v1.JobQueued, v1.ReasonQueued
		if strings.EqualFold(o.Status, "running") {
			s.Reason, s.Message = v1.ReasonInterrupted, "It was running when it was imported, and is run again."
		}
		return nil
	}
	s.Phase, s.Reason, s.Step = phase, v1.ReasonImported, o.Step
	s.Pct = int32(min(max(o.Pct, 0), 100))
	if phase == v1.JobSucceeded {
		s.Pct = 100
	}
	started := metav1.NewMicroTime(time.UnixMilli(o.CreatedAt))
	s.StartTime, s.CompletionTime = &started, &updated
	for _, condition := range []string{v1.TerminalCondition(phase), v1.ConditionFinished} {
		s.SetCondition(condition, metav1.ConditionTrue, v1.ReasonImported, "", 1, metav1.NewTime(updated.Time))
	}
	return nil
}
