package action

import (
	"context"

	v1 "jobwright.dev/api/v1"
)

// Planner is a Runner that can tell what a job would do without doing it.
type Planner interface {
	// Plan has no side effect that outlives it. What is wrong with the job stands in
	// the plan's problems; an error means that it could not be found out.
	Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error)
}
