package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1 "jobwright.dev/api/v1"
)

// planTime bounds a plan. The slowest plan asks an MCP server that must be downloaded
// before it starts.
const planTime = 2 * time.Minute

// unplannedError is the failure to determine what a job would do.
type unplannedError struct{ err error }

// Error implements error.
func (e unplannedError) Error() string { return "the job could not be planned: " + e.err.Error() }

// Unwrap is the cause.
func (e unplannedError) Unwrap() error { return e.err }

// plan answers what a job would do, without creating it. Validation errors of a job that
// can be decoded are part of the answer; 503 means that the plan could not be determined.
func (s *Server) plan(w http.ResponseWriter, r *request) error {
	kind := r.route.Kind
	job, ok := kind.New().(*v1.Job)
	if !ok {
		return fmt.Errorf("a %s cannot be planned", kind.Name)
	}
	if err := decodeBody(r, job); err != nil {
		return err
	}
	if err := neverRan(kind, job); err != nil {
		return err
	}
	if _, err := s.workspaceFor(r, job); err != nil {
		return err
	}
	generateName(job)
	resetForCreate(kind, job, s.mayImpersonate(r))
	job.Default()
	problems, err := s.problems(r.Context(), kind, job)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		writeJSON(w, http.StatusOK, &v1.Plan{Problems: problems})
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), planTime)
	defer cancel()
	answer, err := s.opts.Worker.Plan(ctx, job)
	if err != nil {
		return unplannedError{err}
	}
	for i := range answer.Problems {
		answer.Problems[i] = s.public.Text(answer.Problems[i]) // what docker compose says of its files
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// problems are the errors for which the job's creation would be refused.
func (s *Server) problems(ctx context.Context, kind v1.Kind, job *v1.Job) ([]string, error) {
	var problems []string
	for _, err := range kind.Validate(job) {
		problems = append(problems, err.Error())
	}
	if len(problems) > 0 || len(job.Spec.DependsOn) == 0 {
		return problems, nil
	}
	err := s.acyclic(ctx, job)
	if invalid, ok := errors.AsType[*apierrors.StatusError](err); ok && invalid.ErrStatus.Details != nil {
		for _, cause := range invalid.ErrStatus.Details.Causes {
			problems = append(problems, cause.Field+": "+cause.Message)
		}
		return problems, nil
	}
	return nil, err
}
