package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"jobwright.dev/api/seed"
	"jobwright.dev/api/server/public"
	"jobwright.dev/api/strict"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// WorkspaceCookie names the workspace of a request of the seed's interface.
const WorkspaceCookie = "active_workspace"

// How much of its log a job shows by itself and in a list. The page and the command line
// read the whole log from its own address.
var (
	oneLog  = logEnd{lines: 1000, bytes: 1 << 20}
	listLog = logEnd{lines: 20, bytes: 32 << 10} // 200 jobs: at most 6.4 MiB
)

// logEnd bounds the end of a log by lines and bytes.
type logEnd struct{ lines, bytes int }

// pollSeconds is the Retry-After, in seconds, of a job that has not finished.
var pollSeconds = []string{"1"} // as a header has it

// seedAnswer is a success of the seed's interface.
type seedAnswer struct {
	OK     bool `json:"ok"`
	Result any  `json:"result,omitempty"`
}

// seedOne is the result that shows one job.
type seedOne struct {
	Job seed.Job `json:"job"`
}

// seedAction is the body of a request about one job.
type seedAction struct {
	Action string `json:"action"`
}

func (s *Server) seedGet(w http.ResponseWriter, r *request) error {
	w.Header().Set("Cache-Control", "no-store") // the next poll must not see this answer
	record, err := s.opts.Store.Get(r.Context(), r.key())
	if err != nil {
		return err
	}
	job, err := s.seedJob(r.Context(), record, oneLog)
	if err != nil {
		return err
	}
	if job.Status == seed.StatusQueued || job.Status == seed.StatusRunning {
		w.Header()["Retry-After"] = pollSeconds
	}
	writeJSON(w, http.StatusOK, seedAnswer{OK: true, Result: seedOne{job}})
	return nil
}

func (s *Server) seedJob(ctx context.Context, record store.Record, end logEnd) (seed.Job, error) {
	job, err := record.Job()
	if err != nil {
		return seed.Job{}, err
	}
	log, err := s.endOfLog(ctx, job, end)
	if err != nil {
		return seed.Job{}, err
	}
	return seed.FromJob(s.opts.Kinds.Payloads(), job, v1.CreatedAt(job), log)
}

func (s *Server) endOfLog(ctx context.Context, job *v1.Job, end logEnd) (seed.Log, error) {
	reader := s.opts.Logs.Open(logs.Ref{Workspace: job.Namespace, Job: job.Name, UID: job.UID})
	defer reader.Close()
	entries, before, err := reader.Last(ctx, end.lines, end.bytes)
	log := seed.Log{Lines: make([]string, 0, len(entries)), Truncated: before}
	for _, entry := range entries {
		log.Lines = append(log.Lines, entry.Text)
	}
	return log, err
}

// seedAct serves POST /api/jobs/ID, whose only action is cancel.
func (s *Server) seedAct(w http.ResponseWriter, r *request) error {
	data, err := readSeedBody(r)
	if err != nil {
		return err
	}
	action, err := seed.DecodeAction(data)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if action != seed.ActionCancel {
		return apierrors.NewBadRequest(fmt.Sprintf("action: Unsupported value: %s: supported values: %q", public.Quote(action), seed.ActionCancel))
	}
	for {
		record, err := s.opts.Store.Get(r.Context(), r.key())
		if err != nil {
			return err
		}
		job, err := record.Job()
		if err != nil {
			return err
		}
		if job.Finished() {
			return &seedError{http.StatusConflict, seedRefusal{
				Error: "already_finished", Message: "the job has ended already: " + strings.ToLower(string(job.Status.Phase)),
			}}
		}
		job.Spec.Cancel = true
		_, err = s.opts.Store.Update(r.Context(), job)
		if errors.Is(err, store.ErrConflict) {
			continue // each round means that somebody else's write went through
		}
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, seedAnswer{OK: true})
		return nil
	}
}

// readSeedBody reads a body: JSON as it was sent, and YAML as the JSON that it stands for.
func readSeedBody(r *request) ([]byte, error) {
	media, err := mediaOf(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || media == "application/json" {
		return bytes.TrimPrefix(body, []byte("\ufeff")), err // the mark that some editors put before UTF-8
	}
	d, err := strict.YAML(body)
	if err == nil && d.Empty() {
		return nil, nil
	}
	if err == nil {
		body, err = d.JSON()
	}
	if err != nil {
		return nil, badBody("bad YAML: ", err)
	}
	return body, nil
}
