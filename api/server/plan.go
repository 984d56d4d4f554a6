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

// planTime bounds how long finding out what a job would do may take. An MCP server that
// is fetched before it starts is the slowest to be asked.
const planTime = 2 * time.Minute

// unplannedError is why it could not be found out what a job would do.
type unplannedError struct{ err error }

// Error says what could not be done, and why.
func (e unplannedError) Error() string { return "the job could not be planned: " + e.err.Error() }

// Unwrap is what stood in the way.
func (e unplannedError) Unwrap() error { return e.err }

// plan says what a job would do, without creating it. What is wrong with the job stands
// in the answer, as far as the body is a job at all; 503 means that it could not be
// found out.
func (s *Server) plan(w http.ResponseWriter, r *request) error {
	kind := r.route.Kind
	job, ok := kind.New().(*v1.Job)
	if !ok {
		return fmt.Errorf("a %s cannot be planned", kind.Name)
	}
	if err := decodeBody(r, job); err != nil {
		return err
	}
	if _, err := s.workspaceFor(r, job); err != nil {
		return err
	}
	generateName(job)
	resetForCreate(kind, job, s.mayImpersonate(r))
	job.Default()
	problems, err := s.problems(r.Context(), job)
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
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// problems are what the creation of the job would be refused for.
func (s *Server) problems(ctx context.Context, job *v1.Job) ([]string, error) {
	var problems []string
	for _, err := range v1.ValidateJob(job) {
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
