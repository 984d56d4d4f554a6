package serve

import (
	"context"
	"fmt"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/compose"
	"jobwright.dev/store"
)

// judgeProjects writes down whose the compose projects are, from the deploy jobs of the
// store, when the folder has no complete record of it: after a restore of a backup file, or
// an upgrade. No job runs before.
func (s setup) judgeProjects(ctx context.Context, f *folder) error {
	judged, err := f.revisions.Judged()
	if err != nil || judged {
		return err
	}
	var deployers compose.Deployers
	opts := store.ListOptions{Kind: v1.KindJob, Limit: judgePage}
	for {
		page, err := f.store.List(ctx, opts)
		if err != nil {
			return fmt.Errorf("find whose the compose projects are: %w", err)
		}
		for _, record := range page.Items {
			if !record.Contains(`"deploy"`) {
				continue
			}
			job, err := record.Job()
			if err != nil {
				return fmt.Errorf("find whose the compose projects are: %w", err)
			}
			deployers.Add(job)
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			break
		}
	}
	projects, err := f.revisions.Judge(deployers.Owners())
	if err != nil {
		return err // whoever came first would have the project
	}
	if err := f.revisions.MarkJudged(); err != nil {
		s.log.Error(err, "the next start reads the deploy jobs again") // every record is there
	}
	if len(projects) > 0 {
		s.log.Info("the folder has no record of whose these compose projects are, as after a restore: they are now those of the workspaces whose jobs deployed them last", "projects", projects)
	}
	return nil
}

// judgePage is how many jobs judgeProjects reads at a time.
const judgePage = 500
