package compose

import (
	"context"
	"fmt"
	"slices"
	"time"

	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
	"jobwright.dev/controller/action/compose/repair"
)

// stopMargin is what docker compose needs beside the time that a container takes to stop:
// SIGKILL, removal, and the creation of its successor.
const stopMargin = 20 * time.Second

// stopTime is how long a container may take to stop, by its own and the file's
// stop_grace_period, or as the job's --timeout says.
func (d *deploy) stopTime() time.Duration {
	if seconds, ok := flagValue(d.a.Job.Spec.Deploy.ExtraArgs, "--timeout", "-t"); ok {
		if wait, err := time.ParseDuration(seconds + "s"); err == nil {
			return wait
		}
	}
	return max(repair.DrainTime(d.before), d.rendering.stopTime())
}

// allowChecks raises the limit of the health stage to what the health checks of those
// containers take until the engine calls one unhealthy: start_period and retries.
func (d *deploy) allowChecks(seen []engine.Container) {
	for _, c := range seen {
		if w, ok := d.wants[c.Service]; ok && c.HealthTime > 0 && w.Containers > 0 {
			d.limits.atLeast(waitHealth, c.HealthTime+time.Second, fmt.Sprintf("the health check of service %s (start_period and retries)", c.Service))
		}
	}
}

// writes reports whether a container that is not up yet has written output since that time
// of this host.
func (d *deploy) writes(ctx context.Context, since time.Time) bool {
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	seen, err := d.project.Containers(ctx)
	if err != nil {
		return false
	}
	j, waitedFor := d.judge(seen), d.steps.waitsFor()
	return slices.ContainsFunc(seen, func(c engine.Container) bool {
		waits := slices.ContainsFunc(j.Services, func(s health.ServiceState) bool { return s.Name == c.Service && s.Grade == health.Waiting })
		if !waits && !slices.Contains(waitedFor, c.Service) || c.Status != "running" {
			return false
		}
		last, err := d.project.LastOutput(ctx, c.ID)
		return err == nil && last.After(d.project.Engine(since))
	})
}

// culprit is the service that the deploy waits for: one that docker compose itself waits
// for, or else one that is not up; false: there is none.
func (d *deploy) culprit(j health.Judgment) (health.ServiceState, bool) {
	for _, name := range d.steps.waitsFor() {
		i := slices.IndexFunc(j.Services, func(s health.ServiceState) bool { return s.Name == name })
		if i < 0 {
			continue
		}
		s := j.Services[i]
		if s.Message == "" {
			s.Message = "and docker compose waits for it"
		}
		return s, true
	}
	return j.Culprit()
}
