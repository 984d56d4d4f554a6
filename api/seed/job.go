package seed

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
)

// The statuses of a job that has not ended.
const (
	StatusQueued  = "queued"
	StatusRunning = "running"
)

// phases are those of a job, in the order in which errors name them.
var phases = []v1.JobPhase{v1.JobQueued, v1.JobRunning, v1.JobSucceeded, v1.JobFailed, v1.JobCanceled}

// PhaseOf is the phase of a status; false: there is no such status.
func PhaseOf(status string) (v1.JobPhase, bool) {
	for _, phase := range phases {
		if status == statusOf(phase) {
			return phase, true
		}
	}
	return "", false
}

// Statuses lists every status, for errors.
func Statuses() string {
	quoted := make([]string, 0, len(phases))
	for _, phase := range phases {
		quoted = append(quoted, quote(statusOf(phase)))
	}
	return strings.Join(quoted, ", ")
}

func statusOf(phase v1.JobPhase) string { return strings.ToLower(string(phase)) }

// stepDone is the step of a job that has succeeded.
const stepDone = "done"

// Job is a job as /api/jobs answers it.
type Job struct {
	ID          string          `json:"id"`
	Type        v1.JobType      `json:"type"`
	WorkspaceID string          `json:"workspaceId"`
	CreatedBy   *v1.Creator     `json:"createdBy"`
	Payload     json.RawMessage `json:"payload"`
	// Status is the phase in lower case.
	Status string `json:"status"`
	Pct    int32  `json:"pct"`
	Step   string `json:"step"`
	// Logs are the last lines of output, the newest last; never null.
	Logs []string `json:"logs"`
	// LogsTruncated says that there are lines before Logs.
	LogsTruncated bool `json:"logsTruncated,omitempty"`
	// CreatedAt and UpdatedAt are in milliseconds since 1970.
	CreatedAt int64 `json:"createdAt"`
	UpdatedAt int64 `json:"updatedAt"`
}

// Log is the end of a job's log.
type Log struct {
	Lines []string
	// Truncated: there are lines before these.
	Truncated bool
}

// FromJob converts a job, with its creation time and the end of its log.
func FromJob(payloads v1.PayloadSet, job *v1.Job, created time.Time, log Log) (Job, error) {
	payload, err := payloadOf(payloads, job)
	if err != nil {
		return Job{}, fmt.Errorf("payload of job %s/%s: %w", job.Namespace, job.Name, err)
	}
	out := Job{
		ID: job.Name, Type: job.Spec.Type, WorkspaceID: job.Namespace, CreatedBy: job.Spec.CreatedBy, Payload: payload,
		Status: statusOf(job.Status.Phase), Pct: job.Status.Pct, Step: job.Status.Step,
		Logs: log.Lines, LogsTruncated: log.Truncated, CreatedAt: created.UnixMilli(),
	}
	if job.Status.Phase == v1.JobSucceeded {
		out.Step = stepDone
	}
	if out.Logs == nil {
		out.Logs = []string{}
	}
	out.UpdatedAt = out.CreatedAt
	if at := job.Status.LastUpdateTime; at != nil {
		out.UpdatedAt = max(at.UnixMilli(), out.CreatedAt)
	}
	return out, nil
}
