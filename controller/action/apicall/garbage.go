package apicall

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/controller/action"
)

// Kept implements action.Keeper: it visits each job of which an operation is remembered. A
// file that does not name its job is left until it is old.
func (r *Runner) Kept(ctx context.Context, visit func(action.JobRef) error) error {
	err := r.memory.Each(ctx, func(uid types.UID, o *operation) error {
		if o.Job == "" {
			return nil
		}
		return visit(action.JobRef{Namespace: o.Namespace, Name: o.Job, UID: uid})
	})
	if err != nil {
		return fmt.Errorf("operations of api_calls: %w", err)
	}
	return nil
}

// Forget implements action.Keeper: it removes what is remembered of a job.
func (r *Runner) Forget(_ context.Context, job action.JobRef) error {
	if err := r.memory.Remove(job.UID); err != nil {
		return fmt.Errorf("forget the operation of job %s/%s: %w", job.Namespace, job.Name, err)
	}
	return nil
}
