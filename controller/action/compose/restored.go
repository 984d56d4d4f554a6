package compose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"jobwright.dev/controller/action"
)

// awaitRestored looks at services that were brought back until they count as up, by the
// rules of every deploy: a revision that was good once need not be for ever.
func (r *Runner) awaitRestored(ctx context.Context, a action.Attempt, t target, restored []string) error {
	e := &lookout{r: r, a: a, project: t.revision.Project, restarts: map[string]int{}}
	if err := e.setClock(ctx); err != nil {
		return err
	}
	wake, end := e.watch(ctx, e.now())
	defer end()
	wants := map[string]want{}
	for _, name := range restored {
		service, _ := t.revision.Service(name)
		wants[name] = wanted(a.Job.Spec.Deploy.Health, name, service.Replicas)
	}
	for {
		pause := lookAgain
		var waits string
		seen, err := e.look(ctx)
		if err != nil {
			waits, pause = err.Error(), enginePause // the engine may come back within the limit
		} else {
			j := judge(wants, seen, e.now())
			if j.grade == good {
				return nil
			}
			waits = unlike(j)
			if j.grade == failed {
				return errors.New(waits)
			}
			if !j.next.IsZero() {
				pause = min(pause, max(j.next.Sub(e.now()), time.Millisecond))
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-wake:
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("it took longer than it may (%w): %s", context.Cause(ctx), waits)
		}
		timer.Stop()
	}
}

// unlike says which services do not count as up, and why.
func unlike(j judgment) string {
	var out []string
	for _, s := range j.services {
		if s.grade != good {
			out = append(out, strings.TrimSpace(s.Name+" "+s.State+" "+s.Message))
		}
	}
	return strings.Join(out, "; ")
}
