package garbage

import (
	"context"

	"jobwright.dev/controller/action"
	"jobwright.dev/store/logs"
)

// Logs is the Keeper of jobs' logs.
func Logs(kept logs.Store) action.Keeper { return logKeeper{kept} }

type logKeeper struct{ logs logs.Store }

func (k logKeeper) Kept(ctx context.Context, visit func(action.JobRef) error) error {
	return k.logs.Each(ctx, func(ref logs.Ref) error {
		return visit(action.JobRef{Namespace: ref.Workspace, Name: ref.Job, UID: ref.UID})
	})
}

func (k logKeeper) Forget(ctx context.Context, job action.JobRef) error {
	return k.logs.Remove(ctx, logs.Ref{Workspace: job.Namespace, Job: job.Name, UID: job.UID})
}
