package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "sigs.k8s.io/json"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// PayloadAnnotation keeps the payload of a tracking record as it was sent.
const PayloadAnnotation = "jobwright.dev/payload"

// How many lines of its log a job shows in the seed's list and by itself. The page
// and the command line read the whole log from its own address.
const (
	listLogLines = 20
	oneLogLines  = 200
)

// seedJob is a job in the seed's shape; times in milliseconds since 1970.
type seedJob struct {
	ID          string          `json:"id"`
	Type        v1.JobType      `json:"type"`
	WorkspaceID string          `json:"workspaceId"`
	CreatedBy   *v1.Creator     `json:"createdBy"`
	Payload     json.RawMessage `json:"payload"`
	Status      string          `json:"status"`
	Pct         int32           `json:"pct"`
	Step        string          `json:"step"`
	Logs        []string        `json:"logs"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func (s *Server) seedJob(ctx context.Context, record store.Record, logLines int) (seedJob, error) {
	job, err := record.Job()
	if err != nil {
		return seedJob{}, err
	}
	payload, err := seedPayload(job)
	if err != nil {
		return seedJob{}, fmt.Errorf("payload of %s: %w", record.Key(), err)
	}
	lines, err := s.lastLines(ctx, job, logLines)
	if err != nil {
		return seedJob{}, err
	}
	created := store.CreatedAt(job).UnixMilli()
	out := seedJob{
		ID: job.Name, Type: job.Spec.Type, WorkspaceID: job.Namespace, CreatedBy: job.Spec.CreatedBy,
		Payload: payload, Status: strings.ToLower(string(job.Status.Phase)), Pct: job.Status.Pct, Step: job.Status.Step,
		Logs: lines, CreatedAt: created, UpdatedAt: created,
	}
	if at := job.Status.LastUpdateTime; at != nil {
		out.UpdatedAt = max(at.UnixMilli(), created)
	}
	return out, nil
}

func seedPayload(job *v1.Job) (json.RawMessage, error) {
	switch {
	case job.Spec.Build != nil:
		return json.Marshal(job.Spec.Build)
	case job.Spec.Deploy != nil:
		return json.Marshal(job.Spec.Deploy)
	case job.Spec.APICall != nil:
		return json.Marshal(job.Spec.APICall)
	}
	if kept := job.Annotations[PayloadAnnotation]; json.Valid([]byte(kept)) {
		return json.RawMessage(kept), nil
	}
	return json.RawMessage("{}"), nil
}

func (s *Server) lastLines(ctx context.Context, job *v1.Job, n int) ([]string, error) {
	reader := s.Logs.Open(logs.Ref{Workspace: job.Namespace, Job: job.Name, UID: job.UID})
	defer reader.Close()
	lines := []string{}
	if err := reader.Tail(ctx, n); err != nil {
		return nil, err
	}
	entries, err := reader.Read(ctx)
	for _, entry := range entries {
		lines = append(lines, entry.Text)
	}
	return lines, err
}

// readSeedJob reads {type, payload} into a job.
func readSeedJob(r *http.Request) (*v1.Job, error) {
	var body struct {
		Type    v1.JobType      `json:"type"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := readSeedBody(r, &body); err != nil {
		return nil, err
	}
	job := &v1.Job{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob}}
	return job, SeedPayload(job, body.Type, body.Payload)
}

// SeedPayload gives job the type and payload of the seed's interface.
func SeedPayload(job *v1.Job, jobType v1.JobType, payload json.RawMessage) error {
	job.Spec.Type = jobType
	payload = bytes.TrimSpace(payload)
	if len(payload) == 0 || bytes.Equal(payload, []byte("null")) {
		payload = []byte("{}")
	}
	if payload[0] != '{' {
		return apierrors.NewBadRequest("payload must be an object")
	}
	switch jobType {
	case v1.JobTypeBuild:
		job.Spec.Build = new(v1.BuildAction)
		return strict(payload, job.Spec.Build)
	case v1.JobTypeDeploy:
		job.Spec.Deploy = new(v1.DeployAction)
		return strict(payload, job.Spec.Deploy)
	case v1.JobTypeAPICall:
		return apiCallPayload(job, payload)
	}
	return apierrors.NewBadRequest(fmt.Sprintf("type: Unsupported value: %s: supported values: \"build\", \"deploy\", \"api_call\"", quote(string(jobType))))
}

// apiCallPayload makes a payload with a url a call, and any other a record.
func apiCallPayload(job *v1.Job, payload []byte) error {
	var probe struct {
		URL *json.RawMessage `json:"url"`
	}
	if err := json.Unmarshal(payload, &probe); err != nil {
		return apierrors.NewBadRequest("payload: " + err.Error())
	}
	if probe.URL != nil {
		job.Spec.APICall = new(v1.APICallAction)
		return strict(payload, job.Spec.APICall)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err != nil {
		return apierrors.NewBadRequest("payload: " + err.Error())
	}
	if compact.Len() > len("{}") {
		job.Annotations = map[string]string{PayloadAnnotation: compact.String()}
	}
	return nil
}

func readSeedBody(r *http.Request, into any) error {
	if header := r.Header.Get("Content-Type"); header != "" {
		if media, _, err := mime.ParseMediaType(header); err != nil || media != "application/json" {
			return unsupportedMedia(r, "application/json")
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return apierrors.NewBadRequest("the body must be a JSON object")
	}
	return strict(body, into)
}

// strict decodes JSON and refuses unknown and doubled fields.
func strict(data []byte, into any) error {
	unknown, err := kjson.UnmarshalStrict(data, into)
	if err == nil {
		err = errors.Join(unknown...)
	}
	if err != nil {
		return apierrors.NewBadRequest("bad JSON: " + err.Error())
	}
	return nil
}
