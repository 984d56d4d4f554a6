package rollback

import (
	"context"
	"errors"
	"fmt"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/health"
)

// await watches services that were brought back until they count as up. The engine may be
// away in between, within the limit that ctx has.
func (r Restorer) await(ctx context.Context, a action.Attempt, t Target, restored []string) error {
	project := r.project(a, t.Revision.Project)
	if err := project.SetClock(ctx); err != nil {
		return err
	}
	changed, end := project.Watch(ctx, project.Now())
	defer end()
	wait := &health.Await{Project: project, Wants: map[string]health.Want{}, Changed: changed}
	for _, name := range restored {
		service, _ := t.Revision.Service(name)
		want := health.Wanted(a.Job.Spec.Deploy.Health, name, service.Replicas)
		switch service.State { // it stands for more than what the failed deploy expects
		case v1.RevisionRunning:
			want.Expect = v1.ExpectRunning
		case v1.RevisionCompleted:
			want.Expect = v1.ExpectCompleted
		}
		wait.Wants[name] = want
	}
	waits := ""
	wait.Seen = func(seen health.Observation) {
		if waits = seen.Judgment.String(); seen.Err != nil {
			waits = seen.Err.Error()
		}
	}
	j, err := wait.Run(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("it took longer than it may (%w): %s", err, waits)
	case j.Grade == health.Failed:
		return errors.New(j.String())
	}
	return nil
}
