package health

import (
	"context"
	"time"

	"jobwright.dev/controller/action/compose/engine"
)

// lookAgain is when containers are looked at although the engine has told of no change: an
// event may be lost with its connection.
const lookAgain = 10 * time.Second

// Observe judges a project's containers as they are now. The pause is how long to wait for
// a change before the next look: until a service becomes good by going on as it is, or
// until an engine that did not answer is asked again.
func Observe(ctx context.Context, project *engine.Project, wants map[string]Want) (j Judgment, pause time.Duration, err error) {
	containers, err := project.Containers(ctx)
	if err != nil {
		return Judgment{Grade: Waiting}, engine.RetryPause, err
	}
	j = Judge(wants, containers, project.Now())
	return j, Pause(j, project.Now()), nil
}

// Pause is how long to wait for a change after a judgment.
func Pause(j Judgment, now time.Time) time.Duration {
	if j.Next.IsZero() {
		return lookAgain
	}
	return min(lookAgain, max(j.Next.Sub(now), time.Millisecond))
}
