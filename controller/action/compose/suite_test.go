package compose

import (
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action/actiontest"
	"jobwright.dev/controller/action/process"
)

func TestSuite(t *testing.T) {
	needEngine(t)
	r, attempt := project(t, strings.TrimSuffix(web, "}\n")+
		", healthcheck: {test: [CMD, /app, fail], interval: 1s, retries: 1000, start_period: 1h}}\n"+
		"  none: {image: 'jobwright-none:1', pull_policy: never, profiles: [none]}\n")
	job := func(change func(*v1.DeployAction)) *v1.Job {
		j := attempt(v1.DeployUp).Job
		change(j.Spec.Deploy)
		return j
	}
	actiontest.Run(t, actiontest.Harness{
		Runner:  r,
		Success: job(func(d *v1.DeployAction) { d.Verb = v1.DeployConfig }),
		Failure: job(func(d *v1.DeployAction) { d.Services = []string{"none"} }),
		Endless: job(func(*v1.DeployAction) {}),
		Running: func(text string) bool { return strings.Contains(text, "Waiting") || strings.Contains(text, "Started") },
		Bad: map[string]*v1.Job{
			"no payload":        {},
			"unknown verb":      job(func(d *v1.DeployAction) { d.Verb = "exec" }),
			"a flag as verb":    job(func(d *v1.DeployAction) { d.Verb = "--help" }),
			"a flag as service": job(func(d *v1.DeployAction) { d.Services = []string{"--env-file=/etc/passwd"} }),
			"a flag as project": job(func(d *v1.DeployAction) { d.ProjectName = "-f" }),
			"a file outside":    job(func(d *v1.DeployAction) { d.ComposePath = "../../etc/passwd" }),
			"a foreign flag":    job(func(d *v1.DeployAction) { d.ExtraArgs = []string{"--watch"} }),
		},
		Left: func(attempt string) (int, error) { return process.Reap(t.Context(), r.docker.Worker, attempt) },
	})
}
