package job

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller"
	"jobwright.dev/controller/job/schedule"
	"jobwright.dev/store"
)

// workspaceSource is how the controller follows the weights and limits of workspaces.
func (c *Controller) workspaceSource() controller.Source {
	return controller.Source{List: store.ListOptions{Kind: v1.KindWorkspace}, Handler: workspaceHandler{c}}
}

// workspaceHandler keeps the schedule's weights and limits as the Workspace objects say.
type workspaceHandler struct{ c *Controller }

// Handle implements controller.Handler.
func (h workspaceHandler) Handle(changes []store.Event) {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	for _, change := range changes {
		h.c.setWorkspace(change)
	}
	h.c.grant()
}

// Listed implements controller.Handler.
func (h workspaceHandler) Listed(_ uint64, shown func(uuid.UUID) bool) {
	if shown == nil {
		return
	}
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	for name, uid := range h.c.workspaces {
		if !shown(uid) {
			delete(h.c.workspaces, name)
			h.c.schedule.SetWorkspace(name, schedule.Workspace{})
		}
	}
	h.c.grant()
}

func (c *Controller) setWorkspace(event store.Event) {
	name := event.Record.Key().Name
	if event.Type == store.Deleted {
		delete(c.workspaces, name)
		c.schedule.SetWorkspace(name, schedule.Workspace{})
		return
	}
	ws, err := event.Record.Workspace()
	if err != nil {
		c.Log.Error(err, "passing over a workspace that cannot be read", "workspace", name)
		return
	}
	c.workspaces[name] = event.Record.UUID()
	limits := schedule.Workspace{Suspended: ws.Spec.Suspend, SuspendedTypes: ws.Spec.SuspendTypes}
	if ws.Spec.Weight != nil {
		limits.Weight = int(*ws.Spec.Weight)
	}
	if ws.Spec.MaxRunning != nil {
		n := int(*ws.Spec.MaxRunning)
		limits.MaxRunning = &n
	}
	c.schedule.SetWorkspace(name, limits)
}

// recalled is how many of the newest finished jobs are looked at for starts that
// still count against a rate limit: far more than any limit (10,000 starts) allows
// within its window, in a fraction of a second.
const recalled = 10_000

// recallRates counts the starts before this server's own against their rate limits: one
// for each finished job. Where a job had several attempts, only the end of the last one
// is known, and stands for its start; the attempts before it are not counted.
func (c *Controller) recallRates(ctx context.Context) error {
	page, err := c.Store.List(ctx, store.ListOptions{
		Kind: v1.KindJob, Phases: []v1.JobPhase{v1.JobSucceeded, v1.JobFailed, v1.JobCanceled},
		Order: store.NewestFirst, Limit: recalled,
	})
	if err != nil {
		return fmt.Errorf("list finished jobs: %w", err)
	}
	var buffer []byte
	now := time.Now()
	for _, record := range page.Items {
		if buffer = record.AppendJSON(buffer[:0]); !bytes.Contains(buffer, []byte(`"rateLimit"`)) {
			continue
		}
		job, err := record.Job()
		if err != nil || job.Spec.RateLimit == nil || job.Status.StartTime == nil || job.Status.CompletionTime == nil {
			continue // what cannot be read is reported where it is needed
		}
		started := job.Status.StartTime.Time
		if job.Status.RunAttempts() > 1 {
			started = job.Status.CompletionTime.Time
		}
		// What has ended later than now did so before the clock was set back, nobody knows
		// when: just now, at the latest.
		ahead := max(job.Status.CompletionTime.Sub(now), 0)
		started = started.Add(-ahead)
		c.mu.Lock()
		if r := rate(job); now.Sub(started) < r.Per {
			c.schedule.Started(r, started)
		}
		if until := job.Status.RetryAfterTime; until != nil && until.Add(-ahead).After(now) {
			c.schedule.Hold(rate(job).Key, until.Add(-ahead))
		}
		c.mu.Unlock()
	}
	return nil
}
