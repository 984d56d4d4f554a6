package garbage

import (
	"context"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/util/validation"

	"jobwright.dev/controller/action"
	"jobwright.dev/store/events"
)

// Events is the Keeper of jobs' events.
func Events(kept events.Keeper) action.Keeper { return eventKeeper{kept} }

type eventKeeper struct{ events events.Keeper }

// Kept passes over names that no job has: their line was damaged, and nobody keeps anything
// else under them.
func (k eventKeeper) Kept(ctx context.Context, visit func(action.JobRef) error) error {
	return k.events.Each(ctx, func(ref events.Ref) error {
		if !nameable(ref) {
			return nil
		}
		return visit(action.JobRef{Namespace: ref.Workspace, Name: ref.Job, UID: ref.UID})
	})
}

// nameable reports whether a job may have those names.
func nameable(ref events.Ref) bool {
	return uuid.Validate(string(ref.UID)) == nil && len(validation.IsDNS1123Subdomain(ref.Job)) == 0 && len(validation.IsDNS1123Subdomain(ref.Workspace)) == 0
}

func (k eventKeeper) Forget(ctx context.Context, job action.JobRef) error {
	return k.events.Remove(ctx, events.Ref{Workspace: job.Namespace, Job: job.Name, UID: job.UID})
}
