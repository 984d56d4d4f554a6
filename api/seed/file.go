package seed

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	v1 "jobwright.dev/api/v1"
)

// File is an old file of jobs.
type File struct {
	Jobs []FileJob `json:"jobs"`
}

// FileJob is a job of an old file. It takes what such files were seen to hold: a share of
// a percent, lines that are no text, a creator of any form.
type FileJob struct {
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

// Object makes an object of an old job, with its uid and times. A job that was queued or
// running is queued.
func (f FileJob) Object() (*v1.Job, error) {
	if problems := validation.IsDNS1123Label(f.WorkspaceID); len(problems) > 0 {
		return nil, fmt.Errorf("workspaceId %q: %s", f.WorkspaceID, problems[0])
	}
	job := &v1.Job{
		TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{
			Name: strings.ToLower(f.ID), Namespace: f.WorkspaceID,
			CreationTimestamp: metav1.NewTime(time.UnixMilli(f.CreatedAt)), UID: f.uid(),
		},
	}
	if err := setPayload(job, f.Type, f.Payload); err != nil {
		return nil, err
	}
	var by v1.Creator
	if json.Unmarshal(f.CreatedBy, &by) == nil && by != (v1.Creator{}) {
		job.Spec.CreatedBy = &by
	}
	if err := v1.ValidateJob(job).ToAggregate(); err != nil {
		return nil, err
	}
	return job, f.status(&job.Status)
}

// Lines are the job's log, each line as text.
func (f FileJob) Lines() ([]string, error) {
	lines := make([]string, 0, len(f.Logs))
	for _, line := range f.Logs {
		text, ok := line.(string)
		if !ok {
			encoded, err := json.Marshal(line)
			if err != nil {
				return nil, err
			}
			text = string(encoded)
		}
		lines = append(lines, text)
	}
	return lines, nil
}

// uid is a uid of version 7 with the old job's time, so that it sorts where the job
// belongs; the rest of it is derived from the id, so that a repeated import agrees.
func (f FileJob) uid() types.UID {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(f.WorkspaceID+"/"+f.ID))
	for i := range 6 {
		id[i] = byte(f.CreatedAt >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	return types.UID(id.String())
}

// phase is what an old status has become; both spellings of canceled occur in files.
func (f FileJob) phase() (v1.JobPhase, error) {
	switch strings.ToLower(f.Status) {
	case "queued", "pending", "running":
		return v1.JobQueued, nil
	case "succeeded":
		return v1.JobSucceeded, nil
	case "failed":
		return v1.JobFailed, nil
	case "canceled", "cancelled":
		return v1.JobCanceled, nil
	}
	return "", fmt.Errorf("status %q: supported values: queued, running, succeeded, failed, canceled", f.Status)
}

func (f FileJob) status(s *v1.JobStatus) error {
	phase, err := f.phase()
	if err != nil {
		return err
	}
	updated := metav1.NewMicroTime(time.UnixMilli(max(f.UpdatedAt, f.CreatedAt)))
	s.LastUpdateTime, s.Phase = &updated, phase
	if phase == v1.JobQueued {
		s.Reason = v1.ReasonQueued
		if strings.EqualFold(f.Status, "running") {
			s.Reason, s.Message = v1.ReasonInterrupted, "It was running when it was imported, and is run again."
		}
		return nil
	}
	s.Reason, s.Step = v1.ReasonImported, f.Step
	s.Pct = int32(min(max(f.Pct, 0), 100))
	if phase == v1.JobSucceeded {
		s.Pct = 100
	}
	started := metav1.NewMicroTime(time.UnixMilli(f.CreatedAt))
	s.StartTime, s.CompletionTime = &started, &updated
	for _, condition := range []string{v1.TerminalCondition(phase), v1.ConditionFinished} {
		s.SetCondition(condition, metav1.ConditionTrue, v1.ReasonImported, v1.EndedMessage(phase), 1, metav1.NewTime(updated.Time))
	}
	return nil
}
