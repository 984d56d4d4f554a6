package serve

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose"
)

// projects answers the server for the compose runner, with the API's errors.
type projects struct{ *compose.Runner }

// Forget implements server.Projects.
func (p projects) Forget(ctx context.Context, workspace, project string) error {
	err := p.Runner.Forget(ctx, workspace, project)
	resource := schema.GroupResource{Group: v1.Group, Resource: "projects"}
	switch {
	case errors.Is(err, compose.ErrNoProject):
		return apierrors.NewNotFound(resource, project)
	case errors.Is(err, compose.ErrProjectRuns):
		return apierrors.NewConflict(resource, project, err)
	}
	return err
}
