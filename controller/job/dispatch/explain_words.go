package dispatch

import (
	"fmt"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/schedule"
)

// sentence says for a person what the schedule found, and what to do.
// subject is what its action's key limits.
func sentence(job *v1.Job, b schedule.Block, position int, held, subject string) string {
	switch b.Cause {
	case schedule.Slots:
		return fmt.Sprintf("%s taken%s; wait for a running job to end, or raise --max-concurrent-jobs.", taken(b.Limit), held)
	case schedule.Others:
		return fmt.Sprintf("About %s first: those of this workspace with a higher priority than %d or that have waited longer, and the share of other workspaces.",
			counted(position, "job starts", "jobs start"), job.Spec.Priority)
	case schedule.MaxRunning:
		return fmt.Sprintf("Workspace %s runs %s, its spec.maxRunning is %d%s.", job.Namespace, counted(b.Have, "job", "jobs"), b.Limit, held)
	case schedule.Concurrency:
		key := subject
		if job.Spec.Concurrency != nil {
			key = fmt.Sprintf("concurrency key %q", job.Spec.Concurrency.Key)
		}
		if b.Have == 1 {
			return fmt.Sprintf("1 job with %s runs, %d may%s.", key, b.Limit, held)
		}
		return fmt.Sprintf("%d jobs with %s run, %d may%s.", b.Have, key, b.Limit, held)
	case schedule.InOrder:
		return fmt.Sprintf("An earlier job with %s waits for its retry at %s%s; they run in submit order.", subject, b.Until.UTC().Format(time.RFC3339), held)
	case schedule.RateWindow:
		return fmt.Sprintf("Rate limit %q allows %s in %d s; the next is free at %s.", job.Spec.RateLimit.Key, counted(b.Limit, "start", "starts"), job.Spec.RateLimit.PerSeconds, b.Until.UTC().Format(time.RFC3339))
	case schedule.RateHold:
		return fmt.Sprintf("A call with rate limit %q was asked to wait until %s (Retry-After).", job.Spec.RateLimit.Key, b.Until.UTC().Format(time.RFC3339))
	case schedule.WorkspaceSuspended:
		return fmt.Sprintf("Workspace %s is suspended; set its spec.suspend to false.", job.Namespace)
	case schedule.TypeSuspended:
		return fmt.Sprintf("Jobs of type %s are suspended in workspace %s; take it out of its spec.suspendTypes.", job.Spec.Type, job.Namespace)
	case schedule.Time:
		return fmt.Sprintf("Starts at %s, not before.", b.Until.UTC().Format(time.RFC3339))
	}
	return ""
}

// counted is a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func taken(slots int) string {
	if slots == 1 {
		return "The one slot of the server is"
	}
	return fmt.Sprintf("All %d slots of the server are", slots)
}
