package dispatch

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

// workspaceSource is how the dispatcher follows the weights and limits of workspaces.
func (d *Dispatcher) workspaceSource() controller.Source {
	return controller.Source{List: store.ListOptions{Kind: v1.KindWorkspace}, Handler: workspaceHandler{d}}
}

// workspaceHandler keeps the schedule's weights and limits as the Workspace objects say.
type workspaceHandler struct{ d *Dispatcher }

// Handle implements controller.Handler.
func (h workspaceHandler) Handle(changes []store.Event) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	for _, change := range changes {
		h.d.setWorkspace(change)
	}
	h.d.grant()
}

// Listed implements controller.Handler.
func (h workspaceHandler) Listed(_ uint64, shown func(uuid.UUID) bool) {
	if shown == nil {
		return
	}
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	for name, uid := range h.d.workspaces {
		if !shown(uid) {
			h.d.forgetWorkspace(name)
		}
	}
	h.d.grant()
}

func (d *Dispatcher) setWorkspace(event store.Event) {
	name := event.Record.Key().Name
	if event.Type == store.Deleted {
		d.forgetWorkspace(name)
		return
	}
	ws, err := event.Record.Workspace()
	if err != nil {
		d.Log.Error(err, "passing over a workspace that cannot be read", "workspace", name)
		return
	}
	d.workspaces[name] = event.Record.UUID()
	limits := schedule.Workspace{Suspended: ws.Spec.Suspend, SuspendedTypes: ws.Spec.SuspendTypes}
	if ws.Spec.Weight != nil {
		limits.Weight = int(*ws.Spec.Weight)
	}
	if ws.Spec.MaxRunning != nil {
		n := int(*ws.Spec.MaxRunning)
		limits.MaxRunning = &n
	}
	d.schedule.SetWorkspace(name, limits)
}

// forgetWorkspace ends what a workspace that is gone had: its limits and its metrics. The
// caller holds mu.
func (d *Dispatcher) forgetWorkspace(name string) {
	delete(d.workspaces, name)
	d.schedule.SetWorkspace(name, schedule.Workspace{})
	if d.Status != nil && d.Status.Metrics != nil {
		d.Status.Metrics.Forget(name)
	}
}

// recalled is how many of the newest finished jobs are looked at for starts that
// still count against a rate limit: far more than any limit (10,000 starts) allows
// within its window, in a fraction of a second.
const recalled = 10_000

// RecallRates counts the starts before this server's own against their rate limits: one
// for each finished job. Where a job had several attempts, only the end of the last one
// is known, and stands for its start; the attempts before it are not counted.
func (d *Dispatcher) RecallRates(ctx context.Context) error {
	page, err := d.Store.List(ctx, store.ListOptions{
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
		d.mu.Lock()
		if r := rate(job); now.Sub(started) < r.Per {
			d.schedule.Started(r, started)
		}
		if until := job.Status.RetryAfterTime; until != nil && until.Add(-ahead).After(now) {
			d.schedule.Hold(rate(job).Key, until.Add(-ahead))
		}
		d.mu.Unlock()
	}
	return nil
}
