package rollback

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/health"
)

// await looks at services that were brought back until they count as up. The engine may be
// away in between, within the limit that ctx has.
func (r Restorer) await(ctx context.Context, a action.Attempt, t Target, restored []string) error {
	project := r.project(a, t.Revision.Project)
	if err := project.SetClock(ctx); err != nil {
		return err
	}
	changed, end := project.Watch(ctx, project.Now())
	defer end()
	wants := map[string]health.Want{}
	for _, name := range restored {
		service, _ := t.Revision.Service(name)
		wants[name] = health.Wanted(a.Job.Spec.Deploy.Health, name, service.Replicas)
	}
	for {
		j, pause, err := health.Observe(ctx, project, wants)
		var waits string
		switch {
		case err != nil:
			waits = err.Error()
		case j.Grade == health.Good:
			return nil
		case j.Grade == health.Failed:
			return errors.New(j.String())
		default:
			waits = j.String()
		}
		timer := time.NewTimer(pause)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("it took longer than it may (%w): %s", context.Cause(ctx), waits)
		}
		timer.Stop()
	}
}
